//! Work on a stream that goes on in a thread of its own: hashing it, and reading it in chunks.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use ir::Digest;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::cancel;

/// Bytes that are handed over at once.
pub(crate) const CHUNK: usize = 256 << 10;
/// Chunks that wait at most.
pub(crate) const WAITING: usize = 8;

/// Part of a stream, shared by those who work on it.
pub(crate) type Chunk = Arc<Vec<u8>>;

/// A thread that is waited for at the latest when this is dropped: whoever gives up leaves nobody
/// behind who still reads, or holds memory. It has to be told to end before.
pub(crate) struct Joined<T>(Option<JoinHandle<T>>);

impl<T: Send + 'static> Joined<T> {
    /// Starts the thread.
    pub(crate) fn spawn(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        Ok(Self(Some(std::thread::Builder::new().name(name.into()).spawn(work)?)))
    }

    /// Waits for its result. None if it panicked.
    pub(crate) fn join(mut self) -> Option<T> {
        self.0.take()?.join().ok()
    }
}

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic has said what there is to say.
            thread.join().ok();
        }
    }
}

/// A SHA-256 that is computed in its own thread.
pub(crate) struct DigestThread {
    // Dropped first, which ends the thread.
    chunks: SyncSender<Chunk>,
    thread: Joined<Digest>,
}

impl DigestThread {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (chunks, received) = sync_channel::<Chunk>(WAITING);
        let thread = Joined::spawn("digest", move || {
            let mut hash = Sha256::new();
            for chunk in received {
                hash.update(&*chunk);
            }
            Digest::from_bytes(hash.finalize().into())
        })?;
        Ok(Self { chunks, thread })
    }

    /// Hashes a chunk after those before it.
    pub(crate) fn update(&self, chunk: Chunk) {
        // It ends early only by a panic, which `finish` reports.
        let _ignored = self.chunks.send(chunk);
    }

    /// The digest of everything.
    pub(crate) fn finish(self) -> io::Result<Digest> {
        drop(self.chunks);
        self.thread.join().ok_or_else(|| io::Error::other("the digest's thread ended early"))
    }
}

/// Reads what another thread sends.
pub(crate) struct ChunkReader<'a> {
    chunks: Receiver<io::Result<Chunk>>,
    current: Chunk,
    at: usize,
    cancel: &'a CancellationToken,
}

impl<'a> ChunkReader<'a> {
    /// Reads until the sender is dropped, or `cancel` is triggered.
    pub(crate) fn new(chunks: Receiver<io::Result<Chunk>>, cancel: &'a CancellationToken) -> Self {
        Self { chunks, current: Chunk::default(), at: 0, cancel }
    }
}

impl Read for ChunkReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            cancel::check(self.cancel)?;
            match self.chunks.recv() {
                Ok(chunk) => (self.current, self.at) = (chunk?, 0),
                Err(_) => return Ok(0),
            }
        }
        let rest = &self.current[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Fills a chunk from a reader; an empty one is the end.
pub(crate) fn read_chunk(reader: &mut impl Read) -> io::Result<Chunk> {
    let mut chunk = Vec::with_capacity(CHUNK);
    reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(Arc::new(chunk))
}
