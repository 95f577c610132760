//! Real commands in real confinement, in every rung that works where the tests run.
//!
//! Without a test harness, because this program is three things: the tests, started again once
//! for each rung (entering one is for a whole process), and the helper that steps run in. It answers
//! a test runner as a harness would: each rung is a test.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]
#![expect(clippy::print_stdout, reason = "without a harness nobody else says how the tests went")]

#[path = "sandbox/attacks.rs"]
mod attacks;
#[path = "sandbox/bench.rs"]
mod bench;
#[path = "sandbox/calls.rs"]
mod calls;
#[path = "sandbox/cases.rs"]
mod cases;
#[path = "sandbox/limits.rs"]
mod limits;
#[path = "sandbox/mounts.rs"]
mod mounts;
#[path = "sandbox/proc.rs"]
mod proc;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;

use kaniko_runtime::sandbox::{self, Isolation, Landlock, Mapping, Request, Sandbox};

use bench::Bench;

const BUSYBOX: &str = "/bin/busybox";

/// Cases that cannot be where a single id is mapped.
const OTHER_USERS: [&str; 8] = [
    "users",
    "capabilities",
    "devices",
    "pseudo terminals",
    "standard streams by name",
    "a secret",
    "an agent",
    "scripts",
];

const SELF: &str = "/proc/self/exe";

/// A rung, and what the test is started by for it. Where commands are confined in another way, all
/// cases are passed, elsewhere those that differ: the attacks, and what is answered for in a chroot.
const RUNGS: [(&str, &[&str]); 7] = [
    ("namespaces", &[]),
    ("chroot", &[]),
    ("chroot of a container", &CONTAINER),
    ("namespaces of a user", &CONTAINER),
    ("namespaces without pids", &["unshare", "--mount", "sh", "-euc", MASKED, "sh"]),
    ("namespaces without the root outside", &["setpriv", "--inh-caps=-all", CRIO]),
    (
        "namespaces with a single id",
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
    ),
];

/// With the capabilities that CRI-O gives.
const CRIO: &str = "--bounding-set=-all,+chown,+dac_override,+fsetid,+fowner,+setgid,+setuid,\
    +setpcap,+net_bind_service,+kill";

/// With the capabilities of a container.
const CONTAINER: [&str; 3] = ["setpriv", "--inh-caps=-all", BOUNDING];
const BOUNDING: &str = "--bounding-set=-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,\
    +setgid,+setuid,+setfcap,+setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write";

/// With a `/proc` that hides something, as in a container, and its capabilities.
const MASKED: &str = "mount --bind /dev/null /proc/timer_list; \
    exec setpriv --inh-caps=-all \
    --bounding-set=-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,\
    +setgid,+setuid,+setfcap,+setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write \"$@\"";

type Case = (&'static str, fn(&Bench));

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("sandbox-init") => ExitCode::from(sandbox::init(&arguments[1..])),
        Some("--rung") => one_rung(&arguments[1], arguments.get(2).map_or("", String::as_str)),
        Some("--connect") => connect(&arguments[1]),
        Some("--calls") => {
            calls::make(&arguments[1], arguments.get(2).map(String::as_str));
            ExitCode::SUCCESS
        }
        Some("--list") => list(&arguments),
        // Options such as `--exact` stand on either side of the name.
        _ => every_rung(arguments.iter().map(String::as_str).find(|it| !it.starts_with("--"))),
    }
}

/// What a command in a root does with an agent.
fn connect(path: &str) -> ExitCode {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(b"ask\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    print!("{answer}");
    ExitCode::SUCCESS
}

/// Names the tests, as `cargo nextest` wants it; none of them is ignored.
fn list(arguments: &[String]) -> ExitCode {
    if !arguments.iter().any(|argument| argument == "--ignored") {
        for (rung, _) in RUNGS {
            println!("{rung}: test");
        }
    }
    ExitCode::SUCCESS
}

/// Starts what tests a rung; without a name, all of them in turn.
fn every_rung(named: Option<&str>) -> ExitCode {
    assert!(Path::new(BUSYBOX).exists(), "there is no {BUSYBOX}: `tests/run` installs it");
    let known = named.is_none_or(|name| RUNGS.iter().any(|(rung, _)| *rung == name));
    assert!(known, "there is no such rung");
    // A rung may be another user's, who makes files there, as in `/tmp`.
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    let mut code = ExitCode::SUCCESS;
    for (rung, surroundings) in RUNGS {
        if named.is_some_and(|name| name != rung) {
            continue;
        }
        let (program, arguments) = surroundings.split_first().unwrap_or((&SELF, &[]));
        #[expect(clippy::disallowed_methods, reason = "each rung wants a process of its own")]
        let status = std::process::Command::new(program)
            .args(arguments)
            .args(surroundings.first().map(|_| std::env::current_exe().unwrap()))
            .args(["--rung", rung])
            .env("TMPDIR", place.path())
            .status()
            .unwrap();
        if !status.success() {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn one_rung(rung: &str, filter: &str) -> ExitCode {
    let request = if rung.starts_with("chroot") { Request::Chroot } else { Request::Namespaces };
    // Made before anything else runs in this process.
    let work = tempfile::tempdir().unwrap();
    let entered = sandbox::enter(request, Landlock::Auto, work.path()).unwrap();
    let isolation = entered.isolation.unwrap();
    println!("{rung}: {isolation:?} {:?}", entered.passed_over);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let sandbox = Sandbox::new(entered, sandbox::Helper::default());
    let bench = Bench::new(runtime, sandbox, isolation, work.path());
    let mut cases: Vec<Case> = attacks::EVERYWHERE.to_vec();
    match rung {
        "namespaces" => {
            cases.extend(cases::EVERYWHERE);
            cases.extend(mounts::EVERYWHERE);
            cases.extend(limits::EVERYWHERE);
            cases.extend(cases::NAMESPACES);
            cases.extend(mounts::NAMESPACES);
            cases.extend(limits::NAMESPACES);
            cases.extend(attacks::PRIVILEGED);
        }
        "chroot" => {
            cases.extend(cases::EVERYWHERE);
            cases.extend(mounts::EVERYWHERE);
            cases.extend(limits::EVERYWHERE);
            cases.extend(cases::CHROOT);
            cases.extend(proc::CHROOT);
        }
        "namespaces without the root outside" => {
            cases.extend(cases::EVERYWHERE);
            cases.extend(mounts::EVERYWHERE);
        }
        "namespaces with a single id" => {
            cases.extend(cases::EVERYWHERE);
            cases.extend(mounts::EVERYWHERE);
            cases.extend(cases::SINGLE_ID);
        }
        "chroot of a container" => cases.extend(proc::CHROOT),
        _ => {}
    }
    // What needs other users than root, where there may be none.
    if matches!(isolation, Isolation::Namespaces { mapping: Mapping::Single, .. }) {
        cases.retain(|(name, _)| !OTHER_USERS.contains(name));
    }
    let mut failed = 0;
    for (name, case) in cases.iter().filter(|(name, _)| name.contains(filter)) {
        let passed = std::panic::catch_unwind(AssertUnwindSafe(|| case(&bench))).is_ok();
        println!("{rung}: {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += u32::from(!passed);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
