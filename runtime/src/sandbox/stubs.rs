//! What is made in a root for a step, and how it goes away again.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::{copy, mounting};
use crate::rootdir::{self, RootDir};
use holders::{Holders, Identity};

mod holders;

/// A log of what was made in a root, undone backwards.
///
/// A directory that gets a name or loses it keeps its time of modification, before the step and
/// after it: so what the step does to it can still be told from what was done for it.
///
/// Dropping this undoes everything as well as [`Stubs::undo`] does, and ignores what fails.
#[derive(Debug)]
pub(super) struct Stubs {
    root: RootDir,
    /// In the order it was made.
    made: Vec<Made>,
    holders: Holders,
}

/// Something that was made. Paths are relative, without links.
#[derive(Debug)]
enum Made {
    /// An empty directory to mount something on. It stays if the step put something in.
    Directory(PathBuf),
    /// An empty file to mount something on. It stays if the step changed it.
    File(PathBuf, Look),
    /// Something that plays a mount where there are none. What becomes of it is as with a mount:
    /// the layer does not see it, whatever the step did to it.
    Place {
        path: PathBuf,
        /// What was put there.
        placed: Option<Identity>,
        /// Where that is kept which stood there before.
        aside: Option<PathBuf>,
        end: End,
    },
}

/// What becomes of a place after the step.
#[derive(Debug)]
pub(super) enum End {
    /// It is removed.
    Remove,
    /// It is moved (or else copied) back to where it came from.
    Return(PathBuf),
}

/// What tells whether a file is still what was made.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    inode: u64,
    modified: Timespec,
    mode: u32,
    owner: (u32, u32),
}

impl From<Stat> for Look {
    fn from(stat: Stat) -> Self {
        let owner = (stat.st_uid, stat.st_gid);
        Self { inode: stat.st_ino, modified: modified(&stat), mode: stat.st_mode, owner }
    }
}

impl Made {
    fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::File(path, _) | Self::Place { path, .. } => path,
        }
    }
}

impl Stubs {
    pub(super) fn new(root: RootDir) -> Self {
        Self { root, made: Vec::new(), holders: Holders::default() }
    }

    /// Makes a directory and its missing parents, unless something stands there.
    pub(super) fn directory(&mut self, path: &Path) -> io::Result<()> {
        let resolved = self.root.resolve(path)?;
        self.missing_directories(&resolved)
    }

    /// Makes an empty file and its missing parents, unless something stands there.
    pub(super) fn file(&mut self, path: &Path) -> io::Result<()> {
        let resolved = self.root.resolve(path)?;
        if self.root.lstat(&resolved)?.is_some() {
            return Ok(());
        }
        self.missing_directories(resolved.parent().unwrap_or(Path::new("")))?;
        let stat = quietly(&self.root, &resolved, |parent, name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o644))?;
            Ok(rustix::fs::fstat(fd)?)
        })?;
        self.made.push(Made::File(resolved, stat.into()));
        Ok(())
    }

    /// Refuses to play a mount of a directory on a file, or of a file on a directory.
    pub(super) fn check(&self, path: &Path, is_directory: bool) -> io::Result<()> {
        match self.root.stat(path)? {
            Some(stat) => mounting::fits(is_directory, &stat),
            None => Ok(()),
        }
    }

    /// Clears a place, so that `fill` can put something there. What stands there is moved to
    /// `aside` (on the same file system) until the end.
    pub(super) fn place(
        &mut self,
        path: &Path,
        aside: &Path,
        end: End,
        fill: impl FnOnce(BorrowedFd<'_>, &OsStr) -> io::Result<()>,
    ) -> io::Result<()> {
        let resolved = self.root.resolve(path)?;
        let parent = resolved.parent().unwrap_or(Path::new(""));
        self.missing_directories(parent)?;
        self.holders.add(&self.root, parent)?;
        let occupied = self.root.lstat(&resolved)?.is_some();
        if occupied {
            quietly(&self.root, &resolved, |parent, name| {
                Ok(rustix::fs::renameat(parent, name, CWD, aside)?)
            })?;
        }
        let aside = occupied.then(|| aside.to_owned());
        // Even if only some of it can be made.
        self.made.push(Made::Place { path: resolved.clone(), placed: None, aside, end });
        let found = quietly(&self.root, &resolved, |parent, name| {
            fill(parent, name)?;
            Identity::at(parent, name)
        })?;
        if let Some(Made::Place { placed, .. }) = self.made.last_mut() {
            *placed = found;
        }
        Ok(())
    }

    /// Undoes everything, also after an error; returns the first.
    pub(super) fn undo(mut self) -> io::Result<()> {
        self.unmake()
    }

    fn unmake(&mut self) -> io::Result<()> {
        let mut result = self.restore_holders();
        while let Some(made) = self.made.pop() {
            let undone = match made {
                Made::Directory(path) => self.remove(&path, AtFlags::REMOVEDIR),
                Made::File(path, identity) => match self.root.lstat(&path) {
                    Ok(Some(stat)) if identity == stat.into() => {
                        self.remove(&path, AtFlags::empty())
                    }
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                },
                Made::Place { path, aside, end, .. } => self.vacate(&path, aside.as_deref(), &end),
            };
            result = result.and(undone);
        }
        result
    }

    fn restore_holders(&self) -> io::Result<()> {
        let places = self.made.iter().filter_map(|made| match made {
            Made::Place { path, placed: Some(placed), .. } => Some((path.as_path(), *placed)),
            Made::Place { placed: None, .. } | Made::Directory(_) | Made::File(..) => None,
        });
        self.holders.restore(&self.root, self.made.iter().map(Made::path), places)
    }

    fn remove(&self, path: &Path, flags: AtFlags) -> io::Result<()> {
        // A parent may be gone, or no directory any more.
        let removed = quietly(&self.root, path, |parent, name| {
            match rustix::fs::unlinkat(parent, name, flags) {
                // The step put something there, or something else in its place.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
                other => Ok(other?),
            }
        });
        unless_missing(removed)
    }

    fn vacate(&self, path: &Path, aside: Option<&Path>, end: &End) -> io::Result<()> {
        // The step may have removed what held it: what was moved aside belongs there all the same.
        if aside.is_some() {
            let parent = path.parent().unwrap_or(Path::new(""));
            self.root.create_dir_all(parent, |_, _| Ok(()))?;
        }
        let vacated = quietly(&self.root, path, |parent, name| {
            let returned = match end {
                End::Remove => Ok(()),
                End::Return(to) => give_back(parent, name, to),
            };
            let removed = remove_tree(parent, name);
            if let Some(aside) = aside {
                rustix::fs::renameat(CWD, aside, parent, name)?;
            }
            returned.and(removed)
        });
        unless_missing(vacated)
    }

    fn missing_directories(&mut self, resolved: &Path) -> io::Result<()> {
        let mut at = PathBuf::new();
        for name in resolved {
            at.push(name);
            if self.root.lstat(&at)?.is_some() {
                continue;
            }
            quietly(&self.root, &at, |parent, name| {
                Ok(rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))?)
            })?;
            self.made.push(Made::Directory(at.clone()));
        }
        Ok(())
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        self.unmake().ok();
    }
}

