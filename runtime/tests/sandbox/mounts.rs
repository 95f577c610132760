//! What a step sees beside its root.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

use ir::op::InlineFile;
use kaniko_runtime::sandbox::{Exit, Isolation, Mapping, StepMount};
use rustix::fd::OwnedFd;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::Case;
use super::bench::{Bench, Plan, open};
use super::cases::ok;

pub(crate) const EVERYWHERE: &[Case] = &[
    ("a tmpfs", tmpfs),
    ("a secret", secret),
    ("a cache", cache),
    ("a bind", bind),
    ("a bind of a file", bind_file),
    ("a writable bind", writable_bind),
    ("mounts that hide something", hiding),
    ("mounts within mounts", nested),
    ("an agent", agent),
    ("scripts", scripts),
    ("a source that is not there", missing_source),
    ("no mount is left", no_mount_left),
];
pub(crate) const NAMESPACES: &[Case] = &[
    ("read-only mounts", read_only),
    ("a full tmpfs", full),
    ("a root that is attached nowhere", detached_root),
    ("a bind of something attached nowhere", detached_bind),
];

fn tmpfs(bench: &Bench) {
    let root = bench.root();
    let before = root.listing();
    let mount =
        StepMount::Tmpfs { target: "/var/tmp/t".to_owned(), size: Some(1 << 20), readonly: false };
    let plan =
        Plan::sh("echo x >/var/tmp/t/file; ls /var/tmp/t; stat -c %a /var/tmp/t").mount(mount);
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["file", "1777"]);
    assert_eq!(root.listing(), before);
}

fn full(bench: &Bench) {
    let mount = StepMount::Tmpfs { target: "/t".to_owned(), size: Some(64 << 10), readonly: false };
    let outcome = bench.run(Plan::sh("dd if=/dev/zero of=/t/x bs=1k count=1000").mount(mount));
    assert_eq!(outcome.exit, Exit::Code(1));
}

fn secret(bench: &Bench) {
    let root = bench.root();
    let before = root.listing();
    let mount = StepMount::Secret {
        target: "/run/secrets/token".to_owned(),
        content: b"hush\n".to_vec(),
        mode: 0o440,
        uid: 101,
        gid: 30,
    };
    let script = "cat /run/secrets/token; stat -c '%a %u %g' /run/secrets/token";
    let plan = Plan::sh(script).user("web").mount(mount);
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["hush", "440 101 30"]);
    assert_eq!(root.listing(), before);
}

fn cache(bench: &Bench) {
    let directory = bench.directory();
    let mount = || StepMount::Cache {
        target: "/root/.cache".to_owned(),
        directory: directory.clone(),
        readonly: false,
    };
    for count in 1..3 {
        let root = bench.root();
        let before = root.listing();
        let script = "echo x >>/root/.cache/log; cat /root/.cache/log | wc -l";
        let lines = ok(bench.run_in(&root, Plan::sh(script).mount(mount())).unwrap());
        assert_eq!(lines, [count.to_string()]);
        assert_eq!(root.listing(), before);
    }
    // Also when the step fails.
    bench.run(Plan::sh("echo x >>/root/.cache/log; exit 1").mount(mount()));
    assert_eq!(fs::read_to_string(directory.join("log")).unwrap(), "x\nx\nx\n");
}

fn source(bench: &Bench) -> std::path::PathBuf {
    let directory = bench.directory();
    fs::create_dir_all(directory.join("sub/deep")).unwrap();
    fs::write(directory.join("sub/file"), "content\n").unwrap();
    fs::write(directory.join("sub/deep/er"), "deep\n").unwrap();
    directory
}

fn bind_of(directory: &std::path::Path, source: &str, target: &str, writable: bool) -> StepMount {
    StepMount::Bind {
        target: target.to_owned(),
        from: open(directory),
        source: source.to_owned(),
        writable,
    }
}

