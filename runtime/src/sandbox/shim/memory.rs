//! What callers have in memory: paths they name, and where answers go.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::super::sys::caller as sys;
use super::caller::Identity;

/// As long as a path can be, with its end.
const PATH_MAX: usize = 4096;
/// No page is smaller.
const PAGE: u64 = 4096;
/// Most paths are shorter.
const FIRST_READ: u64 = 256;

/// Reads a path. `proc` is `/proc`.
///
/// From here on `identity` is that of whoever the process belongs to.
pub(super) fn path(
    proc: BorrowedFd<'_>,
    identity: &mut Identity,
    pid: i32,
    address: u64,
) -> Result<Vec<u8>, Errno> {
    let mut path = Vec::new();
    let mut bound = FIRST_READ;
    while path.len() < PATH_MAX {
        let from = address.checked_add(path.len() as u64).ok_or(Errno::FAULT)?;
        // What lies beyond a page may not be there.
        let length = bound.min(PAGE - from % PAGE);
        let start = path.len();
        path.resize(start + usize::try_from(length).map_err(|_| Errno::FAULT)?, 0);
        let read = some(proc, identity, pid, from, &mut path[start..])?;
        path.truncate(start + read);
        if let Some(end) = path[start..].iter().position(|byte| *byte == 0) {
            path.truncate(start + end);
            return Ok(path);
        }
        if read == 0 {
            return Err(Errno::FAULT);
        }
        bound = PAGE;
    }
    Err(Errno::NAMETOOLONG)
}

fn some(
    proc: BorrowedFd<'_>,
    identity: &mut Identity,
    pid: i32,
    from: u64,
    to: &mut [u8],
) -> Result<usize, Errno> {
    match sys::read_memory(pid, from, to) {
        Err(Errno::PERM) => {}
        other => return other,
    }
    // The directory of a process belongs to whoever may look into it; to root, if nobody may.
    let stat = rustix::fs::statat(proc, pid.to_string(), rustix::fs::AtFlags::empty())?;
    if (stat.st_uid, stat.st_gid) == identity.ids() {
        return Err(Errno::PERM);
    }
    identity.owner(stat.st_uid, stat.st_gid)?;
    sys::read_memory(pid, from, to)
}

/// The memory of a process, to write answers to.
#[derive(Debug)]
pub(super) struct Memory(OwnedFd);

impl Memory {
    /// Opens it with the rights that this thread has at the moment. What was asked must be found
    /// to be still waiting after this: then it is its memory.
    pub(super) fn open(proc: BorrowedFd<'_>, thread: i32) -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        rustix::fs::openat(proc, format!("{thread}/mem"), flags, Mode::empty()).map(Self)
    }

    pub(super) fn write(&self, mut address: u64, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            let written = match rustix::io::pwrite(self.0.as_fd(), bytes, address) {
                Ok(0) | Err(Errno::IO) => return Err(Errno::FAULT),
                other => other?,
            };
            bytes = &bytes[written..];
            address += written as u64;
        }
        Ok(())
    }

    pub(super) fn read(&self, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length];
        let mut done = 0;
        while done < length {
            let from = address.checked_add(done as u64).ok_or(Errno::FAULT)?;
            match rustix::io::pread(self.0.as_fd(), &mut bytes[done..], from) {
                Ok(0) | Err(Errno::IO) => return Err(Errno::FAULT),
                other => done += other?,
            }
        }
        Ok(bytes)
    }

    /// Reads a short text with its end.
    pub(super) fn text(&self, address: u64) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        while text.len() < PATH_MAX {
            let from = address.checked_add(text.len() as u64).ok_or(Errno::FAULT)?;
            let length = usize::try_from(PAGE - from % PAGE).map_err(|_| Errno::FAULT)?;
            let more = self.read(from, length.min(256))?;
            if let Some(end) = more.iter().position(|byte| *byte == 0) {
                text.extend_from_slice(&more[..end]);
                return Ok(text);
            }
            text.extend(more);
        }
        Err(Errno::NAMETOOLONG)
    }
}
