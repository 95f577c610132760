//! A root is afterwards what it was before, but for what a step did itself.

use std::os::unix::fs::{MetadataExt as _, symlink};

use super::*;

fn root() -> (tempfile::TempDir, Stubs) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("etc/deep")).unwrap();
    fs::write(root.join("etc/hosts"), "own").unwrap();
    symlink("/run/resolv.conf", root.join("etc/resolv.conf")).unwrap();
    let stubs = Stubs::new(RootDir::open(&root).unwrap());
    (dir, stubs)
}

fn state(path: &Path) -> Vec<(PathBuf, u32, i64, i64, u64)> {
    let mut found = Vec::new();
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            let dir = fs::File::open(&path).unwrap();
            let names = rootdir::names(rustix::fd::AsFd::as_fd(&dir)).unwrap();
            pending.extend(names.into_iter().map(|name| path.join(name)));
        }
        found.push((path, meta.mode(), meta.mtime(), meta.mtime_nsec(), meta.ino()));
    }
    found.sort();
    found
}

#[test]
fn nothing_is_left_of_what_was_not_used() {
    let (dir, mut stubs) = root();
    let root = dir.path().join("root");
    let before = state(&root);
    for path in ["/dev", "/etc/deep/a/b", "/etc"] {
        stubs.directory(Path::new(path)).unwrap();
    }
    for path in ["/etc/resolv.conf", "/etc/hosts", "/etc/deep/a/file"] {
        stubs.file(Path::new(path)).unwrap();
    }
    assert!(root.join("run/resolv.conf").exists(), "links are followed within the root");
    assert!(root.join("etc/deep/a/b").is_dir());
    let again: Vec<_> = state(&root).into_iter().filter(|entry| before.contains(entry)).collect();
    assert_eq!(again, before, "directories keep their times");
    stubs.undo().unwrap();
    assert_eq!(state(&root), before);
}

#[test]
fn what_the_step_used_stays() {
    let (dir, mut stubs) = root();
    let root = dir.path().join("root");
    stubs.directory(Path::new("/opt/cache")).unwrap();
    stubs.directory(Path::new("/srv")).unwrap();
    stubs.file(Path::new("/etc/hostname")).unwrap();
    fs::write(root.join("opt/cache/kept"), "").unwrap();
    fs::write(root.join("etc/hostname"), "changed").unwrap();
    fs::remove_dir(root.join("srv")).unwrap();
    stubs.undo().unwrap();
    assert!(root.join("opt/cache/kept").exists());
    assert_eq!(fs::read_to_string(root.join("etc/hostname")).unwrap(), "changed");
}

#[test]
fn places_go_whatever_the_step_did() {
    let (dir, mut stubs) = root();
    let root = dir.path().join("root");
    let cache = dir.path().join("cache");
    fs::create_dir(&cache).unwrap();
    let before = state(&root);
    let mkdir = |parent: BorrowedFd<'_>, name: &OsStr| {
        Ok(rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))?)
    };
    let aside = |number: u32| dir.path().join(number.to_string());
    stubs.place(Path::new("/etc"), &aside(1), End::Remove, mkdir).unwrap();
    stubs.place(Path::new("/etc/in/it"), &aside(2), End::Remove, mkdir).unwrap();
    let put =
        |parent: BorrowedFd<'_>, name: &OsStr| Ok(rustix::fs::renameat(CWD, &cache, parent, name)?);
    stubs.place(Path::new("/cache"), &aside(3), End::Return(cache.clone()), put).unwrap();
    assert!(!root.join("etc/hosts").exists());
    fs::write(root.join("etc/in/it/file"), "").unwrap();
    fs::write(root.join("cache/kept"), "").unwrap();
    stubs.undo().unwrap();
    assert_eq!(state(&root), before);
    assert!(cache.join("kept").exists());
}

/// What a step does in a directory.
type Act = fn(&Path);

/// A mount could not be removed; a place can, and leaves as little.
#[test]
fn a_place_that_the_step_removed_leaves_no_trace() {
    let fill = |parent: BorrowedFd<'_>, name: &OsStr| {
        rustix::fs::openat(parent, name, OFlags::CREATE, Mode::RUSR)?;
        Ok(())
    };
    let acts: [(Act, bool); 6] = [
        (|etc| fs::remove_file(etc.join("hosts")).unwrap(), true),
        (|etc| fs::remove_file(etc.join("new")).unwrap(), true),
        (
            |etc| {
                fs::write(etc.join("temporary"), "").unwrap();
                fs::rename(etc.join("temporary"), etc.join("hosts")).unwrap();
                fs::write(etc.join("own"), "changed, and still the same file").unwrap();
            },
            true,
        ),
        (
            |etc| {
                fs::remove_file(etc.join("hosts")).unwrap();
                fs::write(etc.join("more"), "").unwrap();
            },
            false,
        ),
        (
            |etc| {
                fs::remove_file(etc.join("hosts")).unwrap();
                fs::remove_file(etc.join("own")).unwrap();
                fs::write(etc.join("own"), "").unwrap();
            },
            false,
        ),
        (|etc| fs::write(etc.join("more"), "").unwrap(), false),
    ];
    for (index, (act, is_quiet)) in acts.into_iter().enumerate() {
        let (dir, mut stubs) = root();
        let etc = dir.path().join("root/etc");
        fs::write(etc.join("own"), "").unwrap();
        let long_ago = Timespec { tv_sec: 1, tv_nsec: 2 };
        set_modified(RootDir::open(&etc).unwrap().fd(), long_ago).unwrap();
        let modified = || etc.metadata().map(|found| (found.mtime(), found.mtime_nsec())).unwrap();
        for (number, place) in ["/etc/hosts", "/etc/new", "/etc/made/new"].iter().enumerate() {
            let aside = dir.path().join(number.to_string());
            stubs.place(Path::new(place), &aside, End::Remove, fill).unwrap();
        }
        act(&etc);
        stubs.undo().unwrap();
        assert_eq!(fs::read_to_string(etc.join("hosts")).unwrap(), "own");
        assert_eq!(modified() == (1, 2), is_quiet, "{index}");
    }
}

#[test]
fn a_dropped_log_is_undone() {
    let (dir, mut stubs) = root();
    let root = dir.path().join("root");
    let before = state(&root);
    stubs.directory(Path::new("/proc")).unwrap();
    drop(stubs);
    assert_eq!(state(&root), before);
}

#[test]
fn what_is_put_in_place_of_a_directory_is_not_given_back() {
    let (dir, mut stubs) = root();
    let (root, kept) = (dir.path().join("root"), dir.path().join("kept"));
    fs::create_dir(&kept).unwrap();
    let end = End::Return(kept.clone());
    let place =
        |parent: BorrowedFd<'_>, name: &OsStr| Ok(rustix::fs::renameat(CWD, &kept, parent, name)?);
    stubs.place(Path::new("/cache"), &dir.path().join("aside"), end, place).unwrap();
    fs::remove_dir(root.join("cache")).unwrap();
    symlink("/", root.join("cache")).unwrap();
    stubs.undo().unwrap();
    assert!(fs::symlink_metadata(&kept).is_err());
    assert!(fs::symlink_metadata(root.join("cache")).is_err());
}
