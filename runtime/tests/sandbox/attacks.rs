//! What a hostile command tries, each of it refused.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ir::instruction::Security;
use kaniko_runtime::sandbox::{Isolation, Mapping, SandboxError, StepMount};
use kaniko_tests::attack::{self, Attempts, FILES, KERNEL, LEFTOVERS, PROCESSES};

use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, Signal};

use super::Case;
use super::bench::{self, Bench, Plan, Root};
use super::cases::ok;

pub(crate) const EVERYWHERE: &[Case] = &[
    ("attacks on processes", processes),
    ("attacks on files", files),
    ("attacks on the kernel", kernel),
    ("attacks through a cache", cache),
    ("attacks by devices that are there", devices),
    ("attacks by what is left", leftovers),
    ("attacks by what a killed helper leaves", orphans),
];
pub(crate) const PRIVILEGED: &[Case] = &[("attacks of the trusted", trusted)];

impl Root {
    /// Puts Perl and its libraries into the root.
    fn install_perl(&self) {
        for (from, to) in attack::perl() {
            self.install(&from, &to);
        }
    }

    fn install(&self, from: &Path, to: &str) {
        let to = self.path.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

fn attack(bench: &Bench, root: &Root, script: &str, arguments: &[&str]) -> Attempts {
    attempts(&lines(bench, root, script, arguments))
}

fn attempts(lines: &[String]) -> Attempts {
    Attempts::read(lines.iter().map(String::as_str))
}

fn lines(bench: &Bench, root: &Root, script: &str, arguments: &[&str]) -> Vec<String> {
    ok(bench.run_in(root, plan(bench, root, script, arguments)).unwrap())
}

fn plan(bench: &Bench, root: &Root, script: &str, arguments: &[&str]) -> Plan {
    root.install_perl();
    fs::write(root.path.join("tmp/attack"), attack::script(script)).unwrap();
    let mut plan = Plan::argv(&["perl", "/tmp/attack"]);
    plan.argv.extend(arguments.iter().map(ToString::to_string));
    let directory = bench.directory();
    plan.mount(StepMount::Cache { target: "/cache".to_owned(), directory, readonly: false })
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
    let mut attempts = attack(bench, &bench.root(), PROCESSES, &[&builder, &other]);
    for (what, came) in attempts.take(|what| what.starts_with("own ")).iter() {
        // Where others share the processes' numbers, limits cannot be read by number at all.
        let refused = what == "own limit" && !own_pids(bench);
        assert_eq!(came.is_some(), refused, "{what}: {came:?}");
    }
    if own_pids(bench) {
        // Its init is the first of the namespace, which is deaf to signals from there. Killed by its
        // limits, it takes nothing but the step with it.
        let signals = ["signal", "thread", "queue", "pidfd", "limit"];
        attempts.forget(|what| signals.iter().any(|it| what == format!("init {it}")));
    }
    attempts.assert_refused();
}

fn files(bench: &Bench) {
    let store = bench.directory();
    let secret = store.join("secret");
    fs::write(&secret, "x").unwrap();
    let root = bench.root();
    let before = Root { path: store.clone(), scratch: store.clone() }.listing();
    let (secret, directory) = (secret.display().to_string(), store.display().to_string());
    let mut attempts = attack(bench, &root, FILES, &[&secret, &directory]);
    if matches!(bench.isolation, Isolation::Namespaces { mapping: Mapping::Single, .. }) {
        // It is only pretended, as is seen below.
        attempts.forget(|what| what.ends_with(": owner"));
    }
    attempts.assert_refused();
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
        assert!(attempts.has_done(what), "{what}: {attempts:?}");
    }
}

fn kernel(bench: &Bench) {
    let name = format!("kaniko-attack-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let mut attempts = attack(bench, &bench.root(), KERNEL, &[&name]);
    attempts.take(|what| what == "own socket").assert_done();
    attempts.assert_refused();
}

/// An image and what is mounted can bring devices along.
fn devices(bench: &Bench) {
    let root = bench.root();
    let context = bench.directory();
    let make = |path: &Path| {
        let disk = rustix::fs::makedev(7, 0);
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, path, FileType::BlockDevice, mode, disk)
    };
    if make(&context.join("disk")).is_err() {
        // Nor then could it have been unpacked.
        assert!(matches!(bench.isolation, Isolation::Namespaces { .. }));
        return;
    }
    let run = |script: &str, from: &Path| {
        let mount = StepMount::Bind {
            target: "/mnt".to_owned(),
            from: bench::open(from),
            source: String::new(),
            writable: false,
        };
        bench.run_in(&root, Plan::sh(script).mount(mount))
    };
    let assert_refused = |ended: Result<bench::Outcome, SandboxError>| match ended {
        Ok(outcome) => assert_eq!(outcome.out, ["refused"], "{outcome:?}"),
        Err(error) => assert!(matches!(error, SandboxError::Device { .. }), "{error}"),
    };
    assert_refused(run("head -c 1 /mnt/disk 2>/dev/null || echo refused", &context));
    make(&root.path.join("tmp/disk")).unwrap();
    assert_refused(run("head -c 1 /tmp/disk 2>/dev/null || echo refused", &bench.directory()));
    fs::remove_file(root.path.join("tmp/disk")).unwrap();
    // Another `/dev` is put in place of the image's own.
    fs::create_dir(root.path.join("dev")).unwrap();
    make(&root.path.join("dev/disk")).unwrap();
    let null = rustix::fs::makedev(1, 3);
    rustix::fs::mknodat(
        CWD,
        root.path.join("tmp/null"),
        FileType::CharacterDevice,
        Mode::RUSR,
        null,
    )
    .unwrap();
    assert_eq!(ok(run("test ! -e /dev/disk && echo ran", &bench.directory()).unwrap()), ["ran"]);
}

/// What is put in place of a cache is not what the next step gets, nor does it lead the builder
/// anywhere.
fn cache(bench: &Bench) {
    let directory = bench.directory();
    let run = |script: &str| {
        let target = "/mnt/cache".to_owned();
        let mount = StepMount::Cache { target, directory: directory.clone(), readonly: false };
        ok(bench.run(Plan::sh(script).mount(mount)))
    };
    let replace =
        "cd /mnt && touch cache/kept && rm -r cache 2>/dev/null; ln -s / cache 2>/dev/null";
    run(&format!("{replace}; cd /; mv /mnt /moved 2>/dev/null; ln -s / /mnt 2>/dev/null; true"));
    let left = fs::symlink_metadata(&directory);
    assert!(left.as_ref().map_or(true, fs::Metadata::is_dir), "{left:?}");
    // Whoever finds it gone makes it anew.
    fs::create_dir_all(&directory).unwrap();
    assert_eq!(run("ls /mnt/cache/; ls -d /mnt/cache/bin 2>/dev/null; true"), [""; 0]);
}

fn leftovers(bench: &Bench) {
    let word = format!("kaniko-left-{}", std::process::id());
    for _ in 0..3 {
        assert_eq!(lines(bench, &bench.root(), LEFTOVERS, &[&word]), ["left"]);
        assert_eq!(named(&word), Vec::<String>::new());
    }
}

fn orphans(bench: &Bench) {
    let word = format!("kaniko-orphan-{}", std::process::id());
    let script = format!("{LEFTOVERS}\nsleep 1000 while 1;");
    for _ in 0..3 {
        let root = bench.root();
        let plan = plan(bench, &root, &script, &[&word]);
        // As a command does that may send signals to everyone.
        let kill = |_, line: &str| {
            assert_eq!(line, "left");
            rustix::process::kill_process(helper(), Signal::KILL).unwrap();
        };
        let ended = bench.runtime.block_on(bench.step(&root, plan, kill));
        assert!(matches!(ended, Err(SandboxError::Lost)), "{ended:?}");
        assert_eq!(named(&word), Vec::<String>::new());
    }
}

/// The helper of the only step.
fn helper() -> Pid {
    #[expect(clippy::disallowed_methods, reason = "the order does not matter")]
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let children = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let children: String = children.map(Result::unwrap).collect();
    let is_helper = |pid: &&str| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline"));
        line.is_ok_and(|line| line.contains("sandbox-init"))
    };
    let helper = children.split_ascii_whitespace().find(is_helper).unwrap();
    Pid::from_raw(helper.parse().unwrap()).unwrap()
}

/// The processes of the machine whose command line begins with a word.
fn named(word: &str) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the order does not matter")]
    let processes = fs::read_dir("/proc").unwrap();
    let lines =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| line.starts_with(word)).collect()
}
