//! `WORKDIR`: a directory made in a root.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::op::MkdirOp;

use crate::context::source::cleaned;
use crate::layer::entry::Time;
use crate::op::directories::{Directories, Plain};
use crate::rootdir::RootDir;
use crate::users::UserError;

/// Why a directory could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MkdirError {
    /// The config's user is not in the root.
    #[error("cannot tell who owns `{}`", path.display())]
    Owner {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: UserError,
    },
    /// It, or one of its parents, could not be made.
    #[error("cannot make directory `{}`", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes a directory and its missing parents: 0755, the user's, and as of `now`. What exists, also
/// through links, is left alone.
pub(crate) fn mkdir(op: &MkdirOp, root: &RootDir, now: Time) -> Result<(), MkdirError> {
    let shown = || Path::new("/").join(&op.path);
    let (uid, gid) = match op.owner.as_str() {
        "" => (0, 0),
        owner => crate::users::owner(root, owner)
            .map_err(|source| MkdirError::Owner { path: shown(), source })?,
    };
    let failed = |source| MkdirError::Make { path: shown(), source };
    let path = root.resolve(&cleaned(Path::new(&op.path))).map_err(failed)?;
    let mut directories = Directories::new(root, Arc::default());
    directories.make_all(&path, Plain { mode: 0o755, uid, gid, mtime: now }).map_err(failed)?;
    directories.settle().map_err(|(_, source)| failed(source))
}

#[cfg(test)]
mod tests;
