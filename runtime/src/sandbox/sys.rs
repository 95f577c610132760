//! The system calls that no safe wrapper exists for.

pub(super) mod caller;
pub(super) mod notifications;

use std::ffi::c_int;
use std::io;
use std::mem;

use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::mount::MountAttrFlags;
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Forks. Returns the child's id in the parent, nothing in the child.
///
/// Only for processes with a single thread: the child of a threaded one may use next to nothing
/// of the standard library. The helper has one thread, and so has the builder in
/// [`enter()`](super::enter()); nothing else forks.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    #[expect(unsafe_code, reason = "fork has no safe wrapper")]
    // SAFETY: the process has one thread (see above), so the child has all of its state whole.
    let pid = unsafe { libc::fork() };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(Pid::from_raw(pid)) }
}

/// Ends the process at once, without exit handlers: those belong to the process it was forked
/// from.
pub(super) fn exit_now(code: c_int) -> ! {
    #[expect(unsafe_code, reason = "_exit has no safe wrapper")]
    // SAFETY: takes no pointers and does not return.
    unsafe {
        libc::_exit(code)
    }
}

/// `unshare(2)`, for the namespaces only: file descriptors stay shared as they are.
pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    debug_assert!(!flags.contains(UnshareFlags::FILES), "descriptors stay as they are");
    #[expect(unsafe_code, reason = "rustix marks it unsafe because of CLONE_FILES")]
    // SAFETY: CLONE_FILES, which could leave this thread with other descriptors than Rust
    // thinks, is never among the flags.
    let done = unsafe { rustix::thread::unshare_unsafe(flags) };
    Ok(done?)
}

/// Adds attributes to a mount, and with `recursive` to those below it.
pub(super) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attributes: MountAttrFlags,
) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    let attr = libc::mount_attr {
        attr_set: attributes.bits().into(),
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    #[expect(unsafe_code, reason = "mount_setattr has no wrapper")]
    // SAFETY: the path and the structure outlive the call, and the size is the structure's.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            mem::size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Marks every descriptor but the first three close-on-exec: whatever the builder's own parent
/// left open does not reach a command.
pub(super) fn close_on_exec() {
    const CLOEXEC: libc::c_uint = 1 << 2;
    #[expect(unsafe_code, reason = "close_range has no wrapper")]
    // SAFETY: only sets a flag on descriptors; takes no pointers.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, CLOEXEC) };
    if result == 0 {
        return;
    }
    // An old kernel or a seccomp profile that does not know it.
    for fd in 3..4096 {
        #[expect(unsafe_code, reason = "the descriptors are nobody's in Rust's sense")]
        // SAFETY: only sets a flag; a number that is not open is answered by EBADF.
        unsafe {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Brings the loopback interface of a new network namespace up.
pub(super) fn loopback_up() -> io::Result<()> {
    // `IFF_UP`, which libc has as another type than the field.
    const UP: libc::c_short = 1;

    let socket = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    #[expect(unsafe_code, reason = "the ioctl's structure is a C union")]
    // SAFETY: zeroes are a valid ifreq; the name is shorter than its field, which therefore ends
    // in a zero; the ioctl reads the structure and nothing else.
    let result = unsafe {
        let mut request: libc::ifreq = mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes_with_nul()) {
            // Signed on one machine, unsigned on the other.
            *to = libc::c_char::from_ne_bytes([*from]);
        }
        request.ifr_ifru.ifru_flags = UP;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Puts a seccomp filter on this process and its children.
pub(super) fn set_seccomp_filter(filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: filter.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: filter.as_ptr().cast_mut(),
    };
    #[expect(unsafe_code, reason = "seccomp has no wrapper")]
    // SAFETY: the program points to `len` instructions, which the kernel copies and checks.
    let result =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
