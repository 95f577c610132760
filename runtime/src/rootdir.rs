//! A directory that stands for the `/` of an image: paths are resolved beneath it, whatever the
//! symbolic links in it say.
//!
//! `openat2(2)` with `RESOLVE_IN_ROOT` does it where the kernel and the environment's seccomp
//! profile let it; where they do not, a walk of the components with the same result.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;

/// Symbolic links followed before a path counts as a loop (Linux's own bound).
const MAX_LINKS: usize = 40;

/// A directory that paths cannot leave.
#[derive(Debug)]
pub(crate) struct RootDir {
    fd: OwnedFd,
}

impl RootDir {
    /// The directory at a path of the builder's own file system.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// The directory of a descriptor (which may be a detached mount).
    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// A second handle of the same directory.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { fd: self.fd.try_clone()? })
    }

    /// The directory itself, `O_PATH`.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The directory as a mount of its own that is attached nowhere, for `move_mount(2)`.
    ///
    /// # Errors
    ///
    /// As `open_tree(2)`: where nothing can be mounted, and before Linux 6.15 where the directory
    /// itself is of a mount that is attached nowhere.
    pub(crate) fn detached(&self) -> rustix::io::Result<OwnedFd> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH;
        rustix::mount::open_tree(&self.fd, "", flags)
    }

    /// Opens what a path leads to. Every symbolic link is followed within the root, unless
    /// `flags` has `NOFOLLOW`, which spares the last one.
    ///
    /// # Errors
    ///
    /// As `open(2)`. Devices and fifos are opened as asked: use `PATH` unless it is known to be
    /// a file or a directory, as opening a fifo can block.
    pub(crate) fn open_at(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let relative = relative(path);
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.fd, relative, flags, mode, resolve) {
            Ok(fd) => Ok(fd),
            // A seccomp profile that does not know openat2 answers EPERM instead of ENOSYS. And a
            // tree can be deeper than a path that the kernel takes is long.
            Err(Errno::NOSYS | Errno::PERM | Errno::NAMETOOLONG) => {
                self.open_walking(relative, flags, mode)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether something stands at a path without any symbolic link in it or on the way. False also
    /// where that takes more than one call to find out.
    pub(crate) fn has_no_links(&self, path: &Path) -> bool {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.fd, relative(path), flags, Mode::empty(), resolve).is_ok()
    }

    /// Opens a regular file for reading.
    pub(crate) fn open_file(&self, path: &Path) -> io::Result<File> {
        Ok(self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?.into())
    }

    /// Opens a directory for reading its names.
    pub(crate) fn open_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
    }

    /// The directory that holds the last component of a path, and that component's name. The
    /// links on the way are followed, the last component is not looked at.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a path without a last component (the root itself), else as `open(2)`.
    pub(crate) fn parent(&self, path: &Path) -> io::Result<(OwnedFd, OsString)> {
        let relative = relative(path);
        let name = relative.file_name().ok_or(Errno::INVAL)?;
        let parent = relative.parent().unwrap_or(Path::new(""));
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        Ok((self.open_at(parent, flags, Mode::empty())?, name.to_owned()))
    }

    /// What a path leads to, every link followed. None if it does not exist.
    pub(crate) fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.stat_with(path, OFlags::PATH)
    }

    /// What stands at a path, its last link not followed. None if it does not exist.
    pub(crate) fn lstat(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.stat_with(path, OFlags::PATH | OFlags::NOFOLLOW)
    }

    fn stat_with(&self, path: &Path, flags: OFlags) -> io::Result<Option<Stat>> {
        match self.open_at(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(rustix::fs::fstat(fd)?)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a path leads within the root: every link followed, no `.` or `..` left, relative.
    /// Components that do not exist are kept as they are.
    pub(crate) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.walk(relative(path), false).map(|walk| walk.path())
    }

    /// Makes a directory and its missing parents; what exists, also through links, is left alone.
    /// Calls `made` with the path (relative, links resolved) and a descriptor of each directory
    /// that was made, parents first.
    ///
    /// # Errors
    ///
    /// `ENOTDIR` if something on the way is no directory, else as `mkdir(2)`; and what `made`
    /// returns.
    pub(crate) fn create_dir_all(
        &self,
        path: &Path,
        mut made: impl FnMut(&Path, BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let resolved = self.resolve(path)?;
        let mut at = PathBuf::new();
        let mut dir = self.fd.try_clone()?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for name in &resolved {
            at.push(name);
            let created = match rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(error) => return Err(error.into()),
            };
            dir = rustix::fs::openat(&dir, name, flags, Mode::empty())?;
            if created {
                made(&at, dir.as_fd())?;
            }
        }
        Ok(())
    }

    /// As `openat2(2)` with `RESOLVE_IN_ROOT`, for paths of any length.
    fn open_walking(&self, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let walk = self.walk(path, flags.contains(OFlags::NOFOLLOW))?;
        let (dir, name) = match walk.missing.as_slice() {
            [] => walk.last(),
            [name] => (&walk.here, name.as_os_str()),
            [..] => return Err(Errno::NOENT.into()),
        };
        Ok(rustix::fs::openat(dir, name, flags | OFlags::NOFOLLOW, mode)?)
    }

    /// Follows a path component by component, as `RESOLVE_IN_ROOT` does.
    fn walk(&self, path: &Path, keep_last_link: bool) -> io::Result<Walk> {
        let mut pending: Vec<OsString> = components(path);
        let mut walk = Walk::new(self.fd.try_clone()?);
        let mut links = 0;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        while let Some(name) = pending.pop() {
            if name == ".." {
                walk.leave()?;
                continue;
            }
            let opened = if walk.missing.is_empty() {
                rustix::fs::openat(&walk.here, &name, flags, Mode::empty())
            } else {
                Err(Errno::NOENT)
            };
            let fd = match opened {
                Ok(fd) => fd,
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    walk.missing.push(name);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let stat = rustix::fs::fstat(&fd)?;
            let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
            if kind == rustix::fs::FileType::Symlink && !(keep_last_link && pending.is_empty()) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let target = rustix::fs::readlinkat(&fd, "", Vec::new())?;
                let target = Path::new(OsStr::from_bytes(target.as_bytes()));
                if target.is_absolute() {
                    walk = Walk::new(self.fd.try_clone()?);
                }
                pending.extend(components(target));
            } else {
                walk.enter(name, fd)?;
            }
        }
        Ok(walk)
    }
}

