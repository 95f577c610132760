//! From a change set to a blob, in one pass: the entries' files are read, archived, hashed,
//! compressed and hashed again while they stream by. Memory does not grow with the layer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::{DiffId, Digest};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::layer::LayerError;
use crate::layer::entry::{Entry, Kind};
use crate::layer::gzip::ParallelGzip;
use crate::layer::pipe::{CHUNK, DigestThread};
use crate::layer::tar_write::{AppendError, TarWriter};
use crate::rootdir::RootDir;
use crate::snapshot::ChangeSet;

/// How a layer's archive is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// `application/vnd.oci.image.layer.v1.tar+gzip`.
    Gzip {
        /// 0 (stored) to 9 (smallest).
        level: u32,
    },
    /// `application/vnd.oci.image.layer.v1.tar+zstd`.
    Zstd {
        /// 1 to 22; also negative, for speed.
        level: i32,
    },
    /// `application/vnd.oci.image.layer.v1.tar`.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Gzip { level: 6 }
    }
}

/// A layer's blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Of the archive before compression.
    pub diff_id: DiffId,
    /// Of the blob.
    pub digest: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// Bytes of the archive before compression.
    pub uncompressed: u64,
    /// How it is stored.
    pub compression: Compression,
    /// Where the blob is.
    pub path: PathBuf,
}

/// Most zstd workers: each has its own window.
const MAX_ZSTD_WORKERS: usize = 8;

/// Writes a change set's blob to `to`, which is removed again if that fails. `progress` is given
/// the uncompressed bytes so far.
///
/// The same change set gives the same bytes for any number of threads. Compression runs on the
/// current rayon pool (gzip) or threads of its own (zstd).
pub(crate) fn pack(
    changes: &ChangeSet,
    compression: Compression,
    to: &Path,
    cancel: &CancellationToken,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Layer, LayerError> {
    check_level(compression)?;
    let file = File::create(to).map_err(|source| write_error(to, source))?;
    let packed = Fanout::new(Compressor::new(file, compression), cancel, progress)
        .map_err(|source| write_error(to, source))
        .and_then(|out| archive(changes, out, to));
    match packed {
        Ok((diff_id, uncompressed, blob)) => {
            // What is stored as it is has one digest; it was computed once.
            let hash = blob.hash.map(|hash| Digest::from_bytes(hash.finalize().into()));
            Ok(Layer {
                diff_id: DiffId(diff_id),
                digest: hash.unwrap_or(diff_id),
                size: blob.size,
                uncompressed,
                compression,
                path: to.to_owned(),
            })
        }
        Err(error) => {
            // The error that led here matters more than one of removing.
            let _ignored = std::fs::remove_file(to);
            Err(error)
        }
    }
}

/// The digest and size of the archive, and its blob.
fn archive(
    changes: &ChangeSet,
    out: Fanout<'_>,
    to: &Path,
) -> Result<(Digest, u64, Blob), LayerError> {
    let mut tar = TarWriter::new(out);
    for entry in &changes.entries {
        append(&mut tar, entry, &changes.content, to)?;
    }
    let out = tar.finish().map_err(|source| write_error(to, source))?;
    out.finish().map_err(|source| write_error(to, source))
}

fn append(
    tar: &mut TarWriter<Fanout<'_>>,
    entry: &Entry,
    content: &RootDir,
    to: &Path,
) -> Result<(), LayerError> {
    let at_fault = |source| LayerError::Archive { entry: entry.path.clone(), source };
    let (mut reader, expected): (Box<dyn Read>, u64) = match entry.kind {
        Kind::File { size } => {
            // An entry is the file itself: a link in its place is none of the change set.
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
            let file = content.open_at(&entry.path, flags, Mode::empty()).map_err(at_fault)?;
            (Box::new(File::from(file)), size)
        }
        Kind::Hardlink { .. }
        | Kind::Directory
        | Kind::Symlink { .. }
        | Kind::CharDevice { .. }
        | Kind::BlockDevice { .. }
        | Kind::Fifo
        | Kind::Whiteout => (Box::new(io::empty()), 0),
    };
    tar.append(entry, &mut reader).map_err(|error| match error {
        AppendError::Write(source) => write_error(to, source),
        AppendError::Entry(source) => at_fault(source),
        AppendError::Size { found } => {
            LayerError::SizeChanged { entry: entry.path.clone(), expected, found }
        }
    })
}

/// Errors of writing are what the disk says, or that the build was cancelled.
fn write_error(path: &Path, source: io::Error) -> LayerError {
    if cancel::is_cancelled(&source) {
        return LayerError::Cancelled;
    }
    LayerError::Write { path: path.to_owned(), source }
}

/// Hands the archive to the hash of the diff id and to the compression, chunk by chunk.
struct Fanout<'a> {
    chunk: Vec<u8>,
    written: u64,
    digest: DigestThread,
    compressor: Compressor,
    cancel: &'a CancellationToken,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl<'a> Fanout<'a> {
    fn new(
        compressor: io::Result<Compressor>,
        cancel: &'a CancellationToken,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> io::Result<Self> {
        Ok(Self {
            chunk: Vec::with_capacity(CHUNK),
            written: 0,
            digest: DigestThread::start()?,
            compressor: compressor?,
            cancel,
            progress,
        })
    }

    fn hand_over(&mut self) -> io::Result<()> {
        cancel::check(self.cancel)?;
        let chunk = Arc::new(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK)));
        self.written += chunk.len() as u64;
        self.digest.update(Arc::clone(&chunk));
        self.compressor.write_all(&chunk)?;
        (self.progress)(self.written);
        Ok(())
    }

    /// The archive's digest and size, and the blob.
    fn finish(mut self) -> io::Result<(Digest, u64, Blob)> {
        self.hand_over()?;
        let blob = self.compressor.finish()?;
        Ok((self.digest.finish()?, self.written, blob))
    }
}

