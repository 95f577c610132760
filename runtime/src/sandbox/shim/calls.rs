//! The system calls that name files, and what their arguments mean.

use rustix::fd::AsRawFd as _;
use rustix::fs::{AtFlags, CWD, OFlags};

/// A call that names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The descriptor that a relative path starts at; `AT_FDCWD` is the working directory.
    pub base: i32,
    /// Where the path is in the caller's memory.
    pub path: u64,
    /// Whether a symbolic link at its end is followed.
    pub follow: bool,
    pub what: What,
}

/// What is to be done with the file. Fields called `to` and `from` are addresses in the caller's
/// memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Open {
        flags: OFlags,
        mode: u32,
    },
    /// `openat2(2)`; what it wants is in memory.
    OpenHow {
        from: u64,
        size: u64,
    },
    Look(Look),
    Change(Change),
    Attribute(Attribute),
    Go(Go),
    /// `pidfd_send_signal(2)`, which has no path: a directory of `/proc` stands for a process.
    Signal,
}

/// Something is told about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Stat { to: u64 },
    Statx { flags: u32, mask: u32, to: u64 },
    StatFs { to: u64 },
    Access { mode: u32, effective: bool },
    ReadLink { to: u64, size: u64 },
}

/// The file is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Mode { mode: u32 },
    Owner { uid: u32, gid: u32 },
    Times { from: u64 },
    Length { length: u64 },
}

/// It is about extended attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Get { name: u64, to: u64, size: u64 },
    Set { name: u64, from: u64, size: u64, flags: u32 },
    List { to: u64, size: u64 },
    Remove { name: u64 },
}

impl From<Look> for What {
    fn from(look: Look) -> Self {
        Self::Look(look)
    }
}

impl From<Change> for What {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<Go> for What {
    fn from(go: Go) -> Self {
        Self::Go(go)
    }
}

/// What only the kernel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Go {
    /// Change the working directory.
    Directory,
    /// Execute a program.
    Program,
    /// Open something for its path alone.
    Path,
}

/// `fchmodat2(2)`, on all machines.
const SYS_FCHMODAT2: libc::c_long = 452;

/// The calls of all machines. [`decode`] knows each of them.
const EVERYWHERE: [libc::c_long; 25] = [
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_statfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_chdir,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fchmodat,
    SYS_FCHMODAT2,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_truncate,
    libc::SYS_pidfd_send_signal,
    libc::SYS_newfstatat,
    libc::SYS_statx,
];

/// The older calls of one machine.
#[cfg(target_arch = "x86_64")]
const OLD: [libc::c_long; 9] = [
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
];
#[cfg(target_arch = "aarch64")]
const OLD: [libc::c_long; 0] = [];

/// The numbers of all calls that [`decode`] knows.
pub(super) fn numbers() -> impl Iterator<Item = libc::c_long> {
    EVERYWHERE.into_iter().chain(OLD)
}

/// Calls with a flag that makes a descriptor stand for its own file: their number, and which of
/// the arguments has that flag. Those are about no path.
pub(super) const EMPTY_PATH: [(libc::c_long, u32); 2] =
    [(libc::SYS_newfstatat, 3), (libc::SYS_statx, 2)];

/// What a call means; none if it names no file that it is worth to look at.
pub(super) fn decode(data: &libc::seccomp_data) -> Option<Call> {
    let number = libc::c_long::from(data.nr);
    let [first, second, third, fourth, fifth, _] = data.args;
    let at = |follow, what: What| Some(Call { base: int(first), path: second, follow, what });
    let plain = |what: What| Some(Call { base: CWD.as_raw_fd(), path: first, follow: true, what });
    let follows = |flags: u64| !at_flags(flags).contains(AtFlags::SYMLINK_NOFOLLOW);
    match number {
        libc::SYS_openat => {
            let flags = open_flags(third);
            at(!flags.contains(OFlags::NOFOLLOW), What::Open { flags, mode: low(fourth) })
        }
        libc::SYS_openat2 => at(true, What::OpenHow { from: third, size: fourth }),
        libc::SYS_newfstatat => at(follows(fourth), Look::Stat { to: third }.into()),
        libc::SYS_statx => {
            let what = Look::Statx { flags: low(third), mask: low(fourth), to: fifth };
            at(follows(third), what.into())
        }
        libc::SYS_pidfd_send_signal => at(true, What::Signal),
        libc::SYS_statfs => plain(Look::StatFs { to: second }.into()),
        libc::SYS_faccessat => at(true, Look::Access { mode: low(third), effective: false }.into()),
        libc::SYS_faccessat2 => {
            let effective = at_flags(fourth).contains(AtFlags::EACCESS);
            at(follows(fourth), Look::Access { mode: low(third), effective }.into())
        }
        libc::SYS_readlinkat => {
            at(false, Look::ReadLink { to: third, size: length(fourth) }.into())
        }
        libc::SYS_chdir => plain(Go::Directory.into()),
        libc::SYS_execve => plain(Go::Program.into()),
        libc::SYS_execveat => at(follows(fifth), Go::Program.into()),
        libc::SYS_fchmodat => at(true, Change::Mode { mode: low(third) }.into()),
        SYS_FCHMODAT2 => at(follows(fourth), Change::Mode { mode: low(third) }.into()),
        libc::SYS_fchownat => {
            at(follows(fifth), Change::Owner { uid: low(third), gid: low(fourth) }.into())
        }
        libc::SYS_utimensat => at(follows(fourth), Change::Times { from: third }.into()),
        libc::SYS_truncate => plain(Change::Length { length: second }.into()),
        _ => decode_attributes(data).or_else(|| decode_old(data)),
    }
}

