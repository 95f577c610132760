//! `/proc` and terminals in a chroot, which the step's helper answers for; and what a command
//! tries to get at through them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use kaniko_runtime::sandbox::Exit;

use super::Case;
use super::bench::{Bench, Plan};
use super::cases::ok;

pub(crate) const CHROOT: &[Case] = &[
    ("proc: files", files),
    ("proc: links", links),
    ("proc: lists", lists),
    ("proc: descriptors", descriptors),
    ("proc: descriptors by name", descriptors_by_name),
    ("proc: own processes only", own_only),
    ("proc: steps do not see each other", apart),
    ("proc: mounts", mounts),
    ("proc: links in the root", links_in_root),
    ("proc: working directory", working_directory),
    ("proc: programs by link", programs),
    ("proc: changes through links", changes),
    ("proc: files made through links", made),
    ("proc: a pipe in place of a file", replaced),
    ("proc: read-only", read_only),
    ("proc: other users", other_users),
    ("proc: the builder", builder),
    ("proc: the way out", way_out),
    ("proc: unreadable processes", unreadable),
    ("proc: signals by descriptor", signals),
    ("proc: stand-ins are no files", stand_ins),
    ("proc: many callers", many),
    ("proc: terminals", terminals),
];

fn run(bench: &Bench, script: &str) -> Vec<String> {
    ok(bench.run(Plan::sh(script)))
}

fn files(bench: &Bench) {
    let script = "cat /proc/self/comm /proc/$$/comm; \
        test $(cut -d' ' -f1 /proc/self/stat) != $$ && echo own; \
        grep -c MemTotal /proc/meminfo; cat /proc/sys/kernel/ostype; tr '\\0' ' ' </proc/$$/cmdline | cut -c1-10; \
        grep -c . /proc/uptime /proc/loadavg /proc/version /proc/filesystems | cut -d: -f2; \
        grep -c : /proc/net/dev >/dev/null && echo net; stat -c '%F' /proc/meminfo /proc/self/fd";
    let lines = run(bench, script);
    let expected = [
        "cat",
        "sh",
        "own",
        "1",
        "Linux",
        "/bin/sh -c",
        "1",
        "1",
        "1",
        "net",
        "regular empty file",
        "directory",
    ];
    let without_long: Vec<_> =
        lines.iter().filter(|line| !line.parse::<u32>().is_ok_and(|n| n > 1)).collect();
    assert_eq!(without_long, expected, "{lines:?}");
}

fn links(bench: &Bench) {
    let script = "cd /tmp; for l in self/exe $$/cwd $$/root mounts net; do readlink /proc/$l; done; \
        readlink /dev/fd; test $(readlink /proc/self) != $$ && echo other; \
        readlink /proc/$$/fd/1 | cut -d: -f1; exec 5</etc/passwd; readlink /proc/$$/fd/5; \
        rm /etc/passwd; readlink /proc/$$/fd/5; readlink /proc/$$/ns/uts | cut -d: -f1; \
        readlink /proc/self/comm || echo none";
    let expected = [
        "/bin/busybox",
        "/tmp",
        "/",
        "self/mounts",
        "self/net",
        "/proc/self/fd",
        "other",
        "pipe",
        "/etc/passwd",
        "/etc/passwd (deleted)",
        "uts",
        "none",
    ];
    assert_eq!(run(bench, script), expected);
}

fn lists(bench: &Bench) {
    let lines = run(bench, "ls /proc");
    for name in ["self", "thread-self", "meminfo", "mounts", "sys", "uptime"] {
        assert!(lines.iter().any(|line| line == name), "{name} {lines:?}");
    }
    for name in ["1", "kcore", "kmsg", "keys", "sysrq-trigger", "kallsyms", "interrupts"] {
        assert!(!lines.iter().any(|line| line == name), "{name} {lines:?}");
    }
    assert_eq!(
        run(bench, "ls /proc/$$/task | grep -cx $$; ls -d /proc/$$/task/*/comm | wc -l"),
        ["1", "1"]
    );
    assert_eq!(
        run(bench, "cd /proc/self/fd && ls -d ../comm; ls /proc/sys/kernel/random | head -1"),
        ["../comm", "boot_id"]
    );
    // A program that walks everything finds an end.
    run(bench, "find / -xdev >/dev/null; find /proc -name comm | head -1");
}

