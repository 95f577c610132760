//! A layer or an archive of any bytes: it is applied to a root without a panic, and whatever its
//! names and links say, nothing outside the root changes.
//!
//! The first byte of an input says what is done with the rest. A bit for each:
//!
//! - 1: the rest is not an archive itself but lists one's entries, a line each: the type as it
//!   stands in a header, the name, and behind `>` the target or content; for an extended header, a
//!   record without its length.
//! - 2: checksums of headers are made right first.
//! - 4: it is unpacked as `ADD` does it. 8: into a link. 16: for an owner.
//! - 32: as a layer, its files are made ahead of its turn.

#![no_main]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::sync::LazyLock;

use kaniko_runtime_fuzz::{entries, with_checksums};
use runtime::fuzzing::{unpack_archive, unpack_layer};

/// Holds the root, and beside it what nobody may touch. Left behind: `tests/fuzz` has it made in a
/// folder of its own, in memory.
static PLACE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let place = tempfile::tempdir().expect("there is room for a directory");
    fs::create_dir(place.path().join("outside")).expect("it is new");
    fs::write(place.path().join("outside/sentinel"), "untouched").expect("it is new");
    place
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let blob = match how {
        how if how & 1 != 0 => entries(rest),
        how if how & 2 != 0 => with_checksums(rest),
        _ => rest.to_vec(),
    };
    let root = PLACE.path().join("root");
    make_root(&root);
    let before = outside();
    let done = if how & 4 == 0 {
        let aside = PLACE.path().join("aside");
        let aside = (how & 32 != 0).then_some(&*aside);
        aside.map_or(Ok(()), fs::create_dir).expect("the last one is gone");
        unpack_layer(&blob, &root, aside)
    } else {
        let into = Path::new(if how & 8 == 0 { "into/a/b" } else { "up" });
        unpack_archive(&blob, &root, into, (how & 16 != 0).then_some((1000, 1000)))
    };
    if let Err(error) = done {
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(outside(), before);
    fs::remove_dir_all(&root).expect("it is ours");
});

/// What the layers below left, among it links to the outside.
fn make_root(root: &Path) {
    let outside = PLACE.path().join("outside");
    let made = (|| {
        fs::create_dir(root)?;
        fs::create_dir(root.join("d"))?;
        fs::write(root.join("d/f"), "lower")?;
        symlink("..", root.join("up"))?;
        symlink("../outside/sentinel", root.join("s"))?;
        symlink(&outside, root.join("abs"))?;
        symlink("loop", root.join("loop"))?;
        symlink("/d", root.join("in"))
    })();
    made.expect("there is room for a small tree");
}

/// All that could change beside the root: names, contents, metadata.
fn outside() -> Vec<(String, String)> {
    let place = PLACE.path();
    let mut seen = Vec::new();
    for path in [place.to_owned(), place.join("outside"), place.join("outside/sentinel")] {
        let stat = fs::symlink_metadata(&path).expect("it stays");
        let mut what = format!("{:o} {}:{} {}", stat.mode(), stat.uid(), stat.gid(), stat.nlink());
        // The place's own time changes as the root comes and goes.
        if path != place {
            what = format!("{what} {}.{} {}", stat.mtime(), stat.mtime_nsec(), stat.ctime_nsec());
        }
        seen.push((path.display().to_string(), what));
    }
    let content = fs::read_to_string(place.join("outside/sentinel")).expect("it stays");
    seen.push(("content".to_owned(), content));
    seen
}