/// Calls about extended attributes.
fn decode_attributes(data: &libc::seccomp_data) -> Option<Call> {
    let [path, name, buffer, size, flags, _] = data.args;
    let number = libc::c_long::from(data.nr);
    let (follow, what) = match number {
        libc::SYS_getxattr | libc::SYS_lgetxattr => {
            (number == libc::SYS_getxattr, Attribute::Get { name, to: buffer, size })
        }
        libc::SYS_setxattr | libc::SYS_lsetxattr => {
            let what = Attribute::Set { name, from: buffer, size, flags: low(flags) };
            (number == libc::SYS_setxattr, what)
        }
        libc::SYS_listxattr | libc::SYS_llistxattr => {
            (number == libc::SYS_listxattr, Attribute::List { to: name, size: buffer })
        }
        libc::SYS_removexattr | libc::SYS_lremovexattr => {
            (number == libc::SYS_removexattr, Attribute::Remove { name })
        }
        _ => return None,
    };
    Some(Call { base: CWD.as_raw_fd(), path, follow, what: What::Attribute(what) })
}

#[cfg(target_arch = "x86_64")]
fn decode_old(data: &libc::seccomp_data) -> Option<Call> {
    let [first, second, third, ..] = data.args;
    let call = |follow, what: What| Some(Call { base: CWD.as_raw_fd(), path: first, follow, what });
    match libc::c_long::from(data.nr) {
        libc::SYS_open => {
            let flags = open_flags(second);
            call(!flags.contains(OFlags::NOFOLLOW), What::Open { flags, mode: low(third) })
        }
        libc::SYS_creat => {
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC;
            call(true, What::Open { flags, mode: low(second) })
        }
        libc::SYS_stat => call(true, Look::Stat { to: second }.into()),
        libc::SYS_lstat => call(false, Look::Stat { to: second }.into()),
        libc::SYS_access => call(true, Look::Access { mode: low(second), effective: false }.into()),
        libc::SYS_readlink => {
            call(false, Look::ReadLink { to: second, size: length(third) }.into())
        }
        libc::SYS_chmod => call(true, Change::Mode { mode: low(second) }.into()),
        libc::SYS_chown => call(true, Change::Owner { uid: low(second), gid: low(third) }.into()),
        libc::SYS_lchown => call(false, Change::Owner { uid: low(second), gid: low(third) }.into()),
        _ => None,
    }
}

#[cfg(target_arch = "aarch64")]
fn decode_old(_: &libc::seccomp_data) -> Option<Call> {
    None
}

/// The lower half of an argument, which is all that the kernel takes of an `int`.
fn low(argument: u64) -> u32 {
    let [a, b, c, d, ..] = argument.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn int(argument: u64) -> i32 {
    low(argument).cast_signed()
}

/// An `int` that is a length: below zero it is as wrong as zero.
fn length(argument: u64) -> u64 {
    int(argument).try_into().unwrap_or(0)
}

pub(super) fn open_flags(argument: u64) -> OFlags {
    OFlags::from_bits_retain(low(argument))
}

fn at_flags(argument: u64) -> AtFlags {
    AtFlags::from_bits_retain(low(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_decoded() {
        for number in numbers() {
            let nr = i32::try_from(number).unwrap();
            let data = libc::seccomp_data {
                nr,
                arch: 0,
                instruction_pointer: 0,
                args: [1, 2, 3, 4, 5, 6],
            };
            let call = decode(&data).unwrap_or_else(|| panic!("{number} is not known"));
            let at = call.base == 1 && call.path == 2;
            assert!(at || (call.base == CWD.as_raw_fd() && call.path == 1), "{call:?}");
        }
    }

    #[test]
    fn only_the_lower_half_of_an_int_counts() {
        let args = [0xdead_beef_ffff_ff9c, 7, 0xffff_ffff_0000_0000, 0, 0, 0];
        let nr = i32::try_from(libc::SYS_openat).unwrap();
        let call = decode(&libc::seccomp_data { nr, arch: 0, instruction_pointer: 0, args });
        let what = What::Open { flags: OFlags::empty(), mode: 0 };
        assert_eq!(call, Some(Call { base: -100, path: 7, follow: true, what }));
    }
}
