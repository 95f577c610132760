//! The directories that an operation makes or writes into, and how they look when it is done.
//!
//! Writing into a directory changes its time, and may need more permission than it is to have in
//! the end. So both are put right last, children before their parents.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};

use crate::layer::entry::{Entry, Kind, Time};
use crate::layer::metadata::{apply_what_is_allowed, mtime, set_mtime};
use crate::op::refused::Refused;
use crate::rootdir::RootDir;

/// Directories of a root. Paths are relative to it and have no links in them.
pub(crate) struct Directories<'a> {
    root: &'a RootDir,
    /// By path, so that parents come before their children.
    unfinished: BTreeMap<PathBuf, Finish>,
    /// Those that were made or changed, and finished early.
    settled: BTreeSet<PathBuf>,
    refused: Arc<Refused>,
}

/// What is left to do to a directory.
enum Finish {
    /// It was there before: its time is as it was.
    Restore(Time),
    /// It looks like this.
    Become(Box<Entry>),
}

/// What a directory looks like that nobody asked for by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// When it was made.
    pub mtime: Time,
}

impl<'a> Directories<'a> {
    /// None so far. What they cannot be given is added to `refused`.
    pub(crate) fn new(root: &'a RootDir, refused: Arc<Refused>) -> Self {
        Self { root, unfinished: BTreeMap::new(), settled: BTreeSet::new(), refused }
    }

    /// The root they are in.
    pub(crate) fn root(&self) -> &'a RootDir {
        self.root
    }

    /// Opens a directory. The path has no links in it, so none is followed.
    pub(crate) fn open(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        self.root.open_at(path, flags, Mode::empty())
    }

    /// Says that entries of a directory are about to change. To be called before they do.
    pub(crate) fn touch(&mut self, path: &Path) -> io::Result<()> {
        if !self.unfinished.contains_key(path) {
            let stat = rustix::fs::fstat(self.open(path)?)?;
            self.unfinished.insert(path.to_owned(), Finish::Restore(mtime(&stat)));
        }
        Ok(())
    }

    /// Makes a directory in one that exists, and says what it will look like.
    pub(crate) fn make(&mut self, entry: Entry) -> io::Result<()> {
        let parent = entry.path.parent().unwrap_or(Path::new(""));
        let name = entry.path.file_name().unwrap_or(OsStr::new("."));
        self.touch(parent)?;
        rustix::fs::mkdirat(self.open(parent)?, name, Mode::from_raw_mode(0o700))?;
        self.become_like(entry);
        Ok(())
    }

    /// Says what a directory that exists will look like.
    pub(crate) fn become_like(&mut self, entry: Entry) {
        self.unfinished.insert(entry.path.clone(), Finish::Become(Box::new(entry)));
    }

    /// Makes a directory and its missing parents.
    ///
    /// # Errors
    ///
    /// `ENOTDIR` if something on the way is no directory, else as `mkdir(2)`.
    pub(crate) fn make_all(&mut self, path: &Path, like: Plain) -> io::Result<()> {
        let mut existing = path;
        while self.root.lstat(existing)?.is_none() {
            existing = existing.parent().unwrap_or(Path::new(""));
        }
        self.open(existing)?;
        let missing = path.components().skip(existing.components().count());
        let mut at = existing.to_owned();
        for name in missing {
            at.push(name);
            self.make(like.entry(at.clone()))?;
        }
        Ok(())
    }

    /// Forgets a directory that is about to be removed, and what is below it.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.unfinished.retain(|unfinished, _| !unfinished.starts_with(path));
        self.settled.retain(|settled| !settled.starts_with(path));
    }

    /// Whether a directory is one that this operation made or changed.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        matches!(self.unfinished.get(path), Some(Finish::Become(_))) || self.settled.contains(path)
    }

    /// Changes when a directory that was made here is said to have been changed; one that
    /// existed before is left alone.
    pub(crate) fn set_time(&mut self, path: &Path, mtime: Time) {
        if let Some(Finish::Become(entry)) = self.unfinished.get_mut(path) {
            entry.mtime = mtime;
        }
    }

    /// Puts everything right, so far; the work may go on.
    ///
    /// # Errors
    ///
    /// The directory that could not be, and why.
    pub(crate) fn settle(&mut self) -> Result<(), (PathBuf, io::Error)> {
        for (path, finish) in std::mem::take(&mut self.unfinished).into_iter().rev() {
            self.finish_one(&path, &finish).map_err(|error| (path.clone(), error))?;
            if matches!(finish, Finish::Become(_)) {
                self.settled.insert(path);
            }
        }
        Ok(())
    }

    fn finish_one(&self, path: &Path, finish: &Finish) -> io::Result<()> {
        let (dir, this) = (self.open(path)?, OsStr::new("."));
        match finish {
            Finish::Restore(mtime) => set_mtime(dir.as_fd(), this, *mtime),
            Finish::Become(entry) => {
                let refused = apply_what_is_allowed(dir.as_fd(), this, entry)?;
                self.refused.note(path, refused);
                Ok(())
            }
        }
    }
}

impl Plain {
    /// As an entry at a path.
    pub(crate) fn entry(self, path: PathBuf) -> Entry {
        Entry {
            path,
            kind: Kind::Directory,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            mtime: self.mtime,
            xattrs: BTreeMap::new(),
        }
    }
}
