//! Real commands in real confinement, in every rung that works where the tests run.
//!
//! Without a test harness, because this program is three things: the tests, started again once
//! for each rung (entering one is for a whole process), and the helper that steps run in.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]
#![expect(clippy::print_stdout, reason = "without a harness nobody else says how the tests went")]

#[path = "sandbox/bench.rs"]
mod bench;
#[path = "sandbox/cases.rs"]
mod cases;
#[path = "sandbox/limits.rs"]
mod limits;
#[path = "sandbox/mounts.rs"]
mod mounts;
#[path = "sandbox/proc.rs"]
mod proc;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;

use kaniko_runtime::sandbox::{self, Isolation, Landlock, Request, Sandbox};

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

type Case = (&'static str, fn(&Bench));

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("sandbox-init") => ExitCode::from(sandbox::init(&arguments[1..])),
        Some("--rung") => one_rung(&arguments[1], arguments.get(2).map_or("", String::as_str)),
        Some("--connect") => connect(&arguments[1]),
        Some("--calls") => {
            proc::calls(&arguments[1]);
            ExitCode::SUCCESS
        }
        Some("--list") => ExitCode::SUCCESS,
        filter => every_rung(filter.unwrap_or("")),
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

fn every_rung(filter: &str) -> ExitCode {
    if !Path::new(BUSYBOX).exists() {
        println!("sandbox: skipped, as there is no {BUSYBOX}");
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    for rung in ["namespaces", "chroot"] {
        #[expect(clippy::disallowed_methods, reason = "each rung wants a process of its own")]
        let status = std::process::Command::new("/proc/self/exe")
            .arg0("sandbox")
            .args(["--rung", rung, filter])
            .status()
            .unwrap();
        if !status.success() {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn one_rung(rung: &str, filter: &str) -> ExitCode {
    let request = if rung == "chroot" { Request::Chroot } else { Request::Namespaces };
    // Made before anything else runs in this process.
    let work = tempfile::tempdir().unwrap();
    let entered = match sandbox::enter(request, Landlock::Auto, work.path()) {
        Ok(entered) => entered,
        Err(refusal) => {
            println!("{rung}: skipped: {refusal}");
            return ExitCode::SUCCESS;
        }
    };
    let isolation = entered.isolation.unwrap();
    println!("{rung}: {isolation:?} {:?}", entered.passed_over);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let sandbox = Sandbox::new(entered, sandbox::Helper::default());
    let bench = Bench::new(runtime, sandbox, isolation, work.path());
    let mut cases: Vec<Case> = cases::EVERYWHERE.to_vec();
    cases.extend(mounts::EVERYWHERE);
    cases.extend(limits::EVERYWHERE);
    if matches!(isolation, Isolation::Namespaces { .. }) {
        cases.extend(cases::NAMESPACES);
        cases.extend(mounts::NAMESPACES);
        cases.extend(limits::NAMESPACES);
    } else {
        cases.extend(cases::CHROOT);
    }
    if matches!(isolation, Isolation::Chroot { proc: true }) {
        cases.extend(proc::CHROOT);
    }
    // What needs other users than root, where there may be none.
    let ids = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    if ids.split_whitespace().nth(2) == Some("1") {
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
