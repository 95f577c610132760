//! What mounts stand on in a root: made before a step, gone after it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::AsFd as _;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use crate::rootdir::RootDir;

/// Empty directories and files that were made for a step, and the times of the directories that
/// hold them.
///
/// A step that uses one (puts something into a directory, changes a file) keeps it. Dropping this
/// removes the rest as well as [`Stubs::remove`] does, and ignores what fails.
#[derive(Debug)]
pub(super) struct Stubs {
    root: RootDir,
    /// In the order they were made. Paths are relative, without links.
    made: Vec<Made>,
    /// When the directories that got a new name were last modified before that.
    times: BTreeMap<PathBuf, Timespec>,
}

#[derive(Debug)]
struct Made {
    path: PathBuf,
    /// A file's inode and times as it was made; none for a directory.
    file: Option<Identity>,
}

/// What tells whether a file is still what was made.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    inode: u64,
    modified: (i64, u64),
    size: i64,
    mode: u32,
    owner: (u32, u32),
}

impl From<Stat> for Identity {
    #[expect(clippy::useless_conversion, reason = "the types differ between machines")]
    fn from(stat: Stat) -> Self {
        Self {
            inode: stat.st_ino,
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            size: stat.st_size.into(),
            mode: stat.st_mode,
            owner: (stat.st_uid, stat.st_gid),
        }
    }
}

impl Stubs {
    pub(super) fn new(root: RootDir) -> Self {
        Self { root, made: Vec::new(), times: BTreeMap::new() }
    }

    /// Makes a directory and its missing parents, unless something stands there.
    pub(super) fn directory(&mut self, path: &Path) -> io::Result<()> {
        let resolved = self.root.resolve(path)?;
        self.missing_directories(&resolved)
    }

    /// Makes an empty file and its missing parents, unless something stands there. Says whether
    /// it did.
    pub(super) fn file(&mut self, path: &Path) -> io::Result<bool> {
        let resolved = self.root.resolve(path)?;
        if self.root.lstat(&resolved)?.is_some() {
            return Ok(false);
        }
        self.parent_of(&resolved)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let fd = self.root.open_at(&resolved, flags, Mode::from_raw_mode(0o644))?;
        self.note_file(resolved, rustix::fs::fstat(fd)?);
        Ok(true)
    }

    /// Gets ready for making something at a path without links: makes its parents, and remembers
    /// when the last of them was modified.
    pub(super) fn parent_of(&mut self, resolved: &Path) -> io::Result<()> {
        let parent = resolved.parent().unwrap_or(Path::new(""));
        self.missing_directories(parent)?;
        self.remember(parent)
    }

    /// Takes a file that was just made into the list; it is removed if it is then still the same.
    pub(super) fn note_file(&mut self, resolved: PathBuf, stat: Stat) {
        self.made.push(Made { path: resolved, file: Some(stat.into()) });
    }

    /// Gives the directories the times back that they had. The step sees them so, and what it
    /// does itself can be told from what was done for it.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.times.iter().try_for_each(|(path, modified)| self.set_modified(path, *modified))
    }

    /// Removes what the step did not use, and leaves the times of the directories as they are.
    pub(super) fn remove(mut self) -> io::Result<()> {
        self.clear()
    }

    fn clear(&mut self) -> io::Result<()> {
        let mut now = BTreeMap::new();
        for path in std::mem::take(&mut self.times).into_keys() {
            // A step may have removed what held a stub.
            if let Some(stat) = self.root.lstat(&path)? {
                now.insert(path, modified(&stat));
            }
        }
        let mut first_error = Ok(());
        for made in std::mem::take(&mut self.made).iter().rev() {
            first_error = first_error.and(self.unmake(made));
        }
        for (path, modified) in now {
            // A directory that was itself a stub is gone.
            if self.root.lstat(&path)?.is_some() {
                self.set_modified(&path, modified)?;
            }
        }
        first_error
    }

    fn unmake(&self, made: &Made) -> io::Result<()> {
        let Some(stat) = self.root.lstat(&made.path)? else { return Ok(()) };
        let flags = match &made.file {
            Some(identity) if *identity == Identity::from(stat) => AtFlags::empty(),
            Some(_) => return Ok(()),
            None => AtFlags::REMOVEDIR,
        };
        let (parent, name) = self.root.parent(&made.path)?;
        match rustix::fs::unlinkat(parent, name, flags) {
            // Used by the step: it has put something there, or something else in its place.
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn missing_directories(&mut self, resolved: &Path) -> io::Result<()> {
        let mut at = PathBuf::new();
        for name in resolved {
            let parent = at.clone();
            at.push(name);
            if self.root.lstat(&at)?.is_some() {
                continue;
            }
            self.remember(&parent)?;
            let (parent, name) = self.root.parent(&at)?;
            rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
            self.made.push(Made { path: at.clone(), file: None });
        }
        Ok(())
    }

    fn remember(&mut self, directory: &Path) -> io::Result<()> {
        if !self.times.contains_key(directory)
            && let Some(stat) = self.root.lstat(directory)?
        {
            self.times.insert(directory.to_owned(), modified(&stat));
        }
        Ok(())
    }

    fn set_modified(&self, path: &Path, modified: Timespec) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let fd = self.root.open_at(path, flags, Mode::empty())?;
        let omit = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let times = Timestamps { last_access: omit, last_modification: modified };
        Ok(rustix::fs::futimens(fd.as_fd(), &times)?)
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        self.clear().ok();
    }
}

#[expect(clippy::useless_conversion, reason = "the types differ between machines")]
fn modified(stat: &Stat) -> Timespec {
    let nanoseconds = stat.st_mtime_nsec.try_into().unwrap_or_default();
    Timespec { tv_sec: stat.st_mtime.into(), tv_nsec: nanoseconds }
}
