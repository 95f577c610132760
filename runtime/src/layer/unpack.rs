//! From a blob to a tree: a layer on top of the layers below it, or an archive that `ADD` unpacks.
//!
//! Decompression, hashing and the creation of files go on at the same time. Which names are let in
//! is decided in [`crate::layer::path`]; every path is then resolved beneath the root by
//! descriptor.

mod ahead;
mod extract;
mod failure;
mod files;
mod skipped;
mod source;
mod tree;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ir::{DiffId, Digest};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::layer::LayerError;
use crate::layer::decompress::decompress;
use crate::layer::limits::{Bounds, UnpackLimits};
use crate::layer::pipe::{Chunk, ChunkReader, DigestThread, Joined, read_chunk};
use crate::layer::tar_read::{TarError, TarReader, TooLong};
use crate::rootdir::RootDir;
use extract::{Extractor, Rules};
use source::Archive;

pub(crate) use ahead::Ahead;

/// Chunks of a blob that are decompressed before they are needed, at most: 2 MiB.
const WAITING: usize = 8;

/// What became of a layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// Of the archive, to its very end. Whether it is the expected one is for the caller to say.
    pub diff_id: DiffId,
    /// What the file system or the kernel does not allow here, and was left out: devices in a
    /// user namespace, attributes. For people to read.
    pub skipped: Vec<String>,
}

/// Applies a layer to a root that holds the layers below (OCI image-spec, layer.md, "Applying
/// Changesets").
///
/// - A whiteout removes what the layers below have, never what this one has, in whatever order
///   they come; `.wh..wh..opq` does so with everything in its directory.
/// - A directory keeps what is in it and takes the new owner, mode, attributes and time; anything
///   else replaces what stands in its place.
/// - Directories that are missing are made, with mode 0755, owner root and time 0.
/// - Directories have the time their entry says in the end, or the time they had before.
///
/// After an error the root is to be thrown away.
pub(crate) fn unpack(
    layer: Coming,
    root: &RootDir,
    bounds: Bounds<'_>,
) -> Result<Unpacked, LayerError> {
    let (skipped, digest) = match layer {
        Coming::Ahead(layer) => layer.unpack(root, bounds)?,
        Coming::Now(blob) => {
            let extractor = Extractor::new(root, Path::new(""), Rules::LAYER, bounds)?;
            blob.read(bounds.cancel, |archive| extractor.run(archive))?
        }
    };
    Ok(Unpacked { diff_id: DiffId(digest), skipped })
}

/// A layer that is about to be applied.
pub(crate) enum Coming {
    /// Those below it are there: its files are made where they belong.
    Now(Decompression),
    /// Its files are made before that.
    Ahead(Ahead),
}

/// Unpacks an archive into a directory of a root, which is made if it is missing. Names that mean
/// a deletion in a layer are ordinary ones here. With `owner` (user, group) everything belongs to
/// it, whatever the archive says. Returns what was left out, as [`Unpacked::skipped`].
pub(crate) fn unpack_archive(
    archive: Decompression,
    root: &RootDir,
    into: &Path,
    owner: Option<(u32, u32)>,
    bounds: Bounds<'_>,
) -> Result<Vec<String>, LayerError> {
    let rules = Rules { whiteouts: false, owner };
    let extractor = Extractor::new(root, into, rules, bounds)?;
    let (skipped, _) = archive.read(bounds.cancel, |archive| extractor.run(archive))?;
    Ok(skipped)
}

/// A blob that is decompressed and hashed in threads of its own, a little ahead of who reads it.
pub(crate) struct Decompression {
    // Dropped first, which ends the thread.
    chunks: Receiver<io::Result<Chunk>>,
    thread: Joined<Option<Digest>>,
}

impl Decompression {
    /// Starts with a blob of any compression. It waits when a few mebibytes are not read yet, and
    /// ends early when it is dropped.
    pub(crate) fn start(
        blob: impl Read + Send + 'static,
        limits: UnpackLimits,
    ) -> Result<Self, LayerError> {
        let (sender, chunks) = sync_channel(WAITING);
        let thread = Joined::spawn("decompress", move || pump(blob, limits, &sender));
        let thread = thread.map_err(unreadable)?;
        Ok(Self { chunks, thread })
    }

    /// Lets `work` read the archive. Returns also the digest of what was decompressed, which is
    /// read to the end.
    fn read<T>(
        self,
        cancel: &CancellationToken,
        work: impl FnOnce(Archive<'_, '_, '_, ChunkReader<'_>>) -> Result<T, LayerError>,
    ) -> Result<(T, Digest), LayerError> {
        // After an error the reader goes before the thread, which ends by that.
        let Self { chunks, thread } = self;
        let mut reader = TarReader::new(ChunkReader::new(chunks, cancel));
        let done = std::thread::scope(|scope| work(Archive::new(&mut reader, scope, cancel)))
            .map_err(|error| stopped(error, cancel))?;
        // What follows the end of the archive counts for the digest, and a checksum or an error of
        // the compression may be in it.
        io::copy(&mut reader.into_inner(), &mut io::sink())
            .map_err(|error| stopped(unreadable(error), cancel))?;
        let digest = thread.join().flatten();
        let digest =
            digest.ok_or_else(|| unreadable(io::Error::other("decompression ended early")))?;
        Ok((done, digest))
    }
}

/// Whatever ended the work: of a build that was cancelled it is that.
fn stopped(error: LayerError, cancel: &CancellationToken) -> LayerError {
    cancel::check(cancel).map_or_else(LayerError::from, |()| error)
}

fn unreadable(error: io::Error) -> LayerError {
    LayerError::Read(TarError { entry: None, problem: error.into() })
}

/// Sends what a blob holds, and hashes it. None if it could not be sent to the end.
fn pump(
    blob: impl Read + Send,
    limits: UnpackLimits,
    sender: &SyncSender<io::Result<Chunk>>,
) -> Option<Digest> {
    let sent = (|| {
        let compressed = Arc::new(AtomicU64::new(0));
        let mut reader = decompress(Counted { inner: blob, count: Arc::clone(&compressed) })?;
        let digest = DigestThread::start()?;
        let mut length = 0;
        loop {
            let chunk = read_chunk(&mut reader)?;
            if chunk.is_empty() {
                return digest.finish().map(Some);
            }
            length += chunk.len() as u64;
            let limit = limits.bytes(compressed.load(Ordering::Relaxed));
            if length > limit {
                return Err(io::Error::other(TooLong(limit)));
            }
            digest.update(Arc::clone(&chunk));
            if sender.send(Ok(chunk)).is_err() {
                return Ok(None);
            }
        }
    })();
    sent.unwrap_or_else(|error| {
        // Nobody listens after an error on the other side.
        let _ignored = sender.send(Err(error));
        None
    })
}

/// Counts the bytes that are read.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