/// Where a walk is. Two descriptors are open, however deep that is.
struct Walk {
    /// What `names` lead to; a directory, unless a walk ends there.
    here: OwnedFd,
    /// What holds it. None at the root, and after a step up.
    above: Option<OwnedFd>,
    names: Vec<OsString>,
    /// Device and inode of the directories that hold each of `names`.
    trail: Vec<(u64, u64)>,
    /// The components from the first on that does not exist.
    missing: Vec<OsString>,
}

impl Walk {
    fn new(root: OwnedFd) -> Self {
        let (names, trail, missing) = Default::default();
        Self { here: root, above: None, names, trail, missing }
    }

    fn enter(&mut self, name: OsString, fd: OwnedFd) -> io::Result<()> {
        self.trail.push(identity(&self.here)?);
        self.names.push(name);
        self.above = Some(std::mem::replace(&mut self.here, fd));
        Ok(())
    }

    /// Goes up, but not above the root.
    fn leave(&mut self) -> io::Result<()> {
        if self.missing.pop().is_some() {
            return Ok(());
        }
        let Some(expected) = self.trail.pop() else { return Ok(()) };
        self.names.pop();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.here = match self.above.take() {
            Some(above) => above,
            None => rustix::fs::openat(&self.here, "..", flags, Mode::empty())?,
        };
        // A directory that was moved meanwhile may lead out of the root.
        if identity(&self.here)? == expected { Ok(()) } else { Err(Errno::XDEV.into()) }
    }

    /// A directory, and the name in it that the walk led to; `.` is itself.
    fn last(&self) -> (&OwnedFd, &OsStr) {
        match (&self.above, self.names.last()) {
            (Some(above), Some(name)) => (above, name),
            _ => (&self.here, OsStr::new(".")),
        }
    }

    /// The whole path, relative.
    fn path(&self) -> PathBuf {
        self.names.iter().chain(&self.missing).collect()
    }
}

fn identity(fd: &OwnedFd) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Whether an error says that a path does not exist.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A path without its leading `/`; the root itself is `.`.
fn relative(path: &Path) -> &Path {
    let relative = path.strip_prefix("/").unwrap_or(path);
    if relative.as_os_str().is_empty() { Path::new(".") } else { relative }
}

/// The components in **reverse**, `..` kept, everything else that is no name dropped.
pub(crate) fn components(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect()
}

/// The names in a directory, sorted bytewise, without `.` and `..`.
///
/// `dir` must be open for reading (not `O_PATH`).
pub(crate) fn names(dir: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// What stands at a name of a directory, links not followed.
pub(crate) fn stat_at(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
    Ok(rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests;
