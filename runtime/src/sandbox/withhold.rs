//! A filter that refuses what neither capabilities nor Landlock have a rule for.
//!
//! - Keyrings. Keys belong to a user, whatever it runs in: a command that is root would share those
//!   of the machine's root.
//! - User namespaces. In one of its own a command has every capability, and so can mount what shows
//!   it more than its step: the control group that it shares with the builder has a file that kills
//!   all of its processes. `BuildKit` refuses them too.
//! - The limits of other processes. Root may set those of all of root's, such as the seconds of
//!   processor time after which the kernel kills a process.

use std::io;

use serde::{Deserialize, Serialize};

use super::seccomp::{
    self, ARCHITECTURE, FIRST_ARGUMENT, MACHINE, NUMBER, X32, answer, jump_if, jump_if_any, load,
};

/// What of it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Withheld {
    /// What concerns a command with processes of its own.
    WithinProcesses,
    /// Also the limits of processes that are named by number: there are others than the step's.
    WithOthers,
}

/// System calls by what becomes of them.
struct Calls {
    /// About keys.
    refused: Vec<u32>,
    /// Whose first argument are flags of namespaces.
    flags: Vec<u32>,
    /// Whose flags are in memory, where a filter cannot see them: programs that find it missing use
    /// one of the others.
    missing: Vec<u32>,
    /// Whose first argument is a process.
    limits: Vec<u32>,
}

impl Calls {
    fn own() -> Self {
        let both = |calls: &[libc::c_long]| {
            let numbers = calls.iter().map(|call| u32::try_from(*call));
            let numbers = numbers.map(|number| number.expect("system call numbers are small"));
            numbers.flat_map(|number| [number, number | X32]).collect()
        };
        Self {
            refused: both(&[libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl]),
            flags: both(&[libc::SYS_clone, libc::SYS_unshare]),
            missing: both(&[libc::SYS_clone3]),
            limits: both(&[libc::SYS_prlimit64]),
        }
    }

    /// Of the 32-bit programs that the processor runs too, by the numbers of
    /// `arch/x86/entry/syscalls/syscall_32.tbl` and `arch/arm/tools/syscall.tbl`.
    fn foreign() -> Self {
        let (refused, unshare, limits) = if cfg!(target_arch = "x86_64") {
            ([286, 287, 288], 310, 340)
        } else {
            ([309, 310, 311], 337, 369)
        };
        Self {
            refused: refused.to_vec(),
            flags: vec![120, unshare],
            missing: vec![435],
            limits: vec![limits],
        }
    }
}

impl Withheld {
    /// Refuses it with `EPERM`, in this process and all it starts. Without `CAP_SYS_ADMIN` the
    /// kernel wants no-new-privileges for that.
    pub(super) fn refuse(self) -> io::Result<()> {
        seccomp::install(&self.filter())
    }

    fn filter(self) -> Vec<libc::sock_filter> {
        let (foreign, own) = (self.of_calls(Calls::foreign()), self.of_calls(Calls::own()));
        let skip = u8::try_from(foreign.len()).expect("there are few calls");
        [vec![load(ARCHITECTURE), jump_if(MACHINE.audit, skip, 0)], foreign, own].concat()
    }

    /// Instructions that end the filter.
    fn of_calls(self, calls: Calls) -> Vec<libc::sock_filter> {
        let limits = match self {
            Self::WithinProcesses => Vec::new(),
            Self::WithOthers => calls.limits,
        };
        let end = [
            answer(libc::SECCOMP_RET_ALLOW),
            answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
            // Flags: is a user namespace among them?
            load(FIRST_ARGUMENT),
            jump_if_any(libc::CLONE_NEWUSER.cast_unsigned(), 3, 2),
            // A process: whose? Zero is the caller.
            load(FIRST_ARGUMENT),
            jump_if(0, 0, 1),
            answer(libc::SECCOMP_RET_ALLOW),
            answer(libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()),
        ];
        let answers = [(calls.missing, 1), (calls.flags, 2), (limits, 4), (calls.refused, 7)];
        let answers = answers.into_iter().flat_map(|(calls, at)| {
            let jump = move |call| (call, at);
            calls.into_iter().map(jump)
        });
        let answers: Vec<(u32, usize)> = answers.collect();
        let mut filter = vec![load(NUMBER)];
        for (index, (call, at)) in answers.iter().enumerate() {
            // Over the calls that follow, and over what comes before the instruction of the end.
            let skip = u8::try_from(answers.len() - index - 1 + at).expect("there are few calls");
            filter.push(jump_if(*call, skip, 0));
        }
        filter.extend(end);
        filter
    }
}
