//! The filter that has system calls with paths wait for an answer.

use super::super::seccomp::{
    ARCHITECTURE, MACHINE, NUMBER, answer, argument, jump_if, jump_if_any, load,
};
use super::calls;

/// Every instruction that a jump leads over fits into a byte.
///
/// What is no call with a path depends on the number alone: the kernel then knows once and for all
/// that it is allowed, and does not even run the filter. Calls of 32-bit programs are allowed.
pub(super) fn program() -> Vec<libc::sock_filter> {
    let about_paths: Vec<u32> = calls::numbers()
        .filter(|number| calls::EMPTY_PATH.iter().all(|(empty, _)| empty != number))
        .map(number)
        .collect();
    // Behind the jumps: allow; for each of EMPTY_PATH a load and a jump; allow; notify.
    let tail = 1 + 2 * calls::EMPTY_PATH.len();
    let numbers = about_paths.len() + calls::EMPTY_PATH.len();
    let notify_at = numbers + tail + 1;
    let mut program = vec![load(ARCHITECTURE), jump_if(MACHINE.audit, 1, 0), allow(), load(NUMBER)];
    for (index, wanted) in about_paths.iter().enumerate() {
        program.push(jump_if(*wanted, distance(index, notify_at), 0));
    }
    for (index, (wanted, _)) in calls::EMPTY_PATH.iter().enumerate() {
        let check_at = numbers + 1 + 2 * index;
        let jump = jump_if(number(*wanted), distance(about_paths.len() + index, check_at), 0);
        program.push(jump);
    }
    program.push(allow());
    for (index, (_, flags)) in calls::EMPTY_PATH.iter().enumerate() {
        let here = numbers + 1 + 2 * index + 1;
        let allow_at = numbers + tail;
        program.push(load(argument(*flags)));
        let empty = libc::AT_EMPTY_PATH.cast_unsigned();
        program.push(jump_if_any(empty, distance(here, allow_at), distance(here, notify_at)));
    }
    program.push(allow());
    program.push(answer(libc::SECCOMP_RET_USER_NOTIF));
    program
}

fn allow() -> libc::sock_filter {
    answer(libc::SECCOMP_RET_ALLOW)
}

fn number(number: libc::c_long) -> u32 {
    u32::try_from(number).expect("system call numbers are small")
}

/// Instructions skipped by a jump.
fn distance(from: usize, to: usize) -> u8 {
    u8::try_from(to - from - 1).expect("the program is short")
}

#[cfg(test)]
mod tests {
    use super::super::super::seccomp::testing::{call, run};
    use super::*;

    fn data(number: libc::c_long, audit: u32, argument: u32, value: u32) -> [u32; 16] {
        call(number.try_into().unwrap(), audit, (argument, value))
    }

    #[test]
    fn asks_about_paths_and_nothing_else() {
        let program = program();
        let audit = MACHINE.audit;
        for number in 0..600 {
            let asked = calls::numbers().any(|known| known == number);
            let expected =
                if asked { libc::SECCOMP_RET_USER_NOTIF } else { libc::SECCOMP_RET_ALLOW };
            assert_eq!(run(&program, &data(number, audit, 0, 0)), expected, "{number}");
            assert_eq!(run(&program, &data(number, 0x4000_0003, 0, 0)), libc::SECCOMP_RET_ALLOW);
        }
        let fstat = data(libc::SYS_newfstatat, audit, 3, 0x1100);
        assert_eq!(run(&program, &fstat), libc::SECCOMP_RET_ALLOW);
        let lstat = data(libc::SYS_newfstatat, audit, 3, 0x100);
        assert_eq!(run(&program, &lstat), libc::SECCOMP_RET_USER_NOTIF);
        let statx = data(libc::SYS_statx, audit, 2, 0x1000);
        assert_eq!(run(&program, &statx), libc::SECCOMP_RET_ALLOW);
    }
}
