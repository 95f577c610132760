//! A root while a layer is applied to it: the directories that entries go to, what this layer put
//! there, and the times that directories must have in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};

use crate::layer::entry::Time;
use crate::layer::metadata::{mtime, set_mtime};
use crate::layer::path::{PathError, resolve};
use crate::rootdir::{RootDir, is_missing, names, stat_at};

/// A directory that entries go to.
pub(super) struct Parent {
    /// As entries name it.
    named: PathBuf,
    /// Where that leads, without links.
    pub path: PathBuf,
    /// The directory, `O_PATH`.
    dir: OwnedFd,
}

impl Parent {
    pub(super) fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// A root while a layer is applied to it. All paths are without links.
pub(super) struct Tree<'a> {
    root: &'a RootDir,
    /// Of directories that are made because entries are missing.
    owner: (u32, u32),
    /// The last one, since entries of one directory mostly follow each other.
    parent: Option<Rc<Parent>>,
    /// Hashes of the paths that this layer put something at or beneath; a whiteout does not touch
    /// that. A path that the layer replaced again may stay: nothing of a layer below can be there.
    written: BTreeSet<u64>,
    /// What the modification times of directories must be when all is done.
    times: BTreeMap<PathBuf, Time>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: &'a RootDir, owner: (u32, u32)) -> Self {
        let (written, times) = (BTreeSet::new(), BTreeMap::new());
        Self { root, owner, parent: None, written, times }
    }

    /// The directory with a name, whose links are followed. It is made if it is missing.
    pub(super) fn parent(&mut self, named: &Path) -> Result<Rc<Parent>, PathError> {
        if let Some(parent) = self.existing_parent(named)? {
            return Ok(parent);
        }
        let path = self.lead(named)?;
        self.make_directories(&path)?;
        self.open_parent(named, path)
    }

    /// The directory with a name, whose links are followed. None if there is none.
    pub(super) fn existing_parent(
        &mut self,
        named: &Path,
    ) -> Result<Option<Rc<Parent>>, PathError> {
        if let Some(parent) = &self.parent
            && parent.named == named
        {
            return Ok(Some(Rc::clone(parent)));
        }
        let path = self.lead(named)?;
        match self.open_parent(named, path) {
            Ok(parent) => Ok(Some(parent)),
            Err(PathError::Io(error)) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a name leads within the root.
    fn lead(&self, named: &Path) -> Result<PathBuf, PathError> {
        // Mostly there are no links on the way, which one call can tell.
        if self.root.has_no_links(named) { Ok(named.to_owned()) } else { resolve(self.root, named) }
    }

    fn open_parent(&mut self, named: &Path, path: PathBuf) -> Result<Rc<Parent>, PathError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let dir = self.root.open_at(&path, flags, Mode::empty())?;
        self.keep_time(&path, mtime(&rustix::fs::fstat(&dir)?));
        let parent = Rc::new(Parent { named: named.to_owned(), path, dir });
        self.parent = Some(Rc::clone(&parent));
        Ok(parent)
    }

    fn make_directories(&mut self, path: &Path) -> io::Result<()> {
        for ancestor in path.ancestors().skip(1) {
            if let Some(stat) = self.root.lstat(ancestor)? {
                self.keep_time(ancestor, mtime(&stat));
                break;
            }
        }
        let (uid, gid) = self.owner;
        let mut made = Vec::new();
        self.root.create_dir_all(path, |path, dir| {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            rustix::fs::chownat(dir, ".", Some(uid), Some(gid), AtFlags::empty())?;
            // Not left to the umask, nor to a setgid bit above.
            rustix::fs::chmodat(dir, ".", Mode::from_raw_mode(0o755), AtFlags::empty())?;
            made.push(path.to_owned());
            Ok(())
        })?;
        for path in made {
            self.set_time(path.clone(), Time::default());
            self.wrote(&path);
        }
        Ok(())
    }

    /// Notes that this layer has an entry.
    pub(super) fn wrote(&mut self, path: &Path) {
        for path in path.ancestors() {
            if !self.written.insert(hash(path)) {
                break;
            }
        }
    }

    /// Sets the time that a directory shall have in the end.
    pub(super) fn set_time(&mut self, path: PathBuf, time: Time) {
        self.times.insert(path, time);
    }

    /// Notes the time a directory has before something in it changes.
    fn keep_time(&mut self, path: &Path, time: Time) {
        if !self.times.contains_key(path) {
            self.times.insert(path.to_owned(), time);
        }
    }

    /// Removes what stands at a name, with everything in it.
    pub(super) fn remove(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        path: &Path,
    ) -> io::Result<()> {
        crate::remove::at(dir, name)?;
        // A directory or a link on the way to the last parent may be gone.
        self.parent = None;
        let beneath = (Bound::Included(path), Bound::Unbounded);
        let gone = self.times.range::<Path, _>(beneath).take_while(|(at, _)| at.starts_with(path));
        for path in gone.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            self.times.remove(&path);
        }
        Ok(())
    }

    /// Removes what the layers below have at a name of a directory.
    pub(super) fn remove_lower(&mut self, dir: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let Some(name) = path.file_name() else { return Ok(()) };
        let stat = match stat_at(dir, name) {
            Ok(stat) => stat,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        if !self.has_written(path) {
            return self.remove(dir, name, path);
        }
        if is_directory(&stat) {
            self.clear_lower(path)?;
        }
        Ok(())
    }

    /// Removes what the layers below have in a directory.
    pub(super) fn clear_lower(&mut self, path: &Path) -> io::Result<()> {
        let mut pending = vec![path.to_owned()];
        while let Some(path) = pending.pop() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            let dir = self.root.open_at(&path, flags, Mode::empty())?;
            self.keep_time(&path, mtime(&rustix::fs::fstat(&dir)?));
            for name in names(dir.as_fd())? {
                let inner = path.join(&name);
                if !self.has_written(&inner) {
                    self.remove(dir.as_fd(), &name, &inner)?;
                } else if is_directory(&stat_at(dir.as_fd(), &name)?) {
                    pending.push(inner);
                }
            }
        }
        Ok(())
    }

    fn has_written(&self, path: &Path) -> bool {
        self.written.contains(&hash(path))
    }

    /// Gives all directories their times. Nothing may be changed after it.
    pub(super) fn finish(self) -> Result<(), (PathBuf, io::Error)> {
        for (path, time) in self.times {
            let set = if path.as_os_str().is_empty() {
                set_mtime(self.root.fd(), OsStr::new("."), time)
            } else {
                self.root.parent(&path).and_then(|(dir, name)| set_mtime(dir.as_fd(), &name, time))
            };
            set.map_err(|error| (path, error))?;
        }
        Ok(())
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Two paths of one layer with the same hash are less likely than a broken disk; an archive that
/// is made so keeps a file that it says is deleted, which it could do as well by not saying it.
fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
