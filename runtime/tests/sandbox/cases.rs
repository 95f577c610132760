//! What a command is, sees, and leaves.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ir::instruction::{Network, Security};
use kaniko_runtime::sandbox::{Exit, Isolation, SandboxError};

use super::Case;
use super::bench::{Bench, Outcome, Plan};

pub(crate) const EVERYWHERE: &[Case] = &[
    ("exit codes", exit_codes),
    ("signals", signals),
    ("output", output),
    ("a large output", large_output),
    ("a command that is not there", not_there),
    ("a command that cannot be executed", not_executable),
    ("users", users),
    ("unknown users", unknown_users),
    ("working directory", working_directory),
    ("environment", environment),
    ("capabilities", capabilities),
    ("standard input", standard_input),
    ("descriptors", descriptors),
    ("umask and session", umask),
    ("devices", devices),
    ("files about the network", network_files),
    ("network none", no_network),
    ("the builder's files", builders_files),
    ("left-behind processes", left_behind),
    ("cancelling", cancelling),
    ("cancelling_a_flood", cancelling_a_flood),
    ("nothing is left in the root", nothing_left),
    ("what the step makes stays", made_stays),
    ("steps side by side", side_by_side),
];
pub(crate) const NAMESPACES: &[Case] = &[
    ("host name", host_name),
    ("own processes", own_processes),
    ("pseudo terminals", terminals),
    ("standard streams by name", streams_by_name),
    ("proc is protected", protected_proc),
    ("insecure steps", insecure),
    ("sysv and shared memory", shared_memory),
];
pub(crate) const SINGLE_ID: &[Case] = &[("other users are pretended", pretended_users)];
pub(crate) const CHROOT: &[Case] =
    &[("no second chroot", no_second_chroot), ("a killed init", killed_init)];

#[track_caller]
pub(crate) fn ok(outcome: Outcome) -> Vec<String> {
    assert_eq!(outcome.exit, Exit::Code(0), "{outcome:?}");
    outcome.out
}

fn exit_codes(bench: &Bench) {
    for code in [0, 1, 42, 255] {
        let outcome = bench.run(Plan::sh(&format!("exit {code}")));
        assert_eq!(outcome.exit, Exit::Code(code), "{outcome:?}");
    }
}

fn signals(bench: &Bench) {
    let outcome = bench.run(Plan::sh("kill -TERM $$"));
    assert_eq!(outcome.exit, Exit::Signal(15));
    // With the default action of SIGPIPE, which Rust programs do not have.
    let outcome = bench.run(Plan::sh("(seq 1 100000; echo $? >&2) | head -1"));
    assert_eq!((outcome.out, outcome.err), (vec!["1".to_owned()], vec!["141".to_owned()]));
}

fn output(bench: &Bench) {
    let outcome = bench.run(Plan::sh("echo one; echo two >&2; printf 'no end'"));
    assert_eq!(outcome.out, ["one", "no end"]);
    assert_eq!(outcome.err, ["two"]);
}

fn large_output(bench: &Bench) {
    let lines = ok(bench.run(Plan::sh("seq 1 50000")));
    assert_eq!(lines.len(), 50_000);
    assert_eq!(lines.last().unwrap(), "50000");
}

fn not_there(bench: &Bench) {
    let outcome = bench.run(Plan::argv(&["nope", "x"]));
    assert_eq!(outcome.exit, Exit::Code(127));
    assert_eq!(outcome.err, ["cannot find `nope` in PATH `/bin`"]);
    let outcome = bench.run(Plan::argv(&["/nope"]));
    assert_eq!(outcome.exit, Exit::Code(127));
    assert!(outcome.err[0].contains("`/nope`"), "{outcome:?}");
    assert_eq!(ok(bench.run(Plan::argv(&["echo", "found"]))), ["found"]);
}