fn descriptors(bench: &Bench) {
    let lines = run(
        bench,
        "exec 5</etc/passwd; ls /proc/self/fd; ls -l /dev/fd/ | grep -c -- '5 -> /etc/passwd'",
    );
    // The list has itself in it, as ever.
    assert_eq!(lines, ["0", "1", "2", "3", "5", "1"]);
}

fn descriptors_by_name(bench: &Bench) {
    for user in ["", "web"] {
        let script = "echo out >/dev/stdout; echo err >/dev/stderr; echo in | cat /dev/stdin; \
            echo tee | tee /dev/stderr >/dev/null; echo a | { read x </dev/fd/0; echo $x; }; \
            echo self | cat /proc/self/fd/0; test -e /dev/fd/9 || echo none";
        let outcome = bench.run(Plan::sh(script).user(user));
        assert_eq!(outcome.out, ["out", "in", "a", "self", "none"], "{outcome:?}");
        assert_eq!(outcome.err, ["err", "tee"], "{outcome:?}");
    }
}

fn own_only(bench: &Bench) {
    let lines =
        run(bench, "sleep 1000 & ps -o pid,comm >/tmp/ps; tail -n +2 /tmp/ps; echo $! $$; kill $!");
    let numbers: Vec<&str> = lines.last().unwrap().split(' ').collect();
    let seen = lines[..lines.len() - 1].iter();
    // Busybox's shell executes itself for its commands, by `/proc/self/exe`.
    assert_eq!(seen.len(), 3, "{lines:?}");
    assert!(lines.iter().any(|line| line.trim().starts_with(numbers[0])), "{lines:?}");
    assert_eq!(
        run(bench, "pidof -s nothing-such; kill -0 $$ && test -d /proc/$$ && echo there"),
        ["there"]
    );
}

