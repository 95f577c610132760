//! What callers have in memory: paths they name, and where answers go.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::super::sys::caller as sys;
use super::caller::Identity;

/// As long as a path can be, with its end.
const PATH_MAX: usize = 4096;
/// No page is smaller.
const PAGE: u64 = 4096;
/// Most paths are shorter.
const FIRST_READ: u64 = 256;

/// Reads what callers have in memory.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether `process_vm_readv(2)` may be called, which seccomp profiles refuse as one of
    /// debuggers. It takes a third of the time.
    directly: bool,
}

impl Reader {
    /// Finds out how it can be done here.
    pub(super) fn new() -> Self {
        let here = [0];
        let mut there = [0];
        let address = u64::try_from(here.as_ptr().addr()).unwrap_or_default();
        let own = rustix::process::getpid().as_raw_nonzero().get();
        Self { directly: sys::read_memory(own, address, &mut there).is_ok() }
    }

    /// Reads a path. `proc` is `/proc`.
    ///
    /// From here on `identity` is that of whoever the process belongs to.
    pub(super) fn path(
        &self,
        proc: BorrowedFd<'_>,
        identity: &mut Identity,
        pid: i32,
        address: u64,
    ) -> Result<Vec<u8>, Errno> {
        let memory = match self.open(proc, pid) {
            Err(Errno::ACCESS | Errno::PERM) => self.open_as_owner(proc, identity, pid)?,
            other => other?,
        };
        let read = |from, to: &mut [u8]| match &memory {
            Some(memory) => rustix::io::pread(memory, to, from),
            None => sys::read_memory(pid, from, to),
        };
        match text(address, read) {
            Err(Errno::PERM) if self.directly => {
                self.open_as_owner(proc, identity, pid)?;
                text(address, read)
            }
            other => other,
        }
    }

    fn open(&self, proc: BorrowedFd<'_>, pid: i32) -> Result<Option<OwnedFd>, Errno> {
        if self.directly {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::openat(proc, format!("{pid}/mem"), flags, Mode::empty()).map(Some)
    }

    fn open_as_owner(
        &self,
        proc: BorrowedFd<'_>,
        identity: &mut Identity,
        pid: i32,
    ) -> Result<Option<OwnedFd>, Errno> {
        // The directory of a process belongs to whoever may look into it; to root, if nobody may.
        let stat = rustix::fs::statat(proc, pid.to_string(), AtFlags::empty())?;
        if (stat.st_uid, stat.st_gid) == identity.ids() {
            return Err(Errno::PERM);
        }
        identity.owner(stat.st_uid, stat.st_gid)?;
        self.open(proc, pid)
    }
}

/// Reads as far as a zero.
fn text(
    address: u64,
    read: impl Fn(u64, &mut [u8]) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut bound = FIRST_READ;
    while text.len() < PATH_MAX {
        let from = address.checked_add(text.len() as u64).ok_or(Errno::FAULT)?;
        // What lies beyond a page may not be there.
        let length = bound.min(PAGE - from % PAGE);
        let start = text.len();
        text.resize(start + usize::try_from(length).map_err(|_| Errno::FAULT)?, 0);
        let count = match read(from, &mut text[start..]) {
            Ok(0) | Err(Errno::IO) => return Err(Errno::FAULT),
            other => other?,
        };
        text.truncate(start + count);
        if let Some(end) = text[start..].iter().position(|byte| *byte == 0) {
            text.truncate(start + end);
            return Ok(text);
        }
        bound = PAGE;
    }
    Err(Errno::NAMETOOLONG)
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

    /// Reads a text with its end.
    pub(super) fn text(&self, address: u64) -> Result<Vec<u8>, Errno> {
        text(address, |from, to| rustix::io::pread(&self.0, to, from))
    }
}
