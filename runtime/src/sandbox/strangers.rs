//! Devices in what a step sees, where nothing but their absence keeps it from opening them.
//!
//! Mounts of a step's own have no devices, and a container's device cgroup knows those that are
//! harmless. Without either, a step does not get to make any; but an image or a context can bring
//! some along.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::AsFd as _;
use rustix::fs::{Dir, FileType, Stat};

use super::devices::DEVICES;
use super::{SandboxError, StepMount};
use crate::rootdir::{self, RootDir};

/// What is no device, and stands for a file that is gone.
const WHITEOUT: (u32, u32) = (0, 0);

/// What makes pseudo terminals, of which a command has none but its own.
const MULTIPLEXER: (u32, u32) = (5, 2);

/// Refuses a step that would see one.
pub(super) fn refuse(root: &RootDir, mounts: &[StepMount]) -> Result<(), SandboxError> {
    // Another `/dev` takes the place of the root's.
    look(root, "", Some("dev"))?;
    for mount in mounts {
        let opened = match mount {
            StepMount::Bind { from, source, .. } => {
                from.try_clone().map(|from| (RootDir::from_fd(from), source.as_str()))
            }
            StepMount::Cache { directory, .. } => RootDir::open(directory).map(|cache| (cache, "")),
            StepMount::Tmpfs { .. } | StepMount::Secret { .. } | StepMount::Ssh { .. } => continue,
        };
        let (tree, path) = opened.map_err(SandboxError::prepare(LOOK))?;
        look(&tree, path, None)?;
    }
    Ok(())
}

const LOOK: &str = "look for devices";

fn look(tree: &RootDir, path: &str, hidden: Option<&str>) -> Result<(), SandboxError> {
    match find(tree, Path::new(path), hidden) {
        Ok(None) => Ok(()),
        // What is not there is reported when it is laid out.
        Err(error) if rootdir::is_missing(&error) => Ok(()),
        Ok(Some(path)) => Err(SandboxError::Device { path: format!("/{}", path.display()) }),
        Err(error) => Err(SandboxError::prepare(LOOK)(error)),
    }
}

/// Finds a device of the machine at a path of a tree or below it; relative to the tree. What is in
/// the directory `hidden`, a step does not see.
fn find(tree: &RootDir, path: &Path, hidden: Option<&str>) -> io::Result<Option<PathBuf>> {
    let path = tree.resolve(path)?;
    match tree.lstat(&path)? {
        Some(stat) if is_stranger(&stat) => return Ok(Some(path)),
        Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {}
        _ => return Ok(None),
    }
    let mut pending = vec![path];
    while let Some(path) = pending.pop() {
        if hidden.is_some_and(|hidden| path == Path::new(hidden)) {
            continue;
        }
        let directory = tree.open_dir(&path)?;
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let stat = || rootdir::stat_at(directory.as_fd(), name);
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                kind = FileType::from_raw_mode(stat()?.st_mode);
            }
            match kind {
                FileType::Directory => pending.push(path.join(name)),
                FileType::CharacterDevice | FileType::BlockDevice if is_stranger(&stat()?) => {
                    return Ok(Some(path.join(name)));
                }
                FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::RegularFile
                | FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::Unknown => {}
            }
        }
    }
    Ok(None)
}

fn is_stranger(stat: &Stat) -> bool {
    let number = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::BlockDevice => true,
        FileType::CharacterDevice => {
            let known = DEVICES.iter().map(|(_, major, minor)| (*major, *minor));
            !known.chain([MULTIPLEXER, WHITEOUT]).any(|known| known == number)
        }
        FileType::RegularFile
        | FileType::Directory
        | FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::Unknown => false,
    }
}
