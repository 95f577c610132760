//! Removing a tree, whatever its modes, its depth and the names in it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::rootdir;

/// Removes what stands at a path, with everything beneath it. That nothing stands there is fine.
///
/// A build's tree is hostile: it has directories without permission bits, and is deeper than
/// descriptors, the stack and `PATH_MAX` allow. So nothing recurses: a directory within a directory
/// is first moved up to the top of the tree, and every directory is emptied there. Symbolic links
/// are never followed.
///
/// # Errors
///
/// As `unlink(2)`; a mount beneath the tree is `EBUSY`, and stays.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    match rustix::fs::unlinkat(CWD, path, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // What unlink(2) says of a directory depends on the file system.
        Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
        Err(error) => return Err(error.into()),
    }
    let top = open_writable(CWD.as_fd(), path.as_os_str())?;
    let mut pending: Vec<OsString> = Vec::new();
    for name in rootdir::names(top.as_fd())? {
        if !unlink(&top, &name)? {
            pending.push(name);
        }
    }
    let taken: BTreeSet<OsString> = pending.iter().cloned().collect();
    let mut free = (0_u64..).map(|number| OsString::from(number.to_string()));
    while let Some(name) = pending.pop() {
        let dir = open_writable(top.as_fd(), &name)?;
        for inner in rootdir::names(dir.as_fd())? {
            if unlink(&dir, &inner)? {
                continue;
            }
            // Changing what `..` leads to is writing to the moved directory.
            drop(open_writable(dir.as_fd(), &inner)?);
            let moved = free.find(|name| !taken.contains(name)).expect("numbers do not run out");
            rustix::fs::renameat(&dir, &inner, &top, &moved)?;
            pending.push(moved);
        }
        rustix::fs::unlinkat(&top, &name, AtFlags::REMOVEDIR)?;
    }
    Ok(rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Removes a name that is no directory that has entries. False if it is one.
fn unlink(dir: &OwnedFd, name: &OsStr) -> io::Result<bool> {
    let stat = rootdir::stat_at(dir.as_fd(), name)?;
    let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let flags = if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match rustix::fs::unlinkat(dir, name, flags) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) if is_dir => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens a directory for reading its names, and lets its owner do everything with it.
fn open_writable(at: rustix::fd::BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(dir) => dir,
        Err(Errno::ACCESS) => {
            // Nothing runs in the tree any more that could put a symbolic link here.
            rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::empty())?;
            rustix::fs::openat(at, name, flags, Mode::empty())?
        }
        Err(error) => return Err(error.into()),
    };
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&dir)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        rustix::fs::fchmod(&dir, mode | Mode::RWXU)?;
    }
    Ok(dir)
}
