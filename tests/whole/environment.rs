//! What a build does when its surroundings fail it, and what it leaves behind.

use std::fs;

use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, process, tree};
use rustix::process::Signal;

/// Builds with a work directory on a file system of some size, which fills up.
fn fill(size: &str, command: &str) {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    for snapshotter in ["overlay", "tree"] {
        let small = tempfile::tempdir().unwrap();
        let path = small.path().display();
        let mount = format!("mount -t tmpfs -o size={size} small {path}; exec \"$@\"");
        Build::of(&format!("FROM {base}\nRUN {command}\n"))
            .under(&["unshare", "--mount", "sh", "-euc", &mount, "kaniko"])
            .work(&small.path().join("work"))
            .option("--snapshotter", snapshotter)
            .push(&registry.name("built:1"))
            .fail()
            .says(&["No space left on device"]);
        assert!(registry.tags("built").is_empty());
    }
}

#[test]
fn a_disk_that_is_full_for_the_base_is_said() {
    fill("2m", "true");
}

#[test]
fn a_disk_that_is_full_for_a_command_is_said() {
    fill("24m", "dd if=/dev/urandom of=/large bs=1M count=64");
}

#[test]
fn a_disk_that_is_full_for_a_layer_is_said() {
    fill("24m", "dd if=/dev/urandom of=/large bs=1M count=14");
}

/// As root of a user namespace that may make no others, without a single capability: neither
/// namespaces nor `chroot` can be had.
#[test]
fn a_command_that_cannot_be_confined_is_not_run() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let forbidden = "echo 0 > /proc/sys/user/max_user_namespaces; \
                     exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"";
    let marker = tempfile::tempdir().unwrap();
    let file = marker.path().join("ran");
    let outcome = Build::of(&format!("FROM {base}\nRUN touch {}\n", file.display()))
        .under(&["unshare", "--user", "--map-root-user", "sh", "-euc", forbidden, "kaniko"])
        .push(&registry.name("built:1"))
        .fail();
    outcome.says(&["cannot confine commands here", "cannot make a user namespace"]);
    assert!(!file.exists(), "it ran in the builder's own root");
    assert!(registry.tags("built").is_empty());
}

/// Stops a build in the middle of a command, and builds again in the same work directory.
fn interrupt(signal: Signal, seconds: &str) {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    for snapshotter in ["overlay", "tree"] {
        let work = tempfile::tempdir().unwrap();
        let build = |dockerfile: String| {
            Build::of(&dockerfile).work(work.path()).option("--snapshotter", snapshotter).push(&to)
        };
        let first = format!("FROM {base}\nRUN echo half > /half\n");
        let mut running =
            build(format!("{first}RUN (sleep {seconds} &) ; echo sleeping && sleep {seconds}\n"))
                .start();
        running.wait_for("sleeping");
        running.signal(signal);
        let outcome = running.finish();
        assert!(!outcome.status.success());
        assert!(registry.tags("built").is_empty());
        process::assert_gone(&format!("sleep {seconds}"));
        process::assert_gone(&work.path().display().to_string());
        process::assert_no_mount_below(work.path());

        build(format!("{first}RUN cat /half > /whole\n")).succeed();
        assert_eq!(Image::pull(&to).run(&["cat", "/whole"]), "half\n");
        process::assert_no_mount_below(work.path());
        let left = tree::names(&work.path().join("work"));
        assert!(left.is_empty(), "{left:?}: builds remove what they worked with, dead ones' too");
        registry.forget("built");
    }
}

#[test]
fn an_interrupted_build_leaves_nothing() {
    interrupt(Signal::INT, "86411");
}

#[test]
fn a_terminated_build_leaves_nothing() {
    interrupt(Signal::TERM, "86412");
}

/// The builder itself is at work, not a command: it reads a file that takes it hours.
#[test]
fn a_build_is_stopped_in_its_own_work() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let made = "RUN truncate -s 8192G /huge && chmod 644 /huge && echo made\n";
    // Is it as before? Its content says so, and nothing else.
    let touched = "RUN chmod 600 /huge && chmod 644 /huge && echo touched\n";
    for (snapshotter, steps, wait_for, push) in [
        ("overlay", [made, touched], "touched", false),
        ("tree", [made, touched], "made", false),
        ("overlay", [made, ""], "made", true),
    ] {
        let work = tempfile::tempdir().unwrap();
        let build = Build::of(&format!("FROM {base}\n{}", steps.concat()))
            .work(work.path())
            .option("--snapshotter", snapshotter);
        let build = if push { build.push(&registry.name("built:1")) } else { build.no_push() };
        let mut running = build.start();
        running.wait_for(wait_for);
        running.signal(Signal::TERM);
        assert_eq!(running.finish().status.code(), Some(128 + 15), "{snapshotter}");
        let left = tree::names(&work.path().join("work"));
        assert!(left.is_empty(), "{snapshotter}: {left:?}");
    }
    assert!(registry.tags("built").is_empty());
}

#[test]
fn a_killed_build_leaves_nothing_that_hinders_the_next() {
    interrupt(Signal::KILL, "86413");
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    Build::of(&format!("FROM {base}\nRUN sleep 86414 & echo started\nRUN echo next\n"))
        .no_push()
        .succeed();
    process::assert_gone("sleep 86414");
}

#[test]
fn the_builder_is_not_visible_to_a_command() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let secret = tempfile::tempdir().unwrap();
    let file = secret.path().join("secret");
    fs::write(&file, "x").unwrap();
    for isolation in ["namespaces", "chroot"] {
        Build::of(&format!(
            "FROM {base}\nRUN [ ! -e {} ] && [ -z \"$HOME_OF_BUILDER\" ]\n",
            file.display()
        ))
        .option("--isolation", isolation)
        .no_push()
        .succeed();
    }
}

#[test]
fn a_damaged_blob_of_the_store_is_fetched_anew() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let work = tempfile::tempdir().unwrap();
    let build = || Build::of(&format!("FROM {base}\nRUN true\n")).work(work.path()).no_push();
    build().succeed();
    let blobs = work.path().join("blobs/sha256");
    let blob = blobs.join(&tree::names(&blobs)[0]);
    let whole = std::fs::read(&blob).unwrap();
    let forget_root = || std::fs::remove_dir_all(work.path().join("roots")).unwrap();

    // Cut off: nobody would take it for whole.
    forget_root();
    std::fs::write(&blob, &whole[..whole.len() / 2]).unwrap();
    build().succeed();
    assert_eq!(std::fs::read(&blob).unwrap(), whole);

    // Of the right size: it is found out when it is used, and is gone then.
    forget_root();
    let mut wrong = whole.clone();
    wrong[whole.len() / 2] ^= 1;
    std::fs::write(&blob, wrong).unwrap();
    build().fail();
    build().succeed();
}
