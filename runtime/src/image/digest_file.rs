//! The file that holds the digest of the image for whoever comes after the build.

use std::fs;
use std::path::Path;

use ir::Digest;

use super::{ExportError, partial};

/// Writes `sha256:…` to a file, without a line end. Makes the directories above it.
pub fn write(to: &Path, digest: &Digest) -> Result<(), ExportError> {
    let error = |source| ExportError::Write { to: to.to_owned(), source };
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(error)?;
    }
    partial::write(to, digest.to_string().as_bytes()).map_err(error)
}