fn not_executable(bench: &Bench) {
    let root = bench.root();
    fs::write(root.path.join("bin/data"), "x").unwrap();
    let outcome = bench.run_in(&root, Plan::argv(&["data"])).unwrap();
    assert_eq!(outcome.exit, Exit::Code(126));
    assert!(outcome.err[0].contains("`data`"), "{outcome:?}");
}

fn pretended_users(bench: &Bench) {
    let root = bench.root();
    fs::create_dir_all(root.path.join("etc/apt/apt.conf.d")).unwrap();
    let script = "chown 5:6 /tmp && stat -c %u:%g /tmp && id -u && cat /etc/apt/apt.conf.d/*";
    let out = ok(bench.run_in(&root, Plan::sh(script).user("1000:1000")).unwrap());
    assert_eq!(out, ["0:0", "0", "APT::Sandbox::User \"root\";"]);
    // Empty again.
    fs::remove_dir(root.path.join("etc/apt/apt.conf.d")).unwrap();
}

fn users(bench: &Bench) {
    let id = |user: &str| ok(bench.run(Plan::sh("id -u; id -g; id -G; echo $HOME").user(user)));
    assert_eq!(id(""), ["0", "0", "0", "/root"]);
    assert_eq!(id("web"), ["101", "102", "102 30", "/home/web"]);
    assert_eq!(id("101:30"), ["101", "30", "30", "/home/web"]);
    assert_eq!(id("4000:5000"), ["4000", "5000", "5000", "/"]);
    let mine = "touch /tmp/mine && stat -c %u:%g /tmp/mine";
    let root = bench.root();
    fs::set_permissions(root.path.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(ok(bench.run_in(&root, Plan::sh(mine).user("web")).unwrap()), ["101:102"]);
}

fn unknown_users(bench: &Bench) {
    let error = bench.run_in(&bench.root(), Plan::sh("true").user("nobody")).unwrap_err();
    assert!(matches!(&error, SandboxError::User(_)), "{error:?}");
    assert!(error.to_string().contains("`nobody`"), "{error}");
}

fn working_directory(bench: &Bench) {
    let plan = Plan { cwd: "/tmp".to_owned(), ..Plan::sh("pwd") };
    assert_eq!(ok(bench.run(plan)), ["/tmp"]);
    let plan = Plan { cwd: "/missing".to_owned(), ..Plan::sh("pwd") };
    let error = bench.run_in(&bench.root(), plan).unwrap_err();
    assert_eq!(error.to_string(), "cannot enter the working directory `/missing`");
}

fn environment(bench: &Bench) {
    let mut plan = Plan::sh("env");
    plan.env.extend([("A".to_owned(), "1 \n2".to_owned()), ("HOME".to_owned(), "/h".to_owned())]);
    let mut lines = ok(bench.run(plan));
    lines.retain(|line| !["PWD=", "SHLVL=", "OLDPWD="].iter().any(|own| line.starts_with(own)));
    lines.sort();
    assert_eq!(lines, ["2", "A=1 ", "HOME=/h", "PATH=/bin"]);
}

fn capabilities(bench: &Bench) {
    // There is no /proc in a chroot; what cannot be done without the capability is there.
    let lines = ok(bench.run(Plan::sh("mount -t tmpfs x /tmp 2>/dev/null && echo mounted; true")));
    assert!(lines.is_empty(), "{lines:?}");
    if matches!(bench.isolation, Isolation::Chroot { .. }) {
        return;
    }
    let status = "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)|^NoNew' /proc/self/status";
    let lines = ok(bench.run(Plan::sh(status)));
    let fourteen = "00000000a80425fb";
    let none = "0000000000000000";
    for (line, expected) in lines.iter().zip([none, fourteen, fourteen, fourteen, none, "0"]) {
        assert_eq!(line.split_whitespace().nth(1), Some(expected), "{lines:?}");
    }
    let lines = ok(bench.run(Plan::sh(status).user("web")));
    for (line, expected) in lines.iter().zip([none, none, none, fourteen, none, "0"]) {
        assert_eq!(line.split_whitespace().nth(1), Some(expected), "{lines:?}");
    }
}

fn standard_input(bench: &Bench) {
    assert_eq!(ok(bench.run(Plan::sh("cat; echo end"))), ["end"]);
}

fn descriptors(bench: &Bench) {
    let script =
        "for fd in 3 4 5 6 7 8 9; do (eval \"true <&$fd\") 2>/dev/null && echo $fd; done; true";
    let lines = ok(bench.run(Plan::sh(script)));
    assert!(lines.is_empty(), "{lines:?}");
}

fn umask(bench: &Bench) {
    assert_eq!(ok(bench.run(Plan::sh("umask; tty || true")))[0], "0022");
}

fn devices(bench: &Bench) {
    let script = "echo x >/dev/null && test -z \"$(cat /dev/null)\" && head -c 4 /dev/zero | wc -c \
        && head -c 4 /dev/urandom | wc -c && echo x >/dev/full; echo $?; \
        stat -c '%a %t %T' /dev/null; touch /dev/shm/x && stat -c %a /dev/shm";
    let outcome = bench.run(Plan::sh(script));
    assert_eq!(ok(outcome), ["4", "4", "1", "666 1 3", "1777"]);
    let outcome = bench.run(Plan::sh("echo x >/dev/null").user("web"));
    ok(outcome);
}

fn network_files(bench: &Bench) {
    let root = bench.root();
    symlink("/run/dns/resolv.conf", root.path.join("etc/resolv.conf")).unwrap();
    fs::write(root.path.join("etc/hosts"), "the image's own\n").unwrap();
    let before = root.listing();
    let script = "cat /etc/resolv.conf; echo --; cat /etc/hosts; echo --; cat /etc/hostname";
    let lines = ok(bench.run_in(&root, Plan::sh(script)).unwrap());
    let mut parts = lines.split(|line| line == "--");
    let resolv = fs::read_to_string("/etc/resolv.conf").unwrap();
    assert_eq!(parts.next().unwrap().join("\n"), resolv.trim_end());
    assert_eq!(parts.next().unwrap()[0], "127.0.0.1\tlocalhost kaniko");
    assert_eq!(parts.next().unwrap(), ["kaniko"]);
    assert_eq!(root.listing(), before);
}

fn no_network(bench: &Bench) {
    let plan = |script: &str| Plan { network: Network::None, ..Plan::sh(script) };
    if matches!(bench.isolation, Isolation::Chroot { .. }) {
        let outcome = bench.run(plan("nc 127.0.0.1 9"));
        assert!(outcome.err[0].contains("ermission denied"), "{outcome:?}");
        return;
    }
    let lines = ok(bench.run(plan("ls /sys/class/net >/dev/null; grep -c : /proc/net/dev; \
        grep -o 'lo:' /proc/net/dev; ip addr show lo | grep -o 'LOOPBACK,UP'; ip addr show lo | grep -o 127.0.0.1/8")));
    assert_eq!(lines, ["1", "lo:", "LOOPBACK,UP", "127.0.0.1/8"]);
}

fn builders_files(bench: &Bench) {
    let secret = bench.directory().join("secret");
    fs::write(&secret, "x").unwrap();
    let script =
        format!("cat {}; ls /proc/1/root/ 2>/dev/null; cat /proc/1/environ", secret.display());
    let outcome = bench.run(Plan::sh(&script));
    assert_ne!(outcome.exit, Exit::Code(0));
    assert!(outcome.out.is_empty(), "{outcome:?}");
}

fn left_behind(bench: &Bench) {
    // The daemon writes to a directory that stays: if it lived on, it would go on doing so.
    let root = bench.root();
    let script = "(trap '' TERM HUP; exec setsid sh -c 'echo $$ >/tmp/pid; while :; do touch /tmp/alive; done') \
        & (setsid sleep 1000 &) ; while ! test -s /tmp/pid; do :; done; echo done";
    assert_eq!(ok(bench.run_in(&root, Plan::sh(script)).unwrap()), ["done"]);
    fs::remove_file(root.path.join("tmp/alive")).ok();
    // Everything of the step is a descendant of this process until it is dead.
    let (_, children) = descendants();
    assert_eq!(children, Vec::<String>::new());
    assert!(!root.path.join("tmp/alive").exists());
}

/// What runs below this process.
fn descendants() -> (usize, Vec<String>) {
    let mut found = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "only counted")]
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let mut count = 0;
    for thread in threads {
        count += 1;
        let children = fs::read_to_string(thread.unwrap().path().join("children")).unwrap();
        for child in children.split_whitespace() {
            found.push(fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default());
        }
    }
    (count, found)
}

