//! Why an entry was not brought to a root.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::layer::LayerError;
use crate::layer::path::PathError;
use crate::layer::tar_read::TarError;

/// Why an entry was not brought to a root; what it is called is added outside.
pub(super) enum Failure {
    Path(PathError),
    Archive(TarError),
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Path(error.into())
    }
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::Path(error.into())
    }
}

impl From<TarError> for Failure {
    fn from(error: TarError) -> Self {
        Self::Archive(error)
    }
}

impl Failure {
    /// The failure of an entry, by the name that it has in the archive.
    pub(super) fn named(self, entry: &Path) -> LayerError {
        let entry = entry.to_owned();
        match self {
            Self::Path(PathError::Escapes(reason)) => LayerError::Escapes { entry, reason },
            Self::Path(PathError::Io(source)) => LayerError::Extract { entry, source },
            Self::Archive(error) => LayerError::Read(error),
        }
    }
}
