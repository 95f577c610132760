//! Mounts as descriptors: made detached, attached at a path of a root.

use std::io;
use std::path::Path;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};

use super::spec::{Failure, Stage as _};
use super::sys;
use crate::rootdir::{self, RootDir};

/// What everything that is no root file system gets.
pub(super) const PLAIN: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID
    .union(MountAttrFlags::MOUNT_ATTR_NODEV)
    .union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// A new file system, attached nowhere. An option without a value is a flag.
pub(super) fn new(
    kind: &str,
    options: &[(&str, Option<&str>)],
    attributes: MountAttrFlags,
) -> io::Result<OwnedFd> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    // What `mount` and `df` call it.
    rustix::mount::fsconfig_set_string(&context, "source", kind)?;
    for (key, value) in options {
        match value {
            Some(value) => rustix::mount::fsconfig_set_string(&context, *key, *value)?,
            None => rustix::mount::fsconfig_set_flag(&context, *key)?,
        }
    }
    rustix::mount::fsconfig_create(&context)?;
    Ok(rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// A second mount of what is at a path (and of everything mounted below), attached nowhere.
///
/// Recursive because a part of a tree with mounts of a more privileged namespace cannot be had
/// without them: what they hide would come to light.
pub(super) fn clone(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

/// [`clone`] of what a descriptor is open on.
pub(super) fn clone_fd(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(rustix::mount::open_tree(fd, "", flags)?)
}

/// Attaches a detached mount on what a descriptor is open on.
pub(super) fn attach_fd(mount: BorrowedFd<'_>, on: BorrowedFd<'_>) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(mount, "", on, "", flags)?)
}

/// Attaches a detached mount at a path of the builder's own.
pub(super) fn attach(mount: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(rustix::mount::move_mount(mount, "", CWD, path, flags)?)
}

/// Makes a detached mount, and with `recursive` those below it, read-only.
pub(super) fn make_readonly(mount: BorrowedFd<'_>, recursive: bool) -> io::Result<()> {
    sys::set_mount_attributes(mount, recursive, MountAttrFlags::MOUNT_ATTR_RDONLY)
}

/// Keeps devices on a detached mount, and on those below it, from being opened: any number can be
/// given to one by who may make devices, and by the layers of a base image.
pub(super) fn forbid_devices(mount: BorrowedFd<'_>) -> io::Result<()> {
    sys::set_mount_attributes(mount, true, MountAttrFlags::MOUNT_ATTR_NODEV)
}

/// Attaches a mount at a path of a root; what has to be there for it to stand on is made.
///
/// The builder has made what is missing in the root itself, and removes it again. What is made
/// here lies in other mounts of the step.
pub(super) fn place(root: &RootDir, target: &str, mount: BorrowedFd<'_>) -> Result<(), Failure> {
    let attached = || -> io::Result<()> {
        let path = Path::new(target);
        let is_directory = is_directory(&rustix::fs::fstat(mount)?);
        if is_directory {
            make_dir(root, path)?;
        } else {
            make_file(root, path)?;
        }
        let on = root.open_at(path, OFlags::PATH, Mode::empty())?;
        fits(is_directory, &rustix::fs::fstat(&on)?)?;
        attach_fd(mount, on.as_fd())
    };
    attached().stage(&format!("mount `{target}`"))
}

/// Refuses to put a directory on a file, or a file on a directory; the kernel says less about it.
pub(super) fn fits(is_directory: bool, on: &Stat) -> io::Result<()> {
    match (is_directory, self::is_directory(on)) {
        (true, false) => Err(Errno::NOTDIR.into()),
        (false, true) => Err(Errno::ISDIR.into()),
        (true, true) | (false, false) => Ok(()),
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Makes a directory where none is.
pub(super) fn make_dir(root: &RootDir, path: &Path) -> io::Result<()> {
    if root.stat(path)?.is_some() {
        return Ok(());
    }
    root.create_dir_all(path, |_, _| Ok(()))
}

/// Makes an empty file where nothing is.
pub(super) fn make_file(root: &RootDir, path: &Path) -> io::Result<()> {
    if root.stat(path)?.is_some() {
        return Ok(());
    }
    let resolved = root.resolve(path)?;
    if let Some(parent) = resolved.parent() {
        root.create_dir_all(parent, |_, _| Ok(()))?;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW;
    root.open_at(&resolved, flags, Mode::from_raw_mode(0o644))?;
    Ok(())
}

/// Makes a symbolic link, unless something stands there.
pub(super) fn make_link(root: &RootDir, path: &Path, target: &str) -> io::Result<()> {
    let (parent, name) = root.parent(path)?;
    match rustix::fs::symlinkat(target, parent, name) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether something does not exist, as an answer rather than an error.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if rootdir::is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