fn cancelling(bench: &Bench) {
    let root = bench.root();
    let plan =
        Plan::sh("trap '' TERM; (setsid sleep 1000 &); echo started; sleep 1000; echo never");
    let cancel = plan.cancel.clone();
    let heard = AtomicBool::new(false);
    let before = root.listing();
    let result = bench.runtime.block_on(bench.step(&root, plan, |_, line| {
        assert_eq!(line, "started");
        heard.store(true, Ordering::Relaxed);
        cancel.cancel();
    }));
    assert!(matches!(result, Err(SandboxError::Cancelled)), "{result:?}");
    assert!(heard.load(Ordering::Relaxed));
    assert_eq!(descendants().1, Vec::<String>::new());
    assert_eq!(root.listing(), before);
}

/// What never stops writing must not keep the builder from hearing anything else.
fn cancelling_a_flood(bench: &Bench) {
    let plan = Plan::sh("yes");
    let cancel = plan.cancel.clone();
    let root = bench.root();
    let result = bench.runtime.block_on(bench.step(&root, plan, |_, _| cancel.cancel()));
    assert!(matches!(result, Err(SandboxError::Cancelled)), "{result:?}");
}

fn nothing_left(bench: &Bench) {
    for script in
        ["true", "exit 3", "echo x >/etc/resolv.conf; ls /dev /proc /sys >/dev/null; true"]
    {
        let root = bench.root();
        let before = root.listing();
        bench.run_in(&root, Plan::sh(script)).unwrap();
        assert_eq!(root.listing(), before, "{script}");
    }
    let root = bench.root();
    let before = root.listing();
    let plan = Plan { cwd: "/missing".to_owned(), ..Plan::sh("true") };
    bench.run_in(&root, plan).unwrap_err();
    assert_eq!(root.listing(), before);
}

