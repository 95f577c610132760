//! Gzip on many threads, with the same bytes for any number of them.
//!
//! The input is cut into blocks of [`BLOCK`] bytes. Each is deflated on its own, with the 32 KiB
//! before it as dictionary, and flushed to a byte boundary, so that the parts joined are one
//! deflate stream in one gzip member (RFC 1951, RFC 1952; pigz works like this, too).

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

/// Input that is compressed at once. It decides the bytes of every compressed layer.
const BLOCK: usize = 1 << 20;
/// How far back deflate can refer.
const WINDOW: usize = 32 << 10;
/// Most blocks under way, so that many cores do not mean much memory.
const MAX_UNDER_WAY: usize = 48;
/// Magic, deflate, no flags, no time, no hint about the level, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Compresses what is written to it. Nothing is complete before [`ParallelGzip::finish`].
pub(crate) struct ParallelGzip<W> {
    out: W,
    level: Compression,
    block: Vec<u8>,
    dictionary: Vec<u8>,
    under_way: VecDeque<Receiver<io::Result<Part>>>,
    most_under_way: usize,
    checksum: Hasher,
}

/// A compressed block.
struct Part {
    deflated: Vec<u8>,
    checksum: Hasher,
}

impl<W: Write> ParallelGzip<W> {
    /// Starts a member; the threads are those of the current rayon pool. `level` is 0 to 9.
    pub(crate) fn new(mut out: W, level: u32) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        Ok(Self {
            out,
            level: Compression::new(level.min(9)),
            block: Vec::with_capacity(BLOCK),
            dictionary: Vec::new(),
            under_way: VecDeque::new(),
            most_under_way: (2 * rayon::current_num_threads() + 2).min(MAX_UNDER_WAY),
            checksum: Hasher::new(),
        })
    }

    /// Compresses the rest and ends the member.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.start_block(FlushCompress::Finish)?;
        while !self.under_way.is_empty() {
            self.write_oldest()?;
        }
        // Modulo 2^32, as RFC 1952 has it.
        let length = self.checksum.total_len() & u64::from(u32::MAX);
        let length = u32::try_from(length).expect("32 bits");
        self.out.write_all(&self.checksum.finalize().to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        Ok(self.out)
    }

    fn start_block(&mut self, flush: FlushCompress) -> io::Result<()> {
        while self.under_way.len() >= self.most_under_way {
            self.write_oldest()?;
        }
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let next = block[block.len().saturating_sub(WINDOW)..].to_vec();
        let dictionary = std::mem::replace(&mut self.dictionary, next);
        let level = self.level;
        let (sender, receiver) = sync_channel(1);
        rayon::spawn(move || {
            // Nobody receives it after an error.
            let _ignored = sender.send(deflate(&block, &dictionary, level, flush));
        });
        self.under_way.push_back(receiver);
        Ok(())
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(receiver) = self.under_way.pop_front() else { return Ok(()) };
        let part = wait(&receiver)?;
        self.checksum.combine(&part.checksum);
        self.out.write_all(&part.deflated)
    }
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&data[..taken]);
        if self.block.len() == BLOCK {
            self.start_block(FlushCompress::Sync)?;
        }
        Ok(taken)
    }

    /// Does nothing: where it happens would change the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a block. A thread of the pool itself must not sleep, as the block may be waiting for
/// it: it works meanwhile.
fn wait(receiver: &Receiver<io::Result<Part>>) -> io::Result<Part> {
    loop {
        match receiver.try_recv() {
            Ok(part) => return part,
            Err(TryRecvError::Disconnected) => return Err(panicked()),
            Err(TryRecvError::Empty) => {}
        }
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            // Either this is none of the pool's threads, or another one has the block.
            return receiver.recv().unwrap_or_else(|_| Err(panicked()));
        }
    }
}

fn panicked() -> io::Error {
    io::Error::other("the compression of a block ended early")
}

/// Deflates a block. The state is new for each one: a reused one gives other bytes, depending on
/// what it saw before.
fn deflate(
    block: &[u8],
    dictionary: &[u8],
    level: Compression,
    flush: FlushCompress,
) -> io::Result<Part> {
    let mut state = Compress::new(level, false);
    if !dictionary.is_empty() {
        state.set_dictionary(dictionary)?;
    }
    // Enough for what cannot be compressed. It is a function of the input, as the room left can
    // decide where stored blocks end.
    let mut deflated = Vec::with_capacity(block.len() + block.len() / 256 + 1024);
    loop {
        let consumed = usize::try_from(state.total_in()).expect("no more than the block");
        let status = state.compress_vec(&block[consumed..], &mut deflated, flush)?;
        let has_room = deflated.len() < deflated.capacity();
        let is_done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            FlushCompress::None
            | FlushCompress::Partial
            | FlushCompress::Sync
            | FlushCompress::Full => has_room,
            _ => return Err(io::Error::other("this flush is never asked for")),
        };
        if is_done {
            break;
        }
        deflated.reserve(deflated.capacity());
    }
    let mut checksum = Hasher::new();
    checksum.update(block);
    Ok(Part { deflated, checksum })
}

#[cfg(test)]
mod tests;
