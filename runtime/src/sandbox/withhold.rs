//! A filter that refuses what neither capabilities nor Landlock have a rule for: keyrings, and the
//! limits of other processes.
//!
//! Keys belong to a user, whatever it runs in: a command that is root would share those of the
//! machine's root. And root may set the limits of every process of root's, such as the seconds of
//! processor time after which the kernel kills it.

use std::io;

use serde::{Deserialize, Serialize};

use super::seccomp::{
    self, ARCHITECTURE, FIRST_ARGUMENT, MACHINE, NUMBER, X32, answer, jump_if, load,
};

/// What of it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Withheld {
    /// Keyrings.
    Keys,
    /// Keyrings, and limits of processes that are named by number: there are others than the
    /// step's.
    KeysAndLimits,
}

/// The calls about keys, and `prlimit64`.
struct Calls<'a> {
    keys: &'a [u32],
    limits: &'a [u32],
}

/// Of the 32-bit programs that the processor runs too, by the numbers of
/// `arch/x86/entry/syscalls/syscall_32.tbl` and `arch/arm/tools/syscall.tbl`.
#[cfg(target_arch = "x86_64")]
const FOREIGN: Calls<'static> = Calls { keys: &[286, 287, 288], limits: &[340] };
#[cfg(target_arch = "aarch64")]
const FOREIGN: Calls<'static> = Calls { keys: &[309, 310, 311], limits: &[369] };

impl Withheld {
    /// Refuses it with `EPERM`, in this process and all it starts. Without `CAP_SYS_ADMIN` the
    /// kernel wants no-new-privileges for that.
    pub(super) fn refuse(self) -> io::Result<()> {
        seccomp::install(&self.filter())
    }

    fn filter(self) -> Vec<libc::sock_filter> {
        let both = |calls: &[libc::c_long]| -> Vec<u32> {
            let numbers = calls.iter().map(|call| u32::try_from(*call));
            let numbers = numbers.map(|number| number.expect("system call numbers are small"));
            numbers.flat_map(|number| [number, number | X32]).collect()
        };
        let keys = both(&[libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl]);
        let limits = both(&[libc::SYS_prlimit64]);
        let own = self.of_calls(&Calls { keys: &keys, limits: &limits });
        let foreign = self.of_calls(&FOREIGN);
        let skip = u8::try_from(foreign.len()).expect("there are few calls");
        [vec![load(ARCHITECTURE), jump_if(MACHINE.audit, skip, 0)], foreign, own].concat()
    }

    /// Instructions that end the filter.
    fn of_calls(self, calls: &Calls<'_>) -> Vec<libc::sock_filter> {
        let limits = match self {
            Self::Keys => &[],
            Self::KeysAndLimits => calls.limits,
        };
        let end = [
            answer(libc::SECCOMP_RET_ALLOW),
            // A limit: whose? Zero is the caller.
            load(FIRST_ARGUMENT),
            jump_if(0, 0, 1),
            answer(libc::SECCOMP_RET_ALLOW),
            answer(libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()),
        ];
        let mut filter = vec![load(NUMBER)];
        let mut left = calls.keys.len() + limits.len();
        let mut jump = |call: u32, to: usize| {
            left -= 1;
            // Over what is left, and over what comes before the instruction of the end.
            let skip = u8::try_from(left + to).expect("there are few calls");
            filter.push(jump_if(call, skip, 0));
        };
        for call in calls.keys {
            jump(*call, end.len() - 1);
        }
        for call in limits {
            jump(*call, 1);
        }
        filter.extend(end);
        filter
    }
}
