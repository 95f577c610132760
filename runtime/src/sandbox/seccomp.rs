//! A filter that refuses every socket but local ones, for `--network=none` without a network
//! namespace.

use std::io;

use super::sys;

/// `AUDIT_ARCH_*` of this machine, the number of `socket(2)`, and the numbers of `socket` and
/// `socketcall` in the 32-bit system calls that the same processor runs.
#[cfg(target_arch = "x86_64")]
pub(super) const MACHINE: Machine = Machine { audit: 0xc000_003e, foreign: [359, 102] };
#[cfg(target_arch = "aarch64")]
pub(super) const MACHINE: Machine = Machine { audit: 0xc000_00b7, foreign: [281, 102] };

pub(super) struct Machine {
    pub(super) audit: u32,
    foreign: [u32; 2],
}

/// Marks the x32 system calls of `x86_64`; no other machine has numbers that high.
pub(super) const X32: u32 = 0x4000_0000;

// Offsets in `struct seccomp_data`.
pub(super) const NUMBER: u32 = 0;
pub(super) const ARCHITECTURE: u32 = 4;
pub(super) const FIRST_ARGUMENT: u32 = argument(0);

/// The low half of an argument (both machines are little-endian), counted from zero.
pub(super) const fn argument(number: u32) -> u32 {
    16 + 8 * number
}

/// Refuses sockets that reach a network with `EACCES`, in this process and all it starts.
///
/// `io_uring` is refused too, as it can make sockets without asking. Without `CAP_SYS_ADMIN` the
/// kernel wants no-new-privileges for a filter: setuid programs then do not gain anything.
pub(super) fn refuse_networks() -> io::Result<()> {
    install(&filter())
}

/// Puts a filter on this process and all it starts; without `CAP_SYS_ADMIN`, with
/// no-new-privileges.
pub(super) fn install(filter: &[libc::sock_filter]) -> io::Result<()> {
    unless_new_privileges(|| sys::set_seccomp_filter(filter))
}

/// Does something that the kernel may want no-new-privileges for.
pub(super) fn unless_new_privileges<T>(set: impl Fn() -> io::Result<T>) -> io::Result<T> {
    if let Ok(done) = set() {
        return Ok(done);
    }
    rustix::thread::set_no_new_privs(true)?;
    set()
}

fn filter() -> Vec<libc::sock_filter> {
    let socket = u32::try_from(libc::SYS_socket).expect("system call numbers are small");
    let io_uring = u32::try_from(libc::SYS_io_uring_setup).expect("system call numbers are small");
    let unix = libc::AF_UNIX.cast_unsigned();
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EACCES.cast_unsigned();
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    // Jumps count the instructions that are skipped.
    vec![
        load(ARCHITECTURE),
        jump_if(MACHINE.audit, 4, 0),
        load(NUMBER),
        jump_if(MACHINE.foreign[0], 10, 0),
        jump_if(MACHINE.foreign[1], 9, 0),
        // Newer calls have one number everywhere.
        jump_if(io_uring, 9, 7),
        load(NUMBER),
        jump_if(io_uring, 7, 0),
        jump_if(io_uring | X32, 6, 0),
        jump_if(socket, 1, 0),
        jump_if(socket | X32, 0, 2),
        load(FIRST_ARGUMENT),
        jump_if(unix, 0, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(refuse),
        answer(unknown),
    ]
}

pub(super) fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

pub(super) fn jump_if(equal: u32, then: u8, otherwise: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, equal, then, otherwise)
}

pub(super) fn jump_if_any(bits: u32, then: u8, otherwise: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, bits, then, otherwise)
}

pub(super) fn answer(value: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).expect("codes are small"), jt, jf, k }
}

#[cfg(test)]
pub(super) mod testing {
    //! Runs filters as the kernel would.

    /// What is known of a call: its number, the machine it is of, and one of its arguments.
    pub(in crate::sandbox) fn call(number: u32, audit: u32, argument: (u32, u32)) -> [u32; 16] {
        let mut data = [0; 16];
        let (index, value) = argument;
        data[0] = number;
        data[1] = audit;
        data[4 + 2 * index as usize] = value;
        data
    }

    pub(in crate::sandbox) fn run(program: &[libc::sock_filter], data: &[u32; 16]) -> u32 {
        let mut at = 0;
        let mut accumulator = 0;
        loop {
            let libc::sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            match u32::from(code) {
                0x20 => accumulator = data[k as usize / 4],
                0x15 => at += usize::from(if accumulator == k { jt } else { jf }),
                0x45 => at += usize::from(if accumulator & k != 0 { jt } else { jf }),
                0x06 => return k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{call, run};
    use super::*;

    const FOREIGN: u32 = 0x4000_0003;

    #[test]
    fn local_sockets_are_the_only_ones() {
        let program = filter();
        let answer = |number, audit, family| run(&program, &call(number, audit, (0, family)));
        let socket = u32::try_from(libc::SYS_socket).unwrap();
        let refused = libc::SECCOMP_RET_ERRNO | libc::EACCES.cast_unsigned();
        for number in [socket, socket | X32] {
            assert_eq!(answer(number, MACHINE.audit, 1), libc::SECCOMP_RET_ALLOW);
            for family in [0, 2, 10, 16, 40, 0x8000_0001] {
                assert_eq!(answer(number, MACHINE.audit, family), refused, "{number} {family}");
            }
        }
        for number in MACHINE.foreign {
            assert_eq!(answer(number, FOREIGN, 1), refused, "{number}");
        }
        // It makes sockets that nobody asks about, whatever it is called by.
        let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
        let ring = u32::try_from(libc::SYS_io_uring_setup).unwrap();
        for (number, audit) in [(ring, MACHINE.audit), (ring | X32, MACHINE.audit), (ring, FOREIGN)]
        {
            assert_eq!(answer(number, audit, 0), unknown, "{number} {audit:#x}");
        }
        for audit in [MACHINE.audit, FOREIGN] {
            assert_eq!(answer(3, audit, 2), libc::SECCOMP_RET_ALLOW);
        }
    }
}
