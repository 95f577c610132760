//! Blobs read from files, which may not be what they were when their digest was taken.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ir::Digest;
use sha2::{Digest as _, Sha256};

use super::{ExportError, ImageLayer, LayerSource};
use crate::store::Store;

/// A file with other content than its name says.
#[derive(Debug, thiserror::Error)]
#[error("the file of blob {digest} holds other bytes")]
pub(super) struct Damaged {
    /// The blob.
    digest: Digest,
}

/// Reads a blob and fails at its end, or where it is too long, if it is not the blob.
pub(super) struct Verified<R> {
    inner: R,
    digest: Digest,
    /// Bytes that are still to come.
    left: u64,
    /// None once the end was seen and found right.
    hash: Option<Sha256>,
}

impl<R: Read> Verified<R> {
    /// Size in bytes.
    pub(super) fn new(inner: R, digest: Digest, size: u64) -> Self {
        Self { inner, digest, left: size, hash: Some(Sha256::new()) }
    }

    fn damaged(&self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Damaged { digest: self.digest })
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let Some(hash) = self.hash.as_mut() else { return Ok(read) };
        if read > 0 {
            hash.update(&buffer[..read]);
            let left = self.left.checked_sub(read as u64);
            self.left = left.ok_or_else(|| self.damaged())?;
        } else if !buffer.is_empty() {
            let hash = self.hash.take().map(|hash| Digest::from_bytes(hash.finalize().into()));
            if self.left != 0 || hash != Some(self.digest) {
                return Err(self.damaged());
            }
        }
        Ok(read)
    }
}

impl ImageLayer {
    /// The file that holds the layer, if it is on this machine.
    pub(super) fn file(&self, store: &Store) -> Option<PathBuf> {
        match &self.source {
            LayerSource::Blob(path) => Some(path.clone()),
            LayerSource::Base(_) => store.blob(&self.descriptor.digest, self.descriptor.size),
        }
    }

    /// Opens the layer, to be written to `to`.
    pub(super) fn open(&self, store: &Store, to: &Path) -> Result<Verified<File>, ExportError> {
        let digest = self.descriptor.digest;
        let path = self
            .file(store)
            .ok_or_else(|| ExportError::LayerMissing { to: to.to_owned(), digest })?;
        let file = File::open(path).map_err(|source| ExportError::ReadLayer {
            to: to.to_owned(),
            digest,
            source,
        })?;
        Ok(Verified::new(file, digest, self.descriptor.size))
    }
}
