//! Working directories in real roots.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use super::*;

const NOW: Time = Time { seconds: 1_000_000_000, nanoseconds: 1 };

fn make(root: &Path, path: &str, owner: &str) -> Result<(), MkdirError> {
    let op = MkdirOp { root: ir::NodeId(0), path: path.to_owned(), owner: owner.to_owned() };
    mkdir(&op, &RootDir::open(root).unwrap(), NOW)
}

#[test]
fn missing_parents_are_made_and_what_exists_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink("/real", dir.path().join("link")).unwrap();
    let before = fs::metadata(dir.path().join("real")).unwrap();
    make(dir.path(), "/link/a/../b/c/", "").unwrap();
    let made = fs::metadata(dir.path().join("real/b/c")).unwrap();
    assert_eq!((made.mode() & 0o7777, made.mtime()), (0o755, NOW.seconds));
    let after = fs::metadata(dir.path().join("real")).unwrap();
    assert_eq!(
        (before.mtime(), before.mtime_nsec()),
        (after.mtime(), after.mtime_nsec()),
        "the time of a directory that existed"
    );
    assert!(!dir.path().join("real/a").exists());
}

#[test]
fn what_is_no_directory_is_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = make(dir.path(), "/file/x", "").unwrap_err();
    assert_eq!(error.to_string(), "cannot make directory `/file/x`");
}

#[test]
fn the_user_owns_what_is_made() {
    assert!(rustix::process::geteuid().is_root(), "this test changes owners: run it as root");
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), "/a/b", "12:34").unwrap();
    for path in ["a", "a/b"] {
        let made = fs::metadata(dir.path().join(path)).unwrap();
        assert_eq!((made.uid(), made.gid()), (12, 34), "{path}");
    }
}
