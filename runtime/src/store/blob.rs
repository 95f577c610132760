//! Writing a blob: hashed and counted on the way, visible only when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use ir::Digest;
use sha2::{Digest as _, Sha256};

use super::{Store, StoreError};

/// Writes one blob. Dropping it forgets what was written; only [`BlobWriter::finish`] keeps it.
#[derive(Debug)]
pub struct BlobWriter {
    file: File,
    temporary: Temporary,
    hasher: Sha256,
    digest: Digest,
    size: u64,
    written: u64,
    store: Store,
}

/// Removes the file when it is dropped.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already if it was renamed; and the build's end removes the directory it is in.
        std::fs::remove_file(&self.0).ok();
    }
}

impl BlobWriter {
    pub(super) fn create(store: &Store, digest: Digest, size: u64) -> Result<Self, StoreError> {
        let path = store.temporary();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::io("create", &path))?;
        Ok(Self {
            file,
            temporary: Temporary(path),
            hasher: Sha256::new(),
            digest,
            size,
            written: 0,
            store: store.clone(),
        })
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Checks size and digest, and makes the blob visible. Returns where it lies.
    ///
    /// # Errors
    ///
    /// [`StoreError::Size`] and [`StoreError::Digest`] if it is not what was announced.
    pub fn finish(self) -> Result<PathBuf, StoreError> {
        if self.written != self.size {
            return Err(self.wrong_size(self.written));
        }
        let got = Digest::from_bytes(self.hasher.finalize().into());
        if got != self.digest {
            return Err(StoreError::Digest { expected: self.digest, got });
        }
        let path = self.store.blob_path(&self.digest);
        // Another writer may have been faster: then the same bytes take the place of the same.
        std::fs::rename(&self.temporary.0, &path).map_err(StoreError::io("create", &path))?;
        Ok(path)
    }

    fn wrong_size(&self, got: u64) -> StoreError {
        StoreError::Size { digest: self.digest, expected: self.size, got }
    }
}

impl Write for BlobWriter {
    /// # Errors
    ///
    /// As `write(2)`, and a [`StoreError::Size`] in an [`io::Error`] when there are more bytes
    /// than were announced: a registry must not be able to fill the disk.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wanted = self.written.saturating_add(bytes.len() as u64);
        if wanted > self.size {
            return Err(io::Error::other(self.wrong_size(wanted)));
        }
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