impl Write for Fanout<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&data[..taken]);
        if self.chunk.len() == CHUNK {
            self.hand_over()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Compressor {
    Gzip(ParallelGzip<Blob>),
    Zstd(zstd::stream::write::Encoder<'static, Blob>),
    None(Blob),
}

impl Compressor {
    fn new(file: File, compression: Compression) -> io::Result<Self> {
        let blob = |hash| Blob { file, size: 0, hash };
        Ok(match compression {
            Compression::Gzip { level } => {
                Self::Gzip(ParallelGzip::new(blob(Some(Sha256::new())), level)?)
            }
            Compression::Zstd { level } => {
                let mut encoder =
                    zstd::stream::write::Encoder::new(blob(Some(Sha256::new())), level)?;
                encoder.include_checksum(true)?;
                // Without workers the bytes are others, while their number does not matter.
                let workers = rayon::current_num_threads().clamp(1, MAX_ZSTD_WORKERS);
                encoder.multithread(u32::try_from(workers).expect("a small number"))?;
                Self::Zstd(encoder)
            }
            Compression::None => Self::None(blob(None)),
        })
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(gzip) => gzip.write_all(data),
            Self::Zstd(zstd) => zstd.write_all(data),
            Self::None(blob) => blob.write_all(data),
        }
    }

    fn finish(self) -> io::Result<Blob> {
        match self {
            Self::Gzip(gzip) => gzip.finish(),
            Self::Zstd(zstd) => zstd.finish(),
            Self::None(blob) => Ok(blob),
        }
    }
}

/// The file, and what is known about it.
struct Blob {
    file: File,
    size: u64,
    /// None if the blob is the archive, which is hashed already.
    hash: Option<Sha256>,
}

impl Write for Blob {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.file.write(data)?;
        self.size += count as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&data[..count]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn check_level(compression: Compression) -> Result<(), LayerError> {
    let (format, level, levels) = match compression {
        Compression::Gzip { level } => ("gzip", i64::from(level), 0..=9),
        Compression::Zstd { level } => {
            let levels = zstd::compression_level_range();
            ("zstd", level.into(), i64::from(*levels.start())..=(*levels.end()).into())
        }
        Compression::None => return Ok(()),
    };
    if levels.contains(&level) {
        return Ok(());
    }
    let (lowest, highest) = (*levels.start(), *levels.end());
    Err(LayerError::Level { format, level, lowest, highest })
}

#[cfg(test)]
mod tests;
