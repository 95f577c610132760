//! Files of heredocs on a real disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::*;

#[test]
fn files_are_written_beneath_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let file = |name: &str, content: &str| InlineFile {
        name: name.to_owned(),
        content: content.to_owned(),
    };
    let files = vec![file("a/b", "one"), file("../up", "two"), file("x", "3"), file("x", "last")];
    let now = Time { seconds: 12, nanoseconds: 34 };
    inline(&InlineOp { files }, &scratch, now).unwrap();
    for (path, content) in [("a/b", "one"), ("up", "two"), ("x", "last")] {
        let path = scratch.join(path);
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.mode() & 0o7777, meta.mtime(), meta.mtime_nsec()), (0o644, 12, 34));
    }
    assert!(!dir.path().join("up").exists());
}
