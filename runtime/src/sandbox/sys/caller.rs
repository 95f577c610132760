//! What is done for another process: its memory read, files opened with its rights, and answers in
//! the kernel's own layout.

use std::io;

use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::io::Errno;

/// `struct stat` as the kernel writes it.
pub(in crate::sandbox) type StatBytes = [u8; size_of::<libc::stat>()];
/// `struct statx`.
pub(in crate::sandbox) type StatxBytes = [u8; size_of::<libc::statx>()];
/// `struct statfs`.
pub(in crate::sandbox) type StatFsBytes = [u8; size_of::<libc::statfs>()];

/// Reads memory of another process; returns how much of it there was.
pub(in crate::sandbox) fn read_memory(
    pid: i32,
    address: u64,
    to: &mut [u8],
) -> rustix::io::Result<usize> {
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let remote = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(
            usize::try_from(address).map_err(|_| Errno::FAULT)?,
        ),
        iov_len: to.len(),
    };
    #[expect(unsafe_code, reason = "process_vm_readv has no wrapper")]
    // SAFETY: the kernel writes at most `to.len()` bytes into `to`; the other address is not one
    // of this process.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(read).map_err(|_| last_error())
}

/// Sets who this thread is to file systems. Where that is not allowed, nothing changes.
pub(in crate::sandbox) fn set_file_system_ids(uid: u32, gid: u32) {
    #[expect(unsafe_code, reason = "setfsuid has no wrapper")]
    // SAFETY: takes no pointers.
    unsafe {
        libc::syscall(libc::SYS_setfsgid, gid);
        libc::syscall(libc::SYS_setfsuid, uid);
    }
}

/// `fstat(2)`.
pub(in crate::sandbox) fn stat(fd: BorrowedFd<'_>) -> rustix::io::Result<StatBytes> {
    let mut bytes = [0; size_of::<libc::stat>()];
    #[expect(unsafe_code, reason = "wrappers translate the structure")]
    // SAFETY: the kernel fills a structure of just this size, at any alignment.
    let result = unsafe {
        libc::syscall(
            libc::SYS_newfstatat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            bytes.as_mut_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    if result < 0 { Err(last_error()) } else { Ok(bytes) }
}

/// `statx(2)` of a descriptor.
pub(in crate::sandbox) fn statx(
    fd: BorrowedFd<'_>,
    flags: u32,
    mask: u32,
) -> rustix::io::Result<StatxBytes> {
    let mut bytes = [0; size_of::<libc::statx>()];
    #[expect(unsafe_code, reason = "wrappers translate the structure")]
    // SAFETY: the kernel fills a structure of just this size, at any alignment.
    let result = unsafe {
        libc::syscall(
            libc::SYS_statx,
            fd.as_raw_fd(),
            c"".as_ptr(),
            flags | libc::AT_EMPTY_PATH.cast_unsigned(),
            mask,
            bytes.as_mut_ptr(),
        )
    };
    if result < 0 { Err(last_error()) } else { Ok(bytes) }
}

/// `fstatfs(2)`.
pub(in crate::sandbox) fn stat_file_system(fd: BorrowedFd<'_>) -> rustix::io::Result<StatFsBytes> {
    let mut bytes = [0; size_of::<libc::statfs>()];
    #[expect(unsafe_code, reason = "wrappers translate the structure")]
    // SAFETY: the kernel fills a structure of just this size, at any alignment.
    let result = unsafe { libc::syscall(libc::SYS_fstatfs, fd.as_raw_fd(), bytes.as_mut_ptr()) };
    if result < 0 { Err(last_error()) } else { Ok(bytes) }
}

/// The number of the terminal that a master leads.
pub(in crate::sandbox) fn terminal_number(master: BorrowedFd<'_>) -> rustix::io::Result<u32> {
    let mut number: libc::c_uint = 0;
    #[expect(unsafe_code, reason = "the ioctl has no wrapper that works without terminals' names")]
    // SAFETY: the ioctl writes one integer.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTN, &raw mut number) };
    if result < 0 { Err(last_error()) } else { Ok(number) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