fn apart(bench: &Bench) {
    let roots = [bench.root(), bench.root()];
    let first = Plan::sh("echo $$; sleep 1000");
    let cancel = first.cancel.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let first = bench.step(&roots[0], first, |_, line| sender.send(line.to_owned()).unwrap());
    let second = async {
        let pid = loop {
            match receiver.try_recv() {
                Ok(pid) => break pid,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let script = format!(
            "kill -0 {pid} 2>/dev/null; cat /proc/{pid}/comm; cd /proc && ls -d {pid}; \
             cat {pid}/cmdline; readlink /proc/{pid}/root; ls /proc | grep -x {pid}; true"
        );
        let outcome = bench.step(&roots[1], Plan::sh(&script), |_, _| {}).await;
        cancel.cancel();
        outcome.unwrap()
    };
    let (_, outcome) = bench.runtime.block_on(async { tokio::join!(first, second) });
    assert!(outcome.out.is_empty() && outcome.err.len() == 3, "{outcome:?}");
}

fn mounts(bench: &Bench) {
    let script = "cut -d' ' -f2,3 /proc/mounts | grep proc; cut -d' ' -f5 /proc/self/mountinfo; \
        df / | tail -1 | grep -o '[^ ]*$'; mount | grep -c ' on / '; stat -f -c %T /proc; \
        test $(stat -c %d /proc) != $(stat -c %d /) && echo apart; cp /proc/mounts /tmp/m && \
        cmp /tmp/m /proc/self/mounts && echo same";
    let expected = ["/proc proc", "/", "/proc", "/dev/pts", "/", "1", "proc", "apart", "same"];
    assert_eq!(run(bench, script), expected);
}

fn links_in_root(bench: &Bench) {
    let root = bench.root();
    let etc = root.path.join("etc");
    symlink("../proc/self/mounts", etc.join("mtab")).unwrap();
    symlink("/dev/stdout", etc.join("log")).unwrap();
    symlink("log", etc.join("log2")).unwrap();
    symlink("../proc", etc.join("p")).unwrap();
    symlink("p/self/", etc.join("me")).unwrap();
    symlink("loop", etc.join("loop")).unwrap();
    let script = "grep -c proc /etc/mtab; echo 1 >/etc/log; echo 2 >/etc/log2; cat /etc/me/comm; \
        cd /etc; cat p/self/comm; cat me/comm ../proc/self/../self/comm //proc/self/comm; \
        cat /etc/./p/../etc/passwd | wc -l; cat /proc/../etc/group | wc -l; ls me/fd >/dev/null; \
        test -e loop || echo loop; test -e /etc/p/nothing/there || echo nothing";
    let expected = ["1", "1", "2", "cat", "cat", "cat", "cat", "cat", "2", "3", "loop", "nothing"];
    assert_eq!(ok(bench.run_in(&root, Plan::sh(script)).unwrap()), expected);
}

fn working_directory(bench: &Bench) {
    let script = "cd /proc/self && cat comm; cd /proc/$$ && test $(readlink cwd) = /proc/$$ && echo here; \
        cd fd && test -e 1 && cd ../.. && pwd && cat meminfo | grep -c MemTotal; \
        cd /tmp; cd /proc/$$/cwd && pwd -P; cd /proc/self/root && pwd -P && ls -d bin; \
        cd /proc/1 2>/dev/null || echo none; cd /proc/$PPID 2>/dev/null || echo none";
    let expected = ["sh", "here", "/proc", "1", "/tmp", "/", "bin", "none", "none"];
    assert_eq!(run(bench, script), expected);
}

fn programs(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    let script = "client --calls programs; /proc/self/cwd/bin/echo three; \
        cat /proc/self/exe | cmp - /bin/busybox && echo same; \
        test /proc/self/exe -ef /bin/busybox && echo file; \
        for i in $(seq 40); do (/proc/$$/cwd/bin/echo one & /proc/self/root/bin/echo one; wait) & \
        done | sort | uniq -c | tr -d ' '; wait";
    let expected =
        ["done", "done", "nothing", "PermissionDenied", "three", "same", "file", "80one"];
    assert_eq!(ok(bench.run_in(&root, Plan::sh(script)).unwrap()), expected);
}

fn changes(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    fs::write(root.path.join("tmp/file"), "x").unwrap();
    let lines = ok(bench
        .run_in(&root, Plan::sh("client --calls mode; stat -c '%a %u %g %Y' /tmp/file"))
        .unwrap());
    assert_eq!(lines, ["done", "done", "done", "640 7 8 1000000"]);
    let lines = ok(bench.run_in(&root, Plan::sh("client --calls attributes")).unwrap());
    assert_eq!(lines, ["done", "value", "Ok(5)", "done", "Ok(0)"]);
    // What is the kernel's cannot be changed.
    for change in ["chmod 777 /proc/self/status", "chown 1 /proc/$$", "touch /proc/meminfo"] {
        let outcome = bench.run(Plan::sh(change));
        assert_eq!(outcome.exit, Exit::Code(1), "{outcome:?}");
    }
}

fn made(bench: &Bench) {
    let root = bench.root();
    let script = "umask 027; cd /tmp; echo x >/proc/self/cwd/new; stat -c %a new; \
        exec 6>/tmp/open; rm /tmp/open; echo gone >/proc/$$/fd/6; cat /dev/fd/6; \
        (set -C; echo x >/proc/self/cwd/new) 2>/dev/null || echo there; \
        echo x >/proc/nothing 2>/dev/null || echo no; mkfifo f; (echo f >f &) ; \
        exec 7<>f; test -p /dev/fd/7 && echo fifo";
    let lines = ok(bench.run_in(&root, Plan::sh(script)).unwrap());
    assert_eq!(lines, ["640", "gone", "there", "no", "fifo"]);
    assert_eq!(fs::read_to_string(root.path.join("tmp/new")).unwrap(), "x\n");
}

/// Whoever answers never waits for a command: it would never hear that it is to end.
fn replaced(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    assert_eq!(ok(bench.run_in(&root, Plan::sh("client --calls replaced")).unwrap()), ["done"]);
}

fn read_only(bench: &Bench) {
    for target in [
        "/proc/sys/kernel/panic",
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/self/uid_map",
        "/proc/self/status",
        "/proc/mounts",
        "/proc/meminfo",
    ] {
        let outcome = bench.run(Plan::sh(&format!("echo 1 >{target}; echo 1 <>{target}; true")));
        assert_eq!(outcome.err.len(), 2, "{outcome:?}");
        // Nor by opening it again.
        let outcome = bench.run(Plan::sh(&format!("exec 5<{target}; echo 1 >/proc/self/fd/5")));
        assert_ne!(outcome.exit, Exit::Code(0), "{outcome:?}");
    }
    let script = "echo 500 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj";
    assert_eq!(run(bench, script), ["500"]);
}

fn other_users(bench: &Bench) {
    // The shell is root's; what the user starts may look at itself, and not into the shell.
    let script = "client --calls as-web ' \
        cat /proc/self/comm; readlink /proc/self/exe; head -c1 /proc/self/environ | wc -c; \
        cat /proc/$PPID/comm; readlink /proc/$PPID/exe || echo no; cat /proc/$PPID/environ || echo no; \
        ls /proc/$PPID/fd || echo no; cat /proc/self/root/etc/secret || echo no; cat /proc/self/root/etc/passwd | wc -l'; \
        true";
    let root = bench.root();
    root.install_client();
    let secret = root.path.join("etc/secret");
    fs::write(&secret, "hush").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let lines = ok(bench.run_in(&root, Plan::sh(script)).unwrap());
    let expected = ["cat", "/bin/busybox", "1", "sh", "no", "no", "no", "no", "2"];
    assert_eq!(lines, expected);
    let lines =
        ok(bench.run(Plan::sh("cat /proc/self/comm; cd /proc/$$ && cat comm; true").user("web")));
    assert_eq!(lines, ["cat", "sh"]);
}

/// The builder, its parents and the helper are no processes of the step.
fn builder(bench: &Bench) {
    let own = std::process::id();
    let parent = std::os::unix::process::parent_id();
    for pid in ["1".to_owned(), own.to_string(), parent.to_string(), "$PPID".to_owned()] {
        let script = format!(
            "for name in root environ mem fd cwd exe maps status cmdline root/etc task/{pid}/environ; do \
               cat /proc/{pid}/$name && echo $name; readlink /proc/{pid}/$name && echo $name; \
               ls /proc/{pid}/$name/ && echo $name; stat /proc/{pid}/$name && echo $name; \
               (cd /proc/{pid}/$name) && echo $name; \
               (cd /proc && cat {pid}/$name) && echo $name; \
               cat /proc/self/../{pid}/$name && echo $name; \
               cat /proc/self/task/../../{pid}/$name && echo $name; \
             done; true"
        );
        let outcome = bench.run(Plan::sh(&script));
        assert!(outcome.out.is_empty(), "{pid}: {outcome:?}");
    }
}

fn way_out(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    fs::write(bench.directory().join("marker"), "").unwrap();
    assert_eq!(ok(bench.run_in(&root, Plan::sh("client --calls way-out")).unwrap()), ["none"]);
    // Links of the step's own that lead there, while they change.
    let script = "cd /tmp; (for i in $(seq 200); do ln -sfn /proc/1/root l; ln -sfn / l; done) & \
        for i in $(seq 200); do ls -d l/proc/1 l/tmp/../../../marker; done 2>/dev/null; wait; \
        mkdir a; ln -s /proc/self/cwd/../../../.. a/b; ls a/b/; true";
    let lines = ok(bench.run_in(&root, Plan::sh(script)).unwrap());
    assert!(
        lines.contains(&"bin".to_owned()) && !lines.contains(&"marker".to_owned()),
        "{lines:?}"
    );
}

fn unreadable(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    let lines = ok(bench.run_in(&root, Plan::sh("client --calls unreadable")).unwrap());
    assert_eq!(lines, ["true", "false"]);
}

fn signals(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    let lines = ok(bench.run_in(&root, Plan::sh("client --calls signal")).unwrap());
    assert_eq!(
        lines,
        [
            "Os { code: 38, kind: Unsupported, message: \"Function not implemented\" }",
            "Os { code: 9, kind: Uncategorized, message: \"Bad file descriptor\" }"
        ]
    );
}

/// What the helper put there for the kernel to find is no way to get at anything, and a command
/// that removes it does nobody harm.
fn stand_ins(bench: &Bench) {
    let root = bench.root();
    // Times change: the command itself changes these directories.
    let listing = || -> Vec<String> {
        root.listing().iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let before = listing();
    let script = "ls /proc >/dev/null; ls /proc/$$ /proc/$$/fd >/dev/null; cd /proc/$$; \
        rm -rf /proc/* 2>/dev/null; mkdir /proc/new 2>/dev/null; cat /proc/self/comm; \
        rm -rf /proc/*; ls -d /proc/self/fd; ln -s /etc /proc/$$ 2>/dev/null; ls /proc/$$/comm; \
        for i in $(seq 50); do echo $i >/tmp/$i; done; cat /tmp/* | wc -l; rm /tmp/*; \
        mv /proc /elsewhere; cat /proc/self/comm 2>/dev/null; mv /elsewhere /proc; cat /proc/self/comm";
    let lines = ok(bench.run_in(&root, Plan::sh(script)).unwrap());
    assert_eq!(lines[0], "cat", "{lines:?}");
    assert_eq!(lines.last().unwrap(), "cat", "{lines:?}");
    assert!(lines.contains(&"50".to_owned()), "{lines:?}");
    assert_eq!(listing(), before);
}

fn many(bench: &Bench) {
    let root = bench.root();
    root.install_client();
    assert_eq!(ok(bench.run_in(&root, Plan::sh("client --calls many")).unwrap()), ["done"]);
    let script = "for i in $(seq 8); do (for j in $(seq 40); do cat /proc/self/comm; test -e /none; \
        kill -WINCH $$; done) & done | sort | uniq -c | tr -d ' '; wait";
    assert_eq!(ok(bench.run(Plan::sh(script))), ["320cat"]);
}

fn terminals(bench: &Bench) {
    for user in ["", "web"] {
        // Whose number it gets depends on the builder's.
        let script = "exec 3<>/dev/ptmx && ls /dev/pts && n=$(ls /dev/pts | head -1) && \
            stat -c '%U %F' /dev/pts/$n /dev/ptmx && test -w /dev/pts/$n && echo mine; \
            readlink /proc/$$/fd/3; exec 3>&-; exec 4<>/dev/ptmx; ls /dev/pts | wc -l; \
            cat /dev/pts/99999 2>/dev/null || echo none";
        let lines = ok(bench.run(Plan::sh(script).user(user)));
        let owner = if user.is_empty() { "root" } else { "web" };
        assert_eq!(lines[1], "ptmx", "{lines:?}");
        let expected = [
            format!("{owner} character special file"),
            "root character special file".to_owned(),
            "mine".to_owned(),
        ];
        assert_eq!(lines[2..5], expected, "{lines:?}");
        assert_eq!(lines[6..], ["2", "none"], "{lines:?}");
    }
}