fn bind(bench: &Bench) {
    let directory = source(bench);
    let root = bench.root();
    let before = root.listing();
    let plan =
        Plan::sh("cat /src/file /src/deep/er").mount(bind_of(&directory, "sub", "/src", false));
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["content", "deep"]);
    let plan = Plan::sh("cat /src/sub/file").mount(bind_of(&directory, "", "/src", false));
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["content"]);
    assert_eq!(root.listing(), before);
}

fn bind_file(bench: &Bench) {
    let directory = source(bench);
    let root = bench.root();
    let before = root.listing();
    let mount = bind_of(&directory, "/sub/file", "/etc/app/conf", false);
    assert_eq!(
        ok(bench.run_in(&root, Plan::sh("cat /etc/app/conf").mount(mount)).unwrap()),
        ["content"]
    );
    assert_eq!(root.listing(), before);
}

fn writable_bind(bench: &Bench) {
    let directory = source(bench);
    let script =
        "echo more >>/src/file; rm -r /src/deep; mkdir /src/deep; ls /src/deep; cat /src/file";
    let plan = Plan::sh(script).mount(bind_of(&directory, "sub", "/src", true));
    assert_eq!(ok(bench.run(plan)), ["content", "more"]);
    let plan =
        Plan::sh("echo more >>/f; cat /f").mount(bind_of(&directory, "sub/file", "/f", true));
    assert_eq!(ok(bench.run(plan)), ["content", "more"]);
    assert_eq!(fs::read_to_string(directory.join("sub/file")).unwrap(), "content\n");
    assert!(directory.join("sub/deep/er").exists());
}

fn hiding(bench: &Bench) {
    let directory = source(bench);
    let root = bench.root();
    let before = root.listing();
    let plan = Plan::sh("ls /etc; cat /etc/file").mount(bind_of(&directory, "sub", "/etc", false));
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["deep", "file", "content"]);
    assert_eq!(root.listing(), before);
}

fn nested(bench: &Bench) {
    let directory = source(bench);
    let root = bench.root();
    let before = root.listing();
    let plan = Plan::sh("ls /work; cat /work/in/file")
        .mount(StepMount::Tmpfs { target: "/work".to_owned(), size: None, readonly: false })
        .mount(bind_of(&directory, "sub", "/work/in", false));
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["in", "content"]);
    assert_eq!(root.listing(), before);
}

fn agent(bench: &Bench) {
    let path = bench.directory().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(b"key\n").unwrap();
        asked
    });
    let root = bench.root();
    root.install_client();
    let before = root.listing();
    let mount = StepMount::Ssh {
        target: "/run/buildkit/ssh_agent.0".to_owned(),
        socket: path,
        mode: 0o600,
        uid: 101,
        gid: 0,
    };
    let script = "stat -c '%a %u %F' /run/buildkit/ssh_agent.0; /bin/client --connect /run/buildkit/ssh_agent.0";
    let plan = Plan::sh(script).user("web").mount(mount);
    let outcome = bench.run_in(&root, plan).unwrap();
    assert_eq!(outcome.out, ["600 101 socket", "key"], "{outcome:?}");
    assert_eq!(&answering.join().unwrap(), b"ask\n");
    assert_eq!(root.listing(), before);
}

fn scripts(bench: &Bench) {
    let root = bench.root();
    let before = root.listing();
    let content = "#!/bin/sh\necho from $0\n".to_owned();
    let plan = Plan {
        scripts: vec![InlineFile { name: "EOF".to_owned(), content }],
        ..Plan::sh("stat -c %a /dev/pipes/EOF; /dev/pipes/EOF")
    };
    let lines = ok(bench.run_in(&root, plan.user("web")).unwrap());
    assert_eq!(lines, ["755", "from /dev/pipes/EOF"]);
    assert_eq!(root.listing(), before);
}

