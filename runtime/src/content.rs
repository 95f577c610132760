//! The bytes of a file, by the cheapest way that the file systems take.

use std::ffi::OsStr;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use crate::cancel;

/// What one reading and writing moves where the kernel does not copy by itself.
const CHUNK: usize = 128 * 1024;
/// The most that `copy_file_range(2)` is asked for at once, so that a build can be stopped.
const RANGE: u64 = 32 << 20;

/// Which ways work; found out by trying.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    /// Sharing the blocks (`FICLONE`).
    share: AtomicBool,
    /// Copying in the kernel (`copy_file_range`).
    range: AtomicBool,
    /// Ends a copy early.
    cancel: &'a CancellationToken,
}

impl<'a> Means<'a> {
    /// All of them, until one fails.
    pub(crate) fn new(cancel: &'a CancellationToken) -> Self {
        Self { share: AtomicBool::new(true), range: AtomicBool::new(true), cancel }
    }

    /// Makes a new file with the content of another. Holes stay holes.
    pub(crate) fn copy(
        &self,
        (source, from): (BorrowedFd<'_>, &OsStr),
        (target, to): (BorrowedFd<'_>, &OsStr),
    ) -> io::Result<()> {
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let input = rustix::fs::openat(source, from, read, Mode::empty())?;
        let write =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let output = rustix::fs::openat(target, to, write, Mode::from_raw_mode(0o600))?;
        let stat = rustix::fs::fstat(&input)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size == 0 || self.shared(&input, &output) {
            return Ok(());
        }
        let blocks = u64::try_from(stat.st_blocks).unwrap_or(u64::MAX);
        if blocks.saturating_mul(512) >= size {
            return self.copy_range(&input, &output, 0, size);
        }
        let mut at = 0;
        while let Some((start, end)) = next_data(&input, at, size)? {
            cancel::check(self.cancel)?;
            self.copy_range(&input, &output, start, end)?;
            at = end;
        }
        Ok(rustix::fs::ftruncate(&output, size)?)
    }

    fn shared(&self, input: &OwnedFd, output: &OwnedFd) -> bool {
        if !self.share.load(Ordering::Relaxed) {
            return false;
        }
        let shared = rustix::fs::ioctl_ficlone(output, input).is_ok();
        self.share.store(shared, Ordering::Relaxed);
        shared
    }

    /// Copies the bytes from `start` up to `end`, or to the end of the file if it shrank.
    fn copy_range(
        &self,
        input: &OwnedFd,
        output: &OwnedFd,
        start: u64,
        end: u64,
    ) -> io::Result<()> {
        let mut at = start;
        while at < end && self.range.load(Ordering::Relaxed) {
            cancel::check(self.cancel)?;
            let length = usize::try_from((end - at).min(RANGE)).unwrap_or(usize::MAX);
            let (mut from, mut to) = (at, at);
            match rustix::fs::copy_file_range(input, Some(&mut from), output, Some(&mut to), length)
            {
                // Some file systems say so instead of failing; reading finds out.
                Ok(0) => break,
                Ok(moved) => at += moved as u64,
                Err(Errno::INTR) => {}
                Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
                    self.range.store(false, Ordering::Relaxed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut buffer = vec![0; if at < end { CHUNK } else { 0 }];
        while at < end {
            cancel::check(self.cancel)?;
            let length = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            let read =
                rustix::io::retry_on_intr(|| rustix::io::pread(input, &mut buffer[..length], at))?;
            if read == 0 {
                break;
            }
            write_all(output.as_fd(), &buffer[..read], at)?;
            at += read as u64;
        }
        Ok(())
    }
}

/// The next bytes of a sparse file that are no hole.
fn next_data(input: &OwnedFd, at: u64, size: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= size {
        return Ok(None);
    }
    match rustix::fs::seek(input, SeekFrom::Data(at)) {
        Ok(start) if start < size => {
            let end = rustix::fs::seek(input, SeekFrom::Hole(start))?.min(size);
            Ok(Some((start, end)))
        }
        Ok(_) | Err(Errno::NXIO) => Ok(None),
        // No holes are known of here.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some((at, size))),
        Err(error) => Err(error.into()),
    }
}

fn write_all(output: BorrowedFd<'_>, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(output, bytes, at))?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}