/// Changes a name of a directory, without a trace in the directory's time of modification.
fn quietly<T>(
    root: &RootDir,
    path: &Path,
    change: impl FnOnce(BorrowedFd<'_>, &OsStr) -> io::Result<T>,
) -> io::Result<T> {
    let (parent, name) = root.parent(path)?;
    let before = modified(&rustix::fs::fstat(&parent)?);
    let result = change(rustix::fd::AsFd::as_fd(&parent), &name);
    set_modified(rustix::fd::AsFd::as_fd(&parent), before)?;
    result
}

/// Sets when a directory was modified.
fn set_modified(directory: BorrowedFd<'_>, time: Timespec) -> io::Result<()> {
    let last_access = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
    let times = Timestamps { last_access, last_modification: time };
    Ok(rustix::fs::utimensat(directory, ".", &times, AtFlags::empty())?)
}

/// Moves a directory back to where it came from; nothing stands there. What the step has put in its
/// place does not get there: the builder would follow a link.
fn give_back(parent: BorrowedFd<'_>, name: &OsStr, to: &Path) -> io::Result<()> {
    let kind = FileType::from_raw_mode(rootdir::stat_at(parent, name)?.st_mode);
    if kind != FileType::Directory {
        return Ok(());
    }
    match rustix::fs::renameat_with(parent, name, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::XDEV) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let copied = rustix::fs::openat(parent, name, flags, Mode::empty())?;
            copy::replace_directory(copied, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes whatever stands at a name, with everything below it.
pub(super) fn remove_tree(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let stat = match rootdir::stat_at(parent, name) {
        Ok(stat) => stat,
        Err(error) if rootdir::is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        fs::remove_dir_all(entry_path(parent, name))
    } else {
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
    }
}

/// A path of the builder's own that names an entry of a directory, whatever its path.
pub(super) fn entry_path(parent: BorrowedFd<'_>, name: &OsStr) -> PathBuf {
    Path::new("/proc/self/fd").join(parent.as_raw_fd().to_string()).join(name)
}

/// Sets the mode of an entry that was just made, whatever the umask.
pub(super) fn set_mode(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<()> {
    fs::set_permissions(entry_path(parent, name), fs::Permissions::from_mode(mode & 0o7777))
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if rootdir::is_missing(&error) => Ok(()),
        other => other,
    }
}

#[expect(clippy::useless_conversion, reason = "the types differ between machines")]
pub(super) fn modified(stat: &Stat) -> Timespec {
    let nanoseconds = stat.st_mtime_nsec.try_into().unwrap_or_default();
    Timespec { tv_sec: stat.st_mtime.into(), tv_nsec: nanoseconds }
}

#[cfg(test)]
mod tests;
