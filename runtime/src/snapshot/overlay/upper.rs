//! Reading a change set from the upper directory of an overlay.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::Stat;
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use crate::layer::entry::{Entry, Kind};
use crate::layer::metadata::is_absent;
use crate::rootdir::{RootDir, names, stat_at};
use crate::snapshot::changes::{
    Candidate, assemble, same_but_time, same_content, same_metadata, shared_inode,
};
use crate::snapshot::walk::{by_level, present_at};
use crate::snapshot::{SnapshotError, cannot_inside};
use links::Linked;

/// The mark of a directory that hides what lower directories have at its path.
const OPAQUE: &str = "user.overlay.opaque";

mod links;

/// What an upper directory changes in what is below it.
pub(super) struct Changes {
    pub entries: Vec<Entry>,
    /// Whether there are files among them that the upper directory does not have.
    pub below: bool,
}

/// What the upper directory `upper` changes in `parent`.
pub(super) fn changes(
    upper: &RootDir,
    parent: &RootDir,
    cancel: &CancellationToken,
) -> Result<Changes, SnapshotError> {
    let start = Node { path: PathBuf::new(), in_parent: true, opaque: false };
    let parts = by_level(cancel, start, |node| {
        visit(upper, parent, &node, cancel)
            .map_err(cannot_inside("find what changed in", &node.path))
    })?;
    let mut found = Found::default();
    for part in parts {
        found.candidates.extend(part.candidates);
        found.deleted.extend(part.deleted);
        found.linked.extend(part.linked);
    }
    let below = links::rejoin(upper, parent, &mut found, cancel)?;
    found.candidates.extend(root(upper, parent).map_err(cannot_inside("read", Path::new("")))?);
    Ok(Changes { entries: assemble(found.candidates, found.deleted), below })
}

/// A directory of the upper directory.
struct Node {
    path: PathBuf,
    /// Whether the parent has a directory at its path.
    in_parent: bool,
    /// Whether it is known to hide what the parent has in it, because a directory above does.
    opaque: bool,
}

#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    deleted: Vec<PathBuf>,
    linked: Vec<Linked>,
}

fn visit(
    upper: &RootDir,
    parent: &RootDir,
    node: &Node,
    cancel: &CancellationToken,
) -> io::Result<(Found, Vec<Node>)> {
    let upper = upper.open_dir(&node.path)?;
    // All components of the path are directories in the parent: no link is followed.
    let parent = node.in_parent.then(|| parent.open_dir(&node.path)).transpose()?;
    let opaque = node.opaque || is_opaque(upper.as_fd())?;
    let names = names(upper.as_fd())?;
    let mut found = Found::default();
    if let (true, Some(parent)) = (opaque, &parent) {
        found.deleted = hidden(&node.path, &names, parent)?;
    }
    let mut subdirectories = Vec::new();
    for name in names {
        let path = node.path.join(&name);
        let before = match &parent {
            Some(parent) => present_at(parent.as_fd(), &name, path.clone())?,
            None => None,
        };
        let Some((entry, stat)) = present_at(upper.as_fd(), &name, path.clone())? else {
            found.deleted.extend(before.map(|_| path));
            continue;
        };
        if let Some((before, stat)) = &before
            && let (Some(inode), Kind::File { .. }) = (shared_inode(before, stat), &entry.kind)
        {
            found.linked.push(Linked { path: path.clone(), inode, links: link_count(stat) });
        }
        let before = before.map(|(entry, _)| entry);
        if entry.kind == Kind::Directory {
            let in_parent = before.as_ref().is_some_and(|before| before.kind == Kind::Directory);
            subdirectories.push(Node { path, in_parent, opaque });
        }
        let unchanged = match (&before, &parent) {
            (Some(before), Some(parent)) => {
                same_metadata(&entry, before)
                    && (!matches!(entry.kind, Kind::File { .. })
                        || same_content((upper.as_fd(), &name), (parent.as_fd(), &name), cancel)?)
            }
            _ => false,
        };
        let inode = shared_inode(&entry, &stat);
        found.candidates.push(Candidate { entry, inode, changed: !unchanged });
    }
    Ok((found, subdirectories))
}

/// How many names a file has; the type of the field differs between machines.
fn link_count(stat: &Stat) -> u64 {
    #[expect(clippy::useless_conversion, reason = "the types differ between machines")]
    stat.st_nlink.into()
}

/// The root, if it changed.
fn root(upper: &RootDir, parent: &RootDir) -> io::Result<Option<Candidate>> {
    let read = |root: &RootDir| -> io::Result<Option<Entry>> {
        let here = OsStr::new(".");
        Ok(present_at(root.fd(), here, PathBuf::new())?.map(|(entry, _)| entry))
    };
    Ok(match (read(upper)?, read(parent)?) {
        (Some(entry), Some(before)) if !same_but_time(&entry, &before) => {
            Some(Candidate { entry, inode: None, changed: true })
        }
        _ => None,
    })
}

/// What an opaque directory hides: what the parent has in it and the upper directory has not.
fn hidden(path: &Path, present: &[OsString], parent: &OwnedFd) -> io::Result<Vec<PathBuf>> {
    let mut hidden = Vec::new();
    for name in names(parent.as_fd())? {
        if present.binary_search(&name).is_err() && !is_absent(&stat_at(parent.as_fd(), &name)?) {
            hidden.push(path.join(name));
        }
    }
    Ok(hidden)
}

fn is_opaque(dir: BorrowedFd<'_>) -> io::Result<bool> {
    let mut value = [0; 1];
    match rustix::fs::fgetxattr(dir, OPAQUE, &mut value) {
        Ok(length) => Ok(&value[..length] == b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
