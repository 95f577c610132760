//! Directories in the root that stand for those of `/proc`, with a stand-in for each name.
//!
//! No directory of the real `/proc` is ever handed to a step: from one, a path could be gone that
//! nobody asks about. What a step opens or enters as a directory is one of these. They are in its
//! own root, hold nothing, and are refreshed when they are opened. What stands at a name is asked
//! for when it is used; where it is used in a way that nobody asks about, it is an empty file, an
//! empty directory or a link that leads nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::rootdir;

/// Where links lead that must lead nowhere, whatever there is in the root.
const NOWHERE: &str = "/dev/null/-";

/// No name below `/proc` has more parents than this, except of what is about the kernel.
const DEEPEST: usize = 16;

/// What stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stub {
    Directory,
    File,
    Link,
}

/// The stand-ins. All of this wants the rights of root.
#[derive(Debug)]
pub(super) struct Skeleton {
    /// `/proc` of the root.
    top: OwnedFd,
    /// Device and inode of everything that stands for something. A stranger can come to be among
    /// them if a stand-in was removed: so this says where to look, and not what is there.
    known: BTreeSet<(u64, u64)>,
}

impl Skeleton {
    /// In the `/proc` of the root that this process has.
    pub(super) fn new() -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let top = rustix::fs::open("/proc", flags, Mode::empty())?;
        let known = BTreeSet::from([key(&rustix::fs::fstat(&top)?)]);
        Ok(Self { top, known })
    }

    /// Whether this may stand for something.
    pub(super) fn knows(&self, stat: &Stat) -> bool {
        self.known.contains(&key(stat))
    }

    /// Takes something that was made elsewhere for a stand-in.
    pub(super) fn adopt(&mut self, stat: &Stat) {
        self.known.insert(key(stat));
    }

    /// Removes a stand-in that was made elsewhere.
    pub(super) fn discard(&mut self, parent: BorrowedFd<'_>, name: &str) {
        // What the step has removed already needs no removing.
        self.remove(parent, OsStr::new(name)).ok();
    }

    /// The directory at a path, `O_PATH`; made if it is not there.
    pub(super) fn directory(&mut self, path: &str) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut at = rustix::fs::openat(&self.top, ".", flags, Mode::empty())?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match rustix::fs::openat(&at, name, flags, Mode::empty()) {
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    self.put(at.as_fd(), OsStr::new(name), Stub::Directory)?;
                    rustix::fs::openat(&at, name, flags, Mode::empty())?
                }
                other => other?,
            };
        }
        Ok(at)
    }

    /// Has a directory hold these names, and opens it for reading.
    pub(super) fn refresh(
        &mut self,
        path: &str,
        wanted: &BTreeMap<OsString, Stub>,
    ) -> Result<OwnedFd, Errno> {
        let directory = self.directory(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
        let present = rootdir::names(directory.as_fd()).map_err(|error| errno(&error))?;
        for name in present {
            if !wanted.contains_key(&name) {
                self.remove(directory.as_fd(), &name)?;
            }
        }
        for (name, stub) in wanted {
            self.ensure(directory.as_fd(), name, *stub)?;
        }
        // A new position, before whatever was read.
        rustix::fs::openat(&directory, ".", flags, Mode::empty())
    }

    /// Puts a stand-in at a path, unless one is there; the empty path is the top.
    pub(super) fn stand_in(&mut self, path: &str, stub: Stub) -> Result<(), Errno> {
        if path.is_empty() {
            return Ok(());
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.directory(parent)?;
        self.ensure(parent.as_fd(), OsStr::new(name), stub)
    }

    fn ensure(&mut self, parent: BorrowedFd<'_>, name: &OsStr, stub: Stub) -> Result<(), Errno> {
        let there = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
        if there.is_ok_and(|stat| self.knows(&stat) && stub.is(&stat)) {
            return Ok(());
        }
        self.put(parent, name, stub)
    }

    /// A file with a content, `O_PATH`.
    pub(super) fn file(&mut self, path: &str, content: &str) -> Result<OwnedFd, Errno> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.directory(parent)?;
        let read = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let there = rustix::fs::openat(&parent, name, read, Mode::empty());
        if let Ok(there) = there {
            let stat = rustix::fs::fstat(&there)?;
            let length = u64::try_from(stat.st_size).unwrap_or_default();
            if self.knows(&stat) && Stub::File.is(&stat) && length == content.len() as u64 {
                return Ok(there);
            }
        }
        self.remove(parent.as_fd(), OsStr::new(name))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o444))?;
        self.adopt(&rustix::fs::fstat(&file)?);
        File::from(file).write_all(content.as_bytes()).map_err(|error| errno(&error))?;
        rustix::fs::openat(&parent, name, read, Mode::empty())
    }

    /// Has a link lead to a path, or nowhere.
    pub(super) fn link(&mut self, path: &str, target: Option<&Path>) -> Result<(), Errno> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.directory(parent)?;
        self.remove(parent.as_fd(), OsStr::new(name))?;
        rustix::fs::symlinkat(target.unwrap_or(Path::new(NOWHERE)), &parent, name)?;
        self.adopt(&rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?);
        Ok(())
    }

    fn put(&mut self, parent: BorrowedFd<'_>, name: &OsStr, stub: Stub) -> Result<(), Errno> {
        self.remove(parent, name)?;
        match stub {
            Stub::Directory => {
                rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o555))?;
            }
            Stub::File => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o444))?;
            }
            Stub::Link => rustix::fs::symlinkat(NOWHERE, parent, name)?,
        }
        self.adopt(&rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?);
        Ok(())
    }

    fn remove(&mut self, parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
        self.remove_tree(parent, name, DEEPEST)
    }

    /// Removes what stands at a name. What is nested deeper than anything of `/proc` stays: only
    /// the step can have made it.
    fn remove_tree(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        depth: usize,
    ) -> Result<(), Errno> {
        let stat = match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.known.remove(&key(&stat));
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return rustix::fs::unlinkat(parent, name, AtFlags::empty());
        }
        if depth > 0 {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
            for name in rootdir::names(directory.as_fd()).map_err(|error| errno(&error))? {
                self.remove_tree(directory.as_fd(), &name, depth - 1)?;
            }
        }
        rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
    }
}

impl Stub {
    fn is(self, stat: &Stat) -> bool {
        let kind = FileType::from_raw_mode(stat.st_mode);
        kind == match self {
            Self::Directory => FileType::Directory,
            Self::File => FileType::RegularFile,
            Self::Link => FileType::Symlink,
        }
    }
}

fn key(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

pub(super) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
