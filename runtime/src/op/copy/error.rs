//! Why files could not be copied.

use std::io;
use std::path::PathBuf;

use crate::cancel::Cancelled;
use crate::layer::LayerError;
use crate::op::chmod::ModeError;
use crate::users::UserError;
use ir::pattern::PatternError;

/// Why files could not be copied. Paths are absolute within their tree or root.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A source is not there.
    #[error("cannot copy `{}`: no such file or directory", path.display())]
    Missing {
        /// The source.
        path: PathBuf,
    },
    /// A source is there, but hidden.
    #[error("cannot copy `{}`: `.dockerignore` excludes it", path.display())]
    Ignored {
        /// The source.
        path: PathBuf,
    },
    /// A pattern of a source or of `--exclude` is malformed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// `--chmod` is malformed.
    #[error("cannot use `--chmod`")]
    Mode(#[from] ModeError),
    /// `--chown` names nobody.
    #[error("cannot use `--chown`")]
    Owner(#[from] UserError),
    /// A directory was to go where something else is.
    #[error(
        "cannot copy directory `{}` to `{}`, which is no directory",
        from.display(),
        to.display()
    )]
    NotDirectory {
        /// What was to be copied.
        from: PathBuf,
        /// What is in the way.
        to: PathBuf,
    },
    /// Something else was to go where a directory is.
    #[error(
        "cannot copy `{}` to `{}`, which is a directory",
        from.display(),
        to.display()
    )]
    IsDirectory {
        /// What was to be copied.
        from: PathBuf,
        /// What is in the way.
        to: PathBuf,
    },
    /// A source could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The source.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The destination could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The destination.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be copied.
    #[error("cannot copy `{}` to `{}`", from.display(), to.display())]
    Copy {
        /// The source.
        from: PathBuf,
        /// The destination.
        to: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive could not be unpacked.
    #[error("cannot unpack `{}`", path.display())]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: LayerError,
    },
    /// The build was cancelled.
    #[error("cannot go on copying: the build was cancelled")]
    Cancelled,
}

impl From<Cancelled> for CopyError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
