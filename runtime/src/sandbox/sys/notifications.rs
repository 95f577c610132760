//! Seccomp's notifications: system calls of other processes that wait for an answer.

use std::io;
use std::mem;

use rustix::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use rustix::io::Errno;

/// Puts a filter on this process and its children. What it answers with
/// `SECCOMP_RET_USER_NOTIF` is asked for at the descriptor that is returned.
pub(in crate::sandbox) fn set_filter_with_listener(
    filter: &[libc::sock_filter],
) -> io::Result<OwnedFd> {
    let program = libc::sock_fprog {
        len: filter.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // From Linux 5.19 on, only a deadly signal interrupts a call that is being answered.
    let killable =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    for flags in [killable, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER] {
        #[expect(unsafe_code, reason = "seccomp has no wrapper")]
        // SAFETY: the program points to `len` instructions, which the kernel copies and checks.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        };
        if let Some(fd) = i32::try_from(result).ok().filter(|fd| *fd >= 0) {
            #[expect(unsafe_code, reason = "the kernel returns a number")]
            // SAFETY: the descriptor was just made and belongs to nobody else.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) {
            return Err(error);
        }
    }
    Err(io::Error::from_raw_os_error(libc::EINVAL))
}

/// Waits for a notification.
pub(in crate::sandbox) fn receive(
    listener: BorrowedFd<'_>,
) -> rustix::io::Result<libc::seccomp_notif> {
    #[expect(unsafe_code, reason = "the kernel wants zeroes and fills the structure")]
    // SAFETY: zeroes are a valid value of this structure of integers.
    let mut notification: libc::seccomp_notif = unsafe { mem::zeroed() };
    control(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notification)?;
    Ok(notification)
}

/// Answers a notification.
pub(in crate::sandbox) fn respond(
    listener: BorrowedFd<'_>,
    mut response: libc::seccomp_notif_resp,
) -> rustix::io::Result<()> {
    control(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response).map(drop)
}

/// Gives the process of a notification a descriptor, and returns its number there.
pub(in crate::sandbox) fn add_descriptor(
    listener: BorrowedFd<'_>,
    mut addition: libc::seccomp_notif_addfd,
) -> rustix::io::Result<i32> {
    control(listener, libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw mut addition)
}

/// Whether the process of a notification still waits for its answer.
pub(in crate::sandbox) fn is_waiting(listener: BorrowedFd<'_>, mut id: u64) -> bool {
    control(listener, libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw mut id).is_ok()
}

/// Asks for the process and whoever answers it to take turns on one processor.
pub(in crate::sandbox) fn take_turns(listener: BorrowedFd<'_>) -> rustix::io::Result<()> {
    const SYNC_WAKE_UP: u64 = 1;
    #[expect(unsafe_code, reason = "the ioctl has no wrapper")]
    // SAFETY: this one takes its argument by value.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP)
    };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// One of the listener's ioctls that read or fill the structure it names.
fn control<T>(
    listener: BorrowedFd<'_>,
    request: libc::Ioctl,
    structure: *mut T,
) -> rustix::io::Result<i32> {
    #[expect(unsafe_code, reason = "the ioctls have no wrappers")]
    // SAFETY: each caller above passes the structure that belongs to its ioctl, alive and its own.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), request, structure) };
    if result < 0 { Err(last_error()) } else { Ok(result) }
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
