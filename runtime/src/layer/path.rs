//! The one place that decides which names of an archive are let in.
//!
//! - A `..` in the name of an entry or in the target of a hard link is an error, even where it
//!   would stay inside: no tool writes one, and tools disagree about what it means.
//! - An absolute name counts from the directory that is unpacked to, as with `tar(1)`: other
//!   builders write them into layers (ko the names of files, kaniko in Go the targets of hard
//!   links), and every container engine takes them so.
//! - The target of a symbolic link is never judged; links may point anywhere. Where a link stands
//!   in the *parent* of an entry, it is followed within the root: an absolute one (`/var/run ->
//!   /run`) starts at the root. One whose `..` lead above the root is an error: it is there to
//!   make an extractor write outside.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::rootdir::{RootDir, components, is_missing};

/// Directories in a path. The system calls take 4,095 bytes of one, and what is deeper is reached step
/// by step: so the cost of a path is the square of its depth.
const MAX_DEPTH: usize = 2048;

/// Symbolic links followed before a path counts as a loop (Linux's own bound).
const MAX_LINKS: usize = 40;

/// Why a path is not let in.
#[derive(Debug)]
pub(crate) enum PathError {
    /// It leaves the root; in which way.
    Escapes(String),
    /// It cannot be looked up.
    Io(io::Error),
}

impl From<io::Error> for PathError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for PathError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// An archive's name as a path of names only; empty for the root.
pub(crate) fn inside(name: &Path) -> Result<PathBuf, PathError> {
    let mut path = PathBuf::new();
    let mut depth = 0;
    for component in name.components() {
        match component {
            Component::Normal(_) if depth == MAX_DEPTH => return Err(Errno::NAMETOOLONG.into()),
            Component::Normal(name) => {
                depth += 1;
                path.push(name);
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            // `../../etc/passwd`, as a name or as what a hard link gives a second name.
            Component::ParentDir => {
                return Err(escapes(format!("`{}` has a `..`", name.display())));
            }
        }
    }
    Ok(path)
}

/// Where a path of names leads within the root: its links followed, missing components kept.
pub(crate) fn resolve(root: &RootDir, path: &Path) -> Result<PathBuf, PathError> {
    let mut pending = components(path);
    let mut resolved = PathBuf::new();
    let mut links = 0;
    while let Some(name) = pending.pop() {
        if name == ".." {
            // `link -> ../../..` and then `link/etc/passwd`.
            if !resolved.pop() {
                let path = path.display();
                return Err(escapes(format!("a link in `{path}` leads out of the root")));
            }
            continue;
        }
        resolved.push(name);
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        let found = match root.open_at(&resolved, flags, Mode::empty()) {
            Ok(found) => found,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        let mode = rustix::fs::fstat(&found)?.st_mode;
        if FileType::from_raw_mode(mode) != FileType::Symlink {
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = rustix::fs::readlinkat(&found, "", Vec::new())?;
        let target = Path::new(OsStr::from_bytes(target.as_bytes()));
        if target.is_absolute() {
            resolved.clear();
        } else {
            resolved.pop();
        }
        pending.extend(components(target));
    }
    Ok(resolved)
}

fn escapes(reason: String) -> PathError {
    PathError::Escapes(reason)
}
