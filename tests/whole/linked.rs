//! `COPY --link` and `ADD --link`: layers of their own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tree};

/// Adds a file to a build.
fn with_file(build: Build, name: &str) -> Build {
    build.file(name, format!("content of {name}\n"))
}

// rule: copy.link
#[test]
fn a_layer_of_its_own_is_the_same_on_any_base() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let steps = "COPY --link --chown=5:6 f /d/l/deep/\n\
                 COPY --link e f /d/\n\
                 RUN cat /d/f /d/e /d/l/deep/f && [ -d /d/l ] && [ ! -L /d/l ] && ls /bin/sh\n";
    let mut found = Vec::new();
    for snapshotter in ["overlay", "tree"] {
        // In the way are a directory, an equal file, and a link.
        for before in ["true", "mkdir -p /d/f && cp -p /bin/busybox /d/e && ln -s /bin /d/l"] {
            let build = Build::of(&format!("FROM {base}\nRUN {before}\n{steps}"));
            let outcome = with_file(with_file(build, "e"), "f")
                .option("--build-arg", "SOURCE_DATE_EPOCH=1000000000")
                .option("--snapshotter", snapshotter)
                .push(&to)
                .succeed();
            let said = ["content of f", "content of e", "content of f", "/bin/sh"];
            assert_eq!(outcome.lines().collect::<Vec<_>>(), said);
            let image = Image::pull(&to);
            let owned = fs::metadata(image.unpack().join("d/l/deep/f")).unwrap();
            assert_eq!((owned.uid(), owned.gid(), owned.mtime()), (5, 6, 1_000_000_000));
            let layers = image.diff_ids();
            found.push(layers[layers.len() - 2..].to_vec());
        }
    }
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_base_under_nothing_but_layers_of_their_own_is_not_fetched() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!("FROM {base}\nCOPY --link f /f\nCOPY --link f /g\n");
    let outcome = with_file(Build::of(&dockerfile), "f").push(&to).succeed();
    assert_eq!(tree::names(&outcome.work.join("roots")), Vec::<String>::new());
    let root = Image::pull(&to);
    let root = root.unpack();
    for name in ["f", "g"] {
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), "content of f\n");
    }
    assert!(root.join("bin/busybox").exists());
}
