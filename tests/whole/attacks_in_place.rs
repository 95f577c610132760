//! What a hostile command gains where nothing confines it: what `docs/isolation.md` says of it, and
//! no more.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::sync::Arc;

use kaniko_tests::attack::{self, Attempts};
use kaniko_tests::bundle::{self, Container};
use kaniko_tests::kaniko::Outcome;

use crate::in_place::{self, MARKER};

/// As a runner of jobs does it: a shell is the first process, and starts another one and kaniko. What
/// still runs when kaniko has ended is looked for in the end.
const START: [&str; 5] = [
    "/kaniko/busybox",
    "sh",
    "-c",
    "/kaniko/busybox sleep 1000 & \"$@\"; code=$?; \
     /kaniko/busybox cat /proc/[0-9]*/cmdline >/kaniko/left; exit $code",
    "runner",
];

/// Their numbers in a new pid namespace.
const PROCESSES: [&str; 2] = ["bystander=2", "builder=3"];

/// What a pod gets mounted.
const TOKEN: &str = "/run/secrets/token";

/// What kaniko is given.
const CREDENTIALS: &str = r#"{"auths":{}}"#;

/// What is done to a process by its number, and wants no more than to be the same user.
const BY_NUMBER: [&str; 5] = [" signal", " thread", " queue", " pidfd", " limit"];

/// A line that tells the outputs of commands apart.
const MARK: &str = "attack on ";

fn dockerfile(socket: &str) -> String {
    let attacks = [
        ("processes", PROCESSES.join(" ")),
        ("files", format!("{TOKEN} /kaniko/store")),
        ("kernel", socket.to_owned()),
        ("leftovers", LEFT.to_owned()),
    ];
    let attacks = attacks.map(|(attack, arguments)| {
        format!(
            "RUN --mount=type=bind,source=attack,target=/attack --mount=type=cache,target=/cache \
             echo {MARK}{attack} && perl /attack/{attack}.pl {arguments}\n"
        )
    });
    format!(
        "FROM base\nCOPY --chmod=755 perl/ /\n\
         RUN cat /proc/2/comm /proc/3/comm /kaniko/.docker/config.json && echo\n{}\
         RUN cat /proc/*/cmdline | grep -c ^{LEFT} || true\n",
        attacks.concat()
    )
}

const LEFT: &str = "kaniko-left-in-place";

/// The container and the machine have the same network, so the same abstract sockets.
fn container(capabilities: &[&'static str]) -> Container {
    let container = in_place::container(capabilities)
        .file(MARKER, "")
        .file("kaniko/.docker/config.json", CREDENTIALS)
        .file("kaniko/store/file", "")
        .program("kaniko/busybox", Path::new("/bin/busybox"))
        .machine_network()
        .under(&START);
    let token = container.path("token");
    fs::write(&token, "token").unwrap();
    container.bind(&token, Path::new(TOKEN), true)
}

fn build(landlock: &str, capabilities: &[&'static str]) -> Outcome {
    let name = format!("kaniko-attack-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let container = Arc::new(container(capabilities));
    let mut build = in_place::build(&dockerfile(&name), "in-place", &container);
    for (from, to) in attack::perl() {
        build = build.file(&format!("perl/{to}"), fs::read(from).unwrap());
    }
    for (name, script) in [
        ("processes", attack::PROCESSES),
        ("files", attack::FILES),
        ("kernel", attack::KERNEL),
        ("leftovers", attack::LEFTOVERS),
    ] {
        build = build.file(&format!("attack/{name}.pl"), attack::script(script));
    }
    build.option("--isolation-landlock", landlock).succeed()
}

/// What the command of an attack has said.
fn said<'a>(outcome: &'a Outcome, attack: &str) -> impl Iterator<Item = &'a str> {
    let mark = format!("{MARK}{attack}");
    let lines = outcome.lines().skip_while(move |line| *line != mark).skip(1);
    lines.take_while(|line| !line.starts_with(MARK))
}

fn is_of(what: &str, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| what.ends_with(kind))
}

/// Where the engine's own filter does not forbid it, which it does for whatever is not allowed.
const FORBIDDEN: [&str; 3] = [" read", " write", " descriptor"];

#[test]
fn what_is_within_reach_in_place_is_what_is_documented() {
    // Who has more capabilities is not looked into. These containers have no device cgroup, so that
    // commands have one less than kaniko, if that can make devices.
    let no_devices = bundle::DOCKER.into_iter().filter(|name| *name != "CAP_MKNOD");
    let outcome = build("auto", &no_devices.collect::<Vec<_>>());
    let first: Vec<&str> = outcome.lines().take(3).collect();
    assert_eq!(first, ["busybox", "executor", CREDENTIALS]);

    let mut processes = Attempts::read(said(&outcome, "processes"));
    processes.take(|what| is_of(what, &FORBIDDEN)).assert_refused();
    processes.take(|what| what.starts_with("own ")).assert_done();
    // Nobody looks into the builder, though anyone may end it.
    processes.take(|what| what.starts_with("bystander ")).assert_done();
    processes.take(|what| what.starts_with("builder ") && is_of(what, &BY_NUMBER)).assert_done();
    processes.forget(|what| !what.starts_with("builder ") && is_of(what, &BY_NUMBER));
    processes.assert_refused();

    assert_files(&outcome);
    let mut kernel = Attempts::read(said(&outcome, "kernel"));
    kernel.take(|what| what.ends_with(" socket")).assert_done();
    kernel.assert_refused();
    assert_eq!(said(&outcome, "leftovers").collect::<Vec<_>>(), ["left", "0"]);
}

#[test]
fn landlock_in_place_keeps_commands_to_their_own_processes_and_sockets() {
    let outcome = build("on", &bundle::DOCKER);
    let mut processes = Attempts::read(said(&outcome, "processes"));
    processes.take(|what| is_of(what, &FORBIDDEN)).assert_refused();
    // By number no limits can be read at all.
    processes.take(|what| what == "own limit").assert_refused();
    processes.take(|what| what.starts_with("own ")).assert_done();
    processes.assert_refused();

    assert_files(&outcome);
    let mut kernel = Attempts::read(said(&outcome, "kernel"));
    kernel.take(|what| what == "own socket").assert_done();
    kernel.assert_refused();
    assert_eq!(said(&outcome, "leftovers").collect::<Vec<_>>(), ["left", "0"]);
}

#[test]
fn a_command_in_place_that_kills_what_watches_it_leaves_nothing() {
    let container = Arc::new(container(&bundle::DOCKER));
    // The parent of this one's parent.
    let kill = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)";
    let dockerfile = format!("FROM base\nRUN (setsid sleep 86423 &) ; {kill}; sleep 86423\n");
    let outcome = in_place::build(&dockerfile, "in-place", &container).fail();
    outcome.says(&["cannot learn how the command ended"]);
    let left = fs::read_to_string(container.path("upper/kaniko/left")).unwrap();
    assert!(left.contains("sleep\x001000") && !left.contains("86423"), "{left:?}");
}

/// All files of the container are within reach, as far as it may change them, and nothing else.
#[track_caller]
fn assert_files(outcome: &Outcome) {
    let mut files = Attempts::read(said(outcome, "files"));
    let reached = [": read", ": read upwards", ": write", ": make a directory", ": follow"];
    files.take(|what| is_of(what, &reached) || what == "through a process").assert_done();
    files.assert_refused();
}