fn made_stays(bench: &Bench) {
    let root = bench.root();
    ok(bench
        .run_in(&root, Plan::sh("echo x >/etc/made; mkdir -p /opt/a; touch /dev/pts-less"))
        .unwrap());
    assert_eq!(fs::read_to_string(root.path.join("etc/made")).unwrap(), "x\n");
    assert!(root.path.join("opt/a").is_dir());
    assert!(!root.path.join("dev").exists());
}

fn side_by_side(bench: &Bench) {
    let roots: Vec<_> = (0..4).map(|_| bench.root()).collect();
    let steps = roots.iter().enumerate().map(|(number, root)| {
        let script = format!("echo {number} >/tmp/me; sleep 0; cat /tmp/me");
        bench.step(root, Plan::sh(&script), |_, _| {})
    });
    let steps: Vec<_> = steps.collect();
    let outcomes = bench.runtime.block_on(futures_util::future::join_all(steps));
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(ok(outcome.unwrap()), [number.to_string()]);
    }
}

fn host_name(bench: &Bench) {
    assert_eq!(ok(bench.run(Plan::sh("hostname"))), ["kaniko"]);
    let script = "hostname; cat /etc/hostname; grep -c 'localhost build.example' /etc/hosts";
    let plan = Plan { hostname: Some("build.example"), ..Plan::sh(script) };
    assert_eq!(ok(bench.run(plan)), ["build.example", "build.example", "1"]);
    let hosts = vec![("db".to_owned(), [192, 0, 2, 7].into())];
    let plan = Plan { hosts, ..Plan::sh("grep -n db /etc/hosts | cut -d: -f2") };
    assert_eq!(ok(bench.run(plan)), ["192.0.2.7\tdb"]);
}

