//! From a blob to a tree: a layer on top of the layers below it, or an archive that `ADD` unpacks.
//!
//! Decompression, hashing and the creation of files go on at the same time. Which names are let in
//! is decided in [`crate::layer::path`]; every path is then resolved beneath the root by
//! descriptor.

mod extract;
mod tree;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use ir::{DiffId, Digest};
use tokio_util::sync::CancellationToken;

use crate::layer::LayerError;
use crate::layer::decompress::decompress;
use crate::layer::pipe::{Chunk, ChunkReader, DigestThread, WAITING, read_chunk};
use crate::layer::tar_read::{TarError, TarProblem, TarReader};
use crate::rootdir::RootDir;
use extract::{Extractor, Rules};

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
    blob: impl Read + Send,
    root: &RootDir,
    cancel: &CancellationToken,
) -> Result<Unpacked, LayerError> {
    let rules = Rules { whiteouts: true, owner: None };
    let (skipped, digest) =
        stream(blob, |reader| Extractor::new(root, Path::new(""), rules)?.run(reader, cancel))?;
    Ok(Unpacked { diff_id: DiffId(digest), skipped })
}

/// Unpacks an archive into a directory of a root, which is made if it is missing. Names that mean
/// a deletion in a layer are ordinary ones here. With `owner` (user, group) everything belongs to
/// it, whatever the archive says. Returns what was left out, as [`Unpacked::skipped`].
pub(crate) fn unpack_archive(
    archive: impl Read + Send,
    root: &RootDir,
    into: &Path,
    owner: Option<(u32, u32)>,
    cancel: &CancellationToken,
) -> Result<Vec<String>, LayerError> {
    let rules = Rules { whiteouts: false, owner };
    let (skipped, _) =
        stream(archive, |reader| Extractor::new(root, into, rules)?.run(reader, cancel))?;
    Ok(skipped)
}

/// Decompresses a blob in a thread of its own while `work` reads it. Returns also the digest of
/// what was decompressed, which is read to the end.
fn stream<T>(
    blob: impl Read + Send,
    work: impl FnOnce(&mut TarReader<ChunkReader>) -> Result<T, LayerError>,
) -> Result<(T, Digest), LayerError> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let pump = std::thread::Builder::new()
            .name("decompress".into())
            .spawn_scoped(scope, move || pump(blob, &sender))
            .map_err(unreadable)?;
        let mut reader = TarReader::new(ChunkReader::new(receiver));
        let done = work(&mut reader)?;
        // What follows the end of the archive counts for the digest, and a checksum or an error of
        // the compression may be in it.
        io::copy(&mut reader.into_inner(), &mut io::sink()).map_err(unreadable)?;
        let digest = pump.join().ok().flatten();
        let digest =
            digest.ok_or_else(|| unreadable(io::Error::other("decompression ended early")))?;
        Ok((done, digest))
    })
}

fn unreadable(error: io::Error) -> LayerError {
    LayerError::Read(TarError { entry: None, problem: TarProblem::Io(error) })
}

/// Sends what a blob holds, and hashes it. None if it could not be sent to the end.
fn pump(blob: impl Read + Send, sender: &SyncSender<io::Result<Chunk>>) -> Option<Digest> {
    let sent = (|| {
        let mut reader = decompress(blob)?;
        let digest = DigestThread::start()?;
        loop {
            let chunk = read_chunk(&mut reader)?;
            if chunk.is_empty() {
                return digest.finish().map(Some);
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

#[cfg(test)]
mod tests;
