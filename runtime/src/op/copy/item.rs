//! One thing that is no directory, copied.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode};

use super::error::CopyError;
use super::shown;
use crate::cancel;
use crate::content::Means;
use crate::context::source::Owners;
use crate::layer::entry::{Entry, Kind, Time};
use crate::layer::metadata::{RefusedXattr, apply_what_is_allowed, entry_at};
use crate::op::chmod::Change;
use crate::op::refused::Refused;

/// What copies look like where they differ from their sources.
#[derive(Debug)]
pub(super) struct Look {
    /// `--chown`.
    pub owner: Option<(u32, u32)>,
    /// `--chmod`.
    pub mode: Option<Change>,
    /// The time that all have.
    pub mtime: Option<Time>,
}

/// A directory that is read and the one it is copied to.
#[derive(Debug)]
pub(super) struct Pair {
    /// Open for looking up names.
    pub source: OwnedFd,
    /// Open for looking up names.
    pub target: OwnedFd,
    /// Whose the source's files are.
    pub owners: Owners,
}

/// One thing to copy. Nothing stands at its target.
#[derive(Debug)]
pub(super) struct Item {
    /// The directories it is in.
    pub pair: Arc<Pair>,
    /// Where it is in the tree.
    pub from: PathBuf,
    /// Where it goes in the root.
    pub to: PathBuf,
}

impl Look {
    /// Reads a name of a source as what its copy will be. None for a socket.
    pub(super) fn entry(
        &self,
        source: BorrowedFd<'_>,
        name: &OsStr,
        owners: Owners,
        path: PathBuf,
    ) -> io::Result<Option<Entry>> {
        let Some(mut entry) = entry_at(source, name, path)? else { return Ok(None) };
        match (self.owner, owners) {
            (Some(owner), _) => (entry.uid, entry.gid) = owner,
            (None, Owners::Root) => (entry.uid, entry.gid) = (0, 0),
            (None, Owners::Kept) => {}
        }
        if let Some(change) = &self.mode
            && !matches!(entry.kind, Kind::Symlink { .. })
        {
            entry.mode = change.apply(entry.mode, entry.kind == Kind::Directory);
        }
        entry.mtime = self.mtime.unwrap_or(entry.mtime);
        Ok(Some(entry))
    }
}

impl Item {
    /// Copies it, with everything the file system keeps about it.
    pub(super) fn copy(
        &self,
        look: &Look,
        means: &Means<'_>,
        refused: &Refused,
    ) -> Result<(), CopyError> {
        let copied = self.try_copy(look, means).map_err(|source| self.failed(source))?;
        refused.note(&self.to, copied);
        Ok(())
    }

    /// The error of a failed copy.
    pub(super) fn failed(&self, source: io::Error) -> CopyError {
        if cancel::is_cancelled(&source) {
            return CopyError::Cancelled;
        }
        CopyError::Copy { from: shown(&self.from), to: shown(&self.to), source }
    }

    /// The name it will have.
    pub(super) fn name(&self) -> &OsStr {
        self.to.file_name().expect("only a directory can be copied to the root itself")
    }

    fn try_copy(&self, look: &Look, means: &Means<'_>) -> io::Result<Vec<RefusedXattr>> {
        let (source, target) = (self.pair.source.as_fd(), self.pair.target.as_fd());
        let from = self.from.file_name().expect("a tree's root is a directory");
        let to = self.name();
        let entry = look.entry(source, from, self.pair.owners, self.to.clone())?;
        let Some(entry) = entry else { return Ok(Vec::new()) };
        let node = |kind, (major, minor)| {
            let device = rustix::fs::makedev(major, minor);
            rustix::fs::mknodat(target, to, kind, Mode::from_raw_mode(0o600), device)
        };
        match &entry.kind {
            Kind::File { .. } => means.copy((source, from), (target, to))?,
            Kind::Symlink { target: text } => {
                rustix::fs::symlinkat(text.as_os_str().as_bytes(), target, to)?;
            }
            Kind::CharDevice { device } => node(FileType::CharacterDevice, *device)?,
            Kind::BlockDevice { device } => node(FileType::BlockDevice, *device)?,
            Kind::Fifo => node(FileType::Fifo, (0, 0))?,
            Kind::Directory | Kind::Hardlink { .. } | Kind::Whiteout => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
        apply_what_is_allowed(target, to, &entry)
    }
}