fn own_processes(bench: &Bench) {
    let Isolation::Namespaces { pids: true, .. } = bench.isolation else { return };
    let lines = ok(bench.run(Plan::sh("echo $$; for p in /proc/[0-9]*; do echo $p; done")));
    assert_eq!(lines, ["2", "/proc/1", "/proc/2"]);
    let outcome = bench.run(Plan::sh("kill -9 1; kill -9 -1; echo alive"));
    assert_eq!(outcome.out, ["alive"]);
}

fn terminals(bench: &Bench) {
    let script = "exec 3<>/dev/ptmx && ls /dev/pts && stat -c %a /dev/pts/ptmx";
    assert_eq!(ok(bench.run(Plan::sh(script).user("web"))), ["0", "ptmx", "666"]);
}

fn streams_by_name(bench: &Bench) {
    for user in ["", "web"] {
        let outcome =
            bench.run(Plan::sh("echo out >/dev/stdout; echo err >/dev/stderr").user(user));
        assert_eq!(
            (&outcome.out[..], &outcome.err[..]),
            (&["out".to_owned()][..], &["err".to_owned()][..])
        );
    }
}

fn protected_proc(bench: &Bench) {
    let Isolation::Namespaces { pids: true, .. } = bench.isolation else { return };
    // Kernels differ in what is there.
    for secret in ["/proc/keys", "/proc/timer_list", "/proc/kcore", "/proc/sched_debug"] {
        let outcome = bench.run(Plan::sh(&format!("head -c 1 {secret} | wc -c")));
        assert_eq!(outcome.out, ["0"], "{secret}");
    }
    for target in ["/proc/sys/kernel/panic", "/proc/sysrq-trigger", "/proc/irq/x", "/sys/x"] {
        if !Path::new(target).parent().unwrap().exists() {
            continue;
        }
        let outcome = bench.run(Plan::sh(&format!("echo 1 >{target}")));
        let refused = ["ead-only file system", "nonexistent"];
        assert!(refused.iter().any(|why| outcome.err[0].contains(why)), "{outcome:?}");
    }
}

fn insecure(bench: &Bench) {
    let script = "mount -t tmpfs x /tmp && grep -c ' /tmp ' /proc/self/mounts";
    let plan = Plan { security: Security::Insecure, ..Plan::sh(script) };
    assert_eq!(ok(bench.run(plan)), ["1"]);
}

fn shared_memory(bench: &Bench) {
    let lines = ok(bench.run(Plan::sh("ls /dev/shm /dev/mqueue; grep -c . /proc/sysvipc/shm")));
    assert!(lines.contains(&"1".to_owned()), "{lines:?}");
}

fn no_second_chroot(bench: &Bench) {
    let outcome = bench.run(Plan::sh("chroot / true"));
    assert!(outcome.err[0].contains("not permitted"), "{outcome:?}");
}

fn killed_init(bench: &Bench) {
    let root = bench.root();
    let before = root.listing();
    let script = "(setsid sleep 1000 &); kill -9 $PPID && sleep 1000";
    let ended = bench.run_in(&root, Plan::sh(script));
    match ended {
        // Landlock does not let it.
        Ok(outcome) => assert!(outcome.err[0].contains("not permitted"), "{outcome:?}"),
        Err(error) => assert!(matches!(error, SandboxError::Lost), "{error:?}"),
    }
    assert_eq!(descendants().1, Vec::<String>::new());
    assert_eq!(root.listing(), before);
}
