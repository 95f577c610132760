//! Removing a directory with everything in it, whatever its modes and its depth.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::rootdir::names;

/// Directories nested deeper are moved to the top before they are cleared, so that neither the
/// stack nor the number of open descriptors grows with the tree.
const DEEPEST: usize = 64;

/// Removes what stands at a path, with everything beneath it. That nothing stands there is fine. A
/// symbolic link is not followed, and another file system is not entered.
///
/// # Errors
///
/// The first refusal; what could be removed before it is.
pub(crate) fn tree(path: &Path) -> io::Result<()> {
    at(CWD, path.as_os_str())
}

/// As [`tree()`], for a name in a directory.
pub(crate) fn at(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says EISDIR for a directory, POSIX EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let (top, device) = open(parent, name, None)?;
    let removal = Removal { top: top.as_fd(), device, moved: AtomicU64::new(0) };
    loop {
        let before = removal.moved.load(Ordering::Relaxed);
        removal.clear(top.as_fd(), 0)?;
        if removal.moved.load(Ordering::Relaxed) == before {
            return Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?);
        }
    }
}

struct Removal<'a> {
    top: BorrowedFd<'a>,
    /// The file system that it is on.
    device: u64,
    moved: AtomicU64,
}

impl Removal<'_> {
    /// Removes what is in a directory.
    fn clear(&self, dir: BorrowedFd<'_>, depth: usize) -> io::Result<()> {
        let mut subdirectories = Vec::new();
        for name in names(dir)? {
            match rustix::fs::unlinkat(dir, &name, AtFlags::empty()) {
                Ok(()) => {}
                Err(Errno::ISDIR) => subdirectories.push(name),
                Err(error) => return Err(error.into()),
            }
        }
        subdirectories.into_par_iter().try_for_each(|name| self.remove(dir, &name, depth + 1))
    }

    /// Removes a directory.
    fn remove(&self, parent: BorrowedFd<'_>, name: &OsStr, depth: usize) -> io::Result<()> {
        match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY) => {}
            done => return Ok(done?),
        }
        if depth > DEEPEST {
            return self.move_to_top(parent, name);
        }
        let (dir, _) = open(parent, name, Some(self.device))?;
        self.clear(dir.as_fd(), depth)?;
        Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
    }

    fn move_to_top(&self, parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        // Another parent means another `..`, which is a write to the directory.
        rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
        loop {
            let number = self.moved.fetch_add(1, Ordering::Relaxed);
            let at_top = OsString::from(format!("moved-{number}"));
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(parent, name, self.top, &at_top, flags) {
                Err(Errno::EXIST) => {}
                done => return Ok(done?),
            }
        }
    }
}

/// Opens a directory for reading and clearing it, whatever its mode says about its owner. Also
/// returns the device it is on, which is to be `device`.
fn open(parent: BorrowedFd<'_>, name: &OsStr, device: Option<u64>) -> io::Result<(OwnedFd, u64)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            rustix::fs::openat(parent, name, flags, Mode::empty())?
        }
        opened => opened?,
    };
    let stat = rustix::fs::fstat(&dir)?;
    if device.is_some_and(|device| device != stat.st_dev) {
        return Err(Errno::XDEV.into());
    }
    if !Mode::from_raw_mode(stat.st_mode).contains(Mode::RWXU) {
        rustix::fs::fchmod(&dir, Mode::RWXU)?;
    }
    Ok((dir, stat.st_dev))
}
