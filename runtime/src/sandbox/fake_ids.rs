//! A filter that answers every change of owner, user or group as if it had been done, for user
//! namespaces with a single id: there is nobody else there, and package managers insist.

use std::io;

use super::seccomp::{ARCHITECTURE, MACHINE, NUMBER, X32, answer, jump_if, load};
use super::sys;

/// The calls of this machine.
#[cfg(target_arch = "x86_64")]
const CALLS: &[libc::c_long] = &[
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
];
#[cfg(target_arch = "aarch64")]
const CALLS: &[libc::c_long] = &[
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
];

/// The same calls of the 32-bit programs that the processor runs too, in both widths of ids, by the
/// numbers of `arch/x86/entry/syscalls/syscall_32.tbl` and `arch/arm/tools/syscall.tbl`.
#[cfg(target_arch = "x86_64")]
const FOREIGN: &[u32] = &[
    16, 23, 46, 70, 71, 81, 95, 138, 139, 164, 170, 182, 198, 203, 204, 206, 207, 208, 210, 212,
    213, 214, 215, 216, 298,
];
#[cfg(target_arch = "aarch64")]
const FOREIGN: &[u32] = &[
    16, 23, 46, 70, 71, 81, 95, 138, 139, 164, 170, 182, 198, 203, 204, 206, 207, 208, 210, 212,
    213, 214, 215, 216, 325,
];

/// Pretends from here on, in this process and all it starts.
///
/// # Errors
///
/// As `prctl(2)`: without `CAP_SYS_ADMIN`, which the root of a user namespace has.
pub(super) fn pretend() -> io::Result<()> {
    sys::set_seccomp_filter(&filter())
}

/// The same for a user of the machine, who gives up for it that what this process starts can gain
/// privileges.
pub(super) fn pretend_as_user() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    pretend()
}

fn filter() -> Vec<libc::sock_filter> {
    let known = |number: &libc::c_long| u32::try_from(*number).expect("numbers are small");
    let own: Vec<u32> = CALLS.iter().map(known).flat_map(|call| [call, call | X32]).collect();
    let (own, foreign) = (pretend_of(&own), pretend_of(FOREIGN));
    let skip = u8::try_from(foreign.len()).expect("there are few calls");
    [vec![load(ARCHITECTURE), jump_if(MACHINE.audit, skip, 0)], foreign, own].concat()
}

/// Instructions that end the filter: some calls are done, all others are to be carried out.
fn pretend_of(calls: &[u32]) -> Vec<libc::sock_filter> {
    let mut filter = vec![load(NUMBER)];
    for (index, call) in calls.iter().enumerate() {
        // To the last instruction.
        let skip = u8::try_from(calls.len() - index).expect("there are few calls");
        filter.push(jump_if(*call, skip, 0));
    }
    filter.push(answer(libc::SECCOMP_RET_ALLOW));
    // No error.
    filter.push(answer(libc::SECCOMP_RET_ERRNO));
    filter
}