fn missing_source(bench: &Bench) {
    let directory = source(bench);
    let root = bench.root();
    let before = root.listing();
    let plan = Plan::sh("true").mount(bind_of(&directory, "none", "/src", false));
    let error = bench.run_in(&root, plan).unwrap_err().to_string();
    assert!(error.contains("`/src`"), "{error}");
    assert_eq!(root.listing(), before);
}

fn read_only(bench: &Bench) {
    let directory = source(bench);
    let cache = StepMount::Cache {
        target: "/cache".to_owned(),
        directory: directory.clone(),
        readonly: true,
    };
    let memory = StepMount::Tmpfs { target: "/t".to_owned(), size: None, readonly: true };
    let script = "touch /src/x; touch /cache/x; touch /t/x; echo >>/src/file; \
                  mount -o remount,rw /src";
    let plan = Plan::sh(script)
        .mount(bind_of(&directory, "sub", "/src", false))
        .mount(cache)
        .mount(memory);
    let outcome = bench.run(plan);
    assert_ne!(outcome.exit, Exit::Code(0));
    let refused = outcome.err.iter().filter(|line| line.contains("ead-only file system"));
    assert_eq!(refused.count(), 4, "{outcome:?}");
    assert!(!directory.join("x").exists());
}

/// An overlay on a directory, as a snapshotter makes it.
fn overlay(bench: &Bench, lower: &std::path::Path) -> (OwnedFd, std::path::PathBuf) {
    let upper = bench.directory();
    let work = bench.directory();
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).unwrap();
    for (key, path) in [("lowerdir", lower), ("upperdir", &upper), ("workdir", &work)] {
        rustix::mount::fsconfig_set_string(&context, key, path).unwrap();
    }
    let own = Mapping::Machine;
    if matches!(bench.isolation, Isolation::Namespaces { mapping, .. } if mapping != own) {
        rustix::mount::fsconfig_set_flag(&context, "userxattr").unwrap();
    }
    rustix::mount::fsconfig_create(&context).unwrap();
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    (rustix::mount::fsmount(&context, flags, MountAttrFlags::empty()).unwrap(), upper)
}

fn detached_root(bench: &Bench) {
    let root = bench.root();
    let (mount, upper) = overlay(bench, &root.path);
    let plan = Plan::sh("echo x >/opt/made; rm /etc/group; ls /dev/null /etc/hosts");
    let plan = Plan { root: Some(mount), ..plan };
    fs::create_dir(root.path.join("opt")).unwrap();
    assert_eq!(ok(bench.run_in(&root, plan).unwrap()), ["/dev/null", "/etc/hosts"]);
    assert_eq!(fs::read_to_string(upper.join("opt/made")).unwrap(), "x\n");
    assert!(root.path.join("etc/group").exists());
    assert!(upper.join("etc/group").symlink_metadata().is_ok(), "a whiteout");
    for stub in ["dev", "proc", "sys", "etc/hosts", "etc/resolv.conf"] {
        assert!(upper.join(stub).symlink_metadata().is_err(), "{stub}");
    }
}

fn detached_bind(bench: &Bench) {
    let directory = source(bench);
    let (view, _) = overlay(bench, &directory);
    // One mount may be shown more than once, in one step.
    let mount = |target: &str, writable| StepMount::Bind {
        target: target.to_owned(),
        from: view.try_clone().unwrap(),
        source: "sub".to_owned(),
        writable,
    };
    let plan = Plan::sh("echo more >>/b/file; cat /a/file /b/file");
    let plan = plan.mount(mount("/a", false)).mount(mount("/b", true));
    assert_eq!(ok(bench.run(plan)), ["content", "content", "more"]);
}

fn no_mount_left(bench: &Bench) {
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let directory = source(bench);
    for script in ["true", "exit 1", "kill -9 $$"] {
        bench.run(Plan::sh(script).mount(bind_of(&directory, "sub", "/src", true)));
    }
    assert_eq!(mounts(), before);
}
