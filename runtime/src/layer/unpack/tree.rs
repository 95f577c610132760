//! A root while a layer is applied to it: the directories that entries go to, what this layer put
//! there, and the times that directories must have in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

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
    /// What this layer put there; a whiteout does not touch it.
    written: BTreeSet<PathBuf>,
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
        let path = resolve(self.root, named)?;
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
        let path = resolve(self.root, named)?;
        match self.open_parent(named, path) {
            Ok(parent) => Ok(Some(parent)),
            Err(PathError::Io(error)) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
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
            self.wrote(path);
        }
        Ok(())
    }

    /// Notes that this layer has an entry.
    pub(super) fn wrote(&mut self, path: PathBuf) {
        self.written.insert(path);
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
        remove_all(dir, name)?;
        // A directory or a link on the way to the last parent may be gone.
        self.parent = None;
        let beneath = (Bound::Included(path), Bound::Unbounded);
        let gone = self.written.range::<Path, _>(beneath).take_while(|at| at.starts_with(path));
        for path in gone.cloned().collect::<Vec<_>>() {
            self.written.remove(&path);
        }
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
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            self.keep_time(path, mtime(&stat));
            self.clear_lower(dir, name, path)?;
        }
        Ok(())
    }

    /// Removes what the layers below have in a directory, which is at a name of another.
    pub(super) fn clear_lower(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        path: &Path,
    ) -> io::Result<()> {
        let dir = open_to_list(dir, name)?;
        for name in names(dir.as_fd())? {
            self.remove_lower(dir.as_fd(), &path.join(name))?;
        }
        Ok(())
    }

    fn has_written(&self, path: &Path) -> bool {
        let mut from = self.written.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        from.next().is_some_and(|first| first.starts_with(path))
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

fn open_to_list(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)
}

fn remove_all(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) => return Ok(()),
        // Linux says EISDIR for a directory, POSIX EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let inner = open_to_list(dir, name)?;
    for name in names(inner.as_fd())? {
        remove_all(inner.as_fd(), &name)?;
    }
    Ok(rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR)?)
}
