//! What a hostile command tries, each of it refused.
//!
//! The attacks are scripts in `tests/cases/attack`: Perl can make any system call.

use std::collections::BTreeMap;
use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ir::instruction::Security;
use kaniko_runtime::sandbox::{Isolation, Mapping, StepMount};

use super::Case;
use super::bench::{Bench, Plan, Root};
use super::cases::ok;

pub(crate) const EVERYWHERE: &[Case] = &[
    ("attacks on processes", processes),
    ("attacks on files", files),
    ("attacks on the kernel", kernel),
    ("attacks by what is left", leftovers),
];
pub(crate) const PRIVILEGED: &[Case] = &[("attacks of the trusted", trusted)];

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

/// What became of each attempt: nothing if it was done, or the error's number.
type Attempts = BTreeMap<String, Option<i32>>;

impl Root {
    /// Puts Perl and its libraries into the root.
    fn install_perl(&self) {
        #[expect(clippy::disallowed_methods, reason = "the loader alone knows the libraries")]
        let libraries = Command::new("ldd").arg(PERL).output().unwrap();
        let libraries = String::from_utf8(libraries.stdout).unwrap();
        for path in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            self.install(Path::new(path), path);
        }
        self.install(Path::new(PERL), "bin/perl");
    }

    fn install(&self, from: &Path, to: &str) {
        let to = self.path.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

fn attack(bench: &Bench, root: &Root, script: &str, arguments: &[&str]) -> Vec<String> {
    ok(bench.run_in(root, plan(bench, root, script, arguments)).unwrap())
}

fn plan(bench: &Bench, root: &Root, script: &str, arguments: &[&str]) -> Plan {
    root.install_perl();
    let script = format!("my %nr = ({});\n{PRELUDE}\n{script}", numbers());
    fs::write(root.path.join("tmp/attack"), script).unwrap();
    let mut plan = Plan::argv(&["perl", "/tmp/attack"]);
    plan.argv.extend(arguments.iter().map(ToString::to_string));
    let directory = bench.directory();
    plan.mount(StepMount::Cache { target: "/cache".to_owned(), directory, readonly: false })
}

fn attempts(lines: &[String]) -> Attempts {
    let attempt = |line: &String| {
        let (what, came) = line.split_once(": ").unwrap_or((line, ""));
        let (what, came) = came
            .rsplit_once(": ")
            .map_or((what.to_owned(), came), |(more, came)| (format!("{what}: {more}"), came));
        let came = (came != "done").then(|| came.parse().unwrap_or_else(|_| panic!("{line}")));
        (what, came)
    };
    lines.iter().map(attempt).collect()
}

#[track_caller]
fn assert_refused<'a>(attempts: impl IntoIterator<Item = (&'a String, &'a Option<i32>)>) {
    let attempts: BTreeMap<_, _> = attempts.into_iter().collect();
    assert!(!attempts.is_empty());
    let refused = |came: &Option<i32>| came.is_some_and(|number| REFUSALS.contains(&number));
    let wrong: Vec<_> = attempts.iter().filter(|(_, came)| !refused(came)).collect();
    assert!(wrong.is_empty(), "not refused: {wrong:?}");
}

fn own_pids(bench: &Bench) -> bool {
    matches!(bench.isolation, Isolation::Namespaces { pids: true, .. })
}

/// A process of the same user that nothing protects, like the shell that started the builder.
struct Bystander(Child);

impl Bystander {
    #[expect(clippy::disallowed_methods, reason = "it is not the sandbox's")]
    fn start() -> Self {
        let mut command = Command::new("/bin/sleep");
        Self(command.arg("1000").stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn processes(bench: &Bench) {
    let bystander = Bystander::start();
    let builder = format!("builder={}", std::process::id());
    let other = format!("bystander={}", bystander.0.id());
    let lines = attack(bench, &bench.root(), PROCESSES, &[&builder, &other]);
    let mut attempts = attempts(&lines);
    let own = attempts.extract_if(.., |what, _| what.starts_with("own "));
    for (what, came) in own {
        // Where others share the processes' numbers, limits cannot be read by number at all.
        let refused = what == "own limit" && !own_pids(bench);
        assert_eq!(came.is_some(), refused, "{what}: {came:?}");
    }
    if own_pids(bench) {
        // Its init is the first of the namespace, which is deaf to signals from there. Killed by its
        // limits, it takes nothing but the step with it.
        let signals = ["signal", "thread", "queue", "pidfd", "limit"];
        attempts.retain(|what, _| !signals.iter().any(|it| *what == format!("init {it}")));
    }
    assert_refused(&attempts);
}

fn files(bench: &Bench) {
    let store = bench.directory();
    let secret = store.join("secret");
    fs::write(&secret, "x").unwrap();
    let root = bench.root();
    let before = Root { path: store.clone(), scratch: store.clone() }.listing();
    let (secret, directory) = (secret.display().to_string(), store.display().to_string());
    let lines = attack(bench, &root, FILES, &[&secret, &directory]);
    let mut attempts = attempts(&lines);
    if matches!(bench.isolation, Isolation::Namespaces { mapping: Mapping::Single, .. }) {
        // It is only pretended, as is seen below.
        attempts.retain(|what, _| !what.ends_with(": owner"));
    }
    assert_refused(&attempts);
    assert_eq!(Root { path: store.clone(), scratch: store }.listing(), before);
    assert!(!root.path.join("tmp/cage").exists());
}

/// The attempts themselves are right: a command that is trusted can do what others cannot.
fn trusted(bench: &Bench) {
    let root = bench.root();
    let plan = plan(bench, &root, FILES, &["/nowhere/file", "/nowhere"]);
    let plan = Plan { security: Security::Insecure, ..plan };
    let attempts = attempts(&ok(bench.run_in(&root, plan).unwrap()));
    for what in [
        "block device in /tmp",
        "log device in /tmp",
        "by its own number",
        "mounts: tmpfs",
        "mounts: bind",
        "mounts: remount",
        "mounts: unmount /proc",
        "mounts: new file system",
        "unshare 20000",
        "unshare 10000000",
        "unshare 3e020000",
        "as another root: proc",
        "clone3",
    ] {
        assert_eq!(attempts.get(what), Some(&None), "{what}: {attempts:?}");
    }
}

fn kernel(bench: &Bench) {
    let name = format!("kaniko-attack-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let lines = attack(bench, &bench.root(), KERNEL, &[&name]);
    let mut attempts = attempts(&lines);
    assert_eq!(attempts.remove("own socket"), Some(None));
    // Nothing to read is not there either.
    assert_refused(attempts.iter().filter(|(_, came)| **came != Some(0)));
}

fn leftovers(bench: &Bench) {
    let word = format!("kaniko-left-{}", std::process::id());
    for _ in 0..3 {
        assert_eq!(attack(bench, &bench.root(), LEFTOVERS, &[&word]), ["left"]);
        assert_eq!(named(&word), Vec::<String>::new());
    }
}

/// The processes of the machine whose command line begins with a word.
fn named(word: &str) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the order does not matter")]
    let processes = fs::read_dir("/proc").unwrap();
    let lines =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| line.starts_with(word)).collect()
}

const PRELUDE: &str = include_str!("../../../tests/cases/attack/prelude.pl");
const PROCESSES: &str = include_str!("../../../tests/cases/attack/processes.pl");
const FILES: &str = include_str!("../../../tests/cases/attack/files.pl");
const KERNEL: &str = include_str!("../../../tests/cases/attack/kernel.pl");
const LEFTOVERS: &str = include_str!("../../../tests/cases/attack/leftovers.pl");

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
