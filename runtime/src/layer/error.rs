//! What can go wrong between a tree and a layer.

use std::io;
use std::path::PathBuf;

use crate::cancel::Cancelled;
use crate::layer::tar_read::TarError;

/// Why a layer could not be made or unpacked.
///
/// A full disk shows as [`io::ErrorKind::StorageFull`] in the chain of sources; see
/// [`LayerError::is_storage_full`].
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A path of a change set cannot be put into an archive.
    #[error("cannot archive `{}`", entry.display())]
    Archive {
        /// Which one.
        entry: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not as long as its entry says, so it changes while it is archived.
    #[error(
        "cannot archive `{}`: it is {expected} bytes long in the change set, but {found} were read",
        entry.display()
    )]
    SizeChanged {
        /// Which one.
        entry: PathBuf,
        /// Bytes its entry promises.
        expected: u64,
        /// Bytes there are; one more than expected stands for any longer file.
        found: u64,
    },
    /// The archive itself cannot be written.
    #[error("cannot write layer `{}`", path.display())]
    Write {
        /// Where it goes.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The compression level is none of the format's.
    #[error("cannot compress with {format} level {level}: levels are {lowest} to {highest}")]
    Level {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// As asked for.
        level: i64,
        /// The format's first.
        lowest: i64,
        /// The format's last.
        highest: i64,
    },
    /// The archive is damaged, or cannot be read.
    #[error("cannot read layer archive")]
    Read(#[from] TarError),
    /// An entry has a name or a link that leaves the root.
    #[error("cannot extract `{}`: {reason}", entry.display())]
    Escapes {
        /// As the archive names it.
        entry: PathBuf,
        /// In which way.
        reason: String,
    },
    /// An entry cannot be brought to the file system.
    #[error("cannot extract `{}`", entry.display())]
    Extract {
        /// As the archive names it.
        entry: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are more entries than are allowed.
    #[error(
        "cannot extract `{}`: there are more than {limit} entries; allow more with \
         `--unpack-limit entries=N`",
        entry.display()
    )]
    TooManyEntries {
        /// The first one too many.
        entry: PathBuf,
        /// As many are allowed.
        limit: u64,
    },
    /// The build was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for LayerError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl LayerError {
    /// Whether the reason is that no space is left.
    pub fn is_storage_full(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            {
                return true;
            }
            cause = error.source();
        }
        false
    }
}
