//! What a hostile command tries: the scripts of `tests/cases/attack`, in Perl, which can make any
//! system call; and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::tool;

/// With processes that are none of its business.
pub const PROCESSES: &str = include_str!("../cases/attack/processes.pl");
/// With files.
pub const FILES: &str = include_str!("../cases/attack/files.pl");
/// With the kernel.
pub const KERNEL: &str = include_str!("../cases/attack/kernel.pl");
/// With processes that it leaves.
pub const LEFTOVERS: &str = include_str!("../cases/attack/leftovers.pl");

const PRELUDE: &str = include_str!("../cases/attack/prelude.pl");

const PERL: &str = "/usr/bin/perl";

/// What refuses an attempt: it may not be done, or what it needs is not there. Everything else would
/// be the attempt's own fault.
const REFUSALS: [i32; 12] = [
    libc::EPERM,
    libc::ENOENT,
    libc::ESRCH,
    libc::EACCES,
    libc::ENOTDIR,
    libc::EROFS,
    libc::ENOSYS,
    libc::ENXIO,
    libc::ELOOP,
    libc::ECONNREFUSED,
    libc::EXDEV,
    libc::EBUSY,
];

/// A script as Perl runs it.
pub fn script(attack: &str) -> String {
    format!("my %nr = ({});\n{PRELUDE}\n{attack}", numbers())
}

/// The files of this machine that a root needs for Perl, and their paths there.
pub fn perl() -> Vec<(PathBuf, String)> {
    let libraries = tool::run("ldd", [PERL]);
    let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    let mut files: Vec<(PathBuf, String)> =
        libraries.map(|path| (path.into(), path.trim_start_matches('/').to_owned())).collect();
    files.push((PERL.into(), "bin/perl".to_owned()));
    files
}

/// What became of each attempt: nothing if it was done, or the error's number.
#[derive(Debug)]
pub struct Attempts(BTreeMap<String, Option<i32>>);

impl Attempts {
    /// Reads what a script has said.
    ///
    /// # Panics
    ///
    /// If a line is none of it.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let attempt = |line: &str| {
            let (what, came) =
                line.rsplit_once(": ").unwrap_or_else(|| panic!("this is no attempt: {line}"));
            let came = (came != "done").then(|| {
                came.parse().unwrap_or_else(|_| panic!("this says nothing of an attempt: {line}"))
            });
            (what.to_owned(), came)
        };
        Self(lines.into_iter().map(attempt).collect())
    }

    /// Takes those out that are so called.
    #[must_use]
    pub fn take(&mut self, called: impl Fn(&str) -> bool) -> Self {
        Self(self.0.extract_if(.., |what, _| called(what)).collect())
    }

    /// Forgets those that are so called.
    pub fn forget(&mut self, called: impl Fn(&str) -> bool) {
        self.0.retain(|what, _| !called(what));
    }

    /// Whether one was made, and worked.
    pub fn has_done(&self, what: &str) -> bool {
        self.0.get(what).is_some_and(Option::is_none)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<i32>)> {
        self.0.iter().map(|(what, came)| (what.as_str(), *came))
    }

    /// Fails unless there are some, and all were refused.
    ///
    /// # Panics
    ///
    /// Then.
    #[track_caller]
    pub fn assert_refused(&self) {
        assert!(!self.0.is_empty(), "nothing was tried");
        let refused = |came: Option<i32>| came.is_some_and(|number| REFUSALS.contains(&number));
        let wrong: Vec<_> = self.iter().filter(|(_, came)| !refused(*came)).collect();
        assert!(wrong.is_empty(), "not refused: {wrong:?}");
    }

    /// Fails unless some were made, and all worked.
    ///
    /// # Panics
    ///
    /// Then.
    #[track_caller]
    pub fn assert_done(&self) {
        assert!(!self.0.is_empty(), "nothing was tried");
        let wrong: Vec<_> = self.iter().filter(|(_, came)| came.is_some()).collect();
        assert!(wrong.is_empty(), "refused: {wrong:?}");
    }
}

/// The numbers of this machine's system calls, for Perl.
fn numbers() -> String {
    macro_rules! calls {
        ($($name:ident)*) => {
            [$((stringify!($name), libc::$name)),*]
        };
    }
    let calls = calls! {
        SYS_tkill SYS_rt_sigqueueinfo SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev
        SYS_prlimit64 SYS_pidfd_open SYS_pidfd_send_signal SYS_pidfd_getfd SYS_fcntl SYS_mknodat
        SYS_name_to_handle_at SYS_open_by_handle_at SYS_mount SYS_umount2 SYS_pivot_root SYS_fsopen SYS_open_tree
        SYS_unshare SYS_clone3 SYS_add_key SYS_keyctl SYS_request_key SYS_init_module
        SYS_finit_module SYS_delete_module SYS_kexec_load SYS_reboot SYS_swapon SYS_swapoff
        SYS_sethostname SYS_acct SYS_clock_settime SYS_syslog SYS_fanotify_init
        SYS_vhangup SYS_setsid
    };
    let entry =
        |(name, number): (&str, i64)| format!("{} => {number}", name.trim_start_matches("SYS_"));
    calls.map(entry).join(", ")
}
