//! What a hostile command could gain from the whole program. What it tries itself is tested rung by
//! rung, with the sandbox.

use std::path::Path;

use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tool};

/// Files below a directory that have a text in them.
fn with(directory: &Path, text: &str) -> String {
    let script = "grep -rlaF -e \"$2\" \"$1\" || [ $? = 1 ]";
    tool::script(script, &[&directory.display().to_string(), text])
}

#[test]
fn the_builds_secrets_are_in_nothing_that_it_leaves() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let word = "eeb7c3aa-a-word-that-nobody-guesses";
    // Written where a command can write without meaning to keep it.
    let dockerfile = format!(
        "FROM {base}\n\
         RUN --mount=type=secret,id=word,target=/run/word --mount=type=secret,id=word,env=WORD \
         --mount=type=tmpfs,target=/memory \
         [ \"$WORD\" = \"$(cat /run/word)\" ] && cp /run/word /memory/copy && \
         cp /run/word /dev/shm/copy && sleep 1000 < /run/word & echo done\n\
         RUN [ ! -e /run/word ] && [ ! -e /dev/shm/copy ] && [ -z \"$WORD\" ]\n"
    );
    for isolation in ["namespaces", "chroot"] {
        let work = tempfile::tempdir().unwrap();
        let build = Build::of(&dockerfile).file("../word", word);
        let secret = format!("id=word,src={}", build.path("word").display());
        let to = build.path("layout");
        let outcome = build
            .option("--secret", &secret)
            .option("--isolation", isolation)
            .option("--oci-layout-path", &to.display().to_string())
            .login(registry.name("x").split('/').next().unwrap(), "dXNlcjplZWI3YzNhYQ==")
            .work(work.path())
            .no_push()
            .succeed();
        assert!(!outcome.log().contains(word), "{isolation}: the log");
        let image = Image::of_layout(&to);
        assert!(!image.config().to_string().contains(word), "{isolation}: the config");
        assert_eq!(with(image.unpack(), word), "", "{isolation}: the image");
        for kept in [word, "dXNlcjplZWI3YzNhYQ=="] {
            assert_eq!(with(work.path(), kept), "", "{isolation}: the work directory");
        }
    }
}

#[test]
fn a_store_whose_disk_was_full_is_whole() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!(
        "FROM {base}\nARG FILL\n\
         RUN [ -z \"$FILL\" ] || dd if=/dev/urandom of=/large bs=1M count=64\nRUN echo on > /on\n"
    );
    for snapshotter in ["overlay", "tree"] {
        let small = tempfile::tempdir().unwrap();
        let path = small.path().display();
        let twice = format!(
            "mount -t tmpfs -o size=24m small {path}; \
             if \"$@\" --build-arg FILL=1; then exit 99; fi; exec \"$@\""
        );
        let to = registry.name("built:1");
        Build::of(&dockerfile)
            .under(&["unshare", "--mount", "sh", "-euc", &twice, "kaniko"])
            .work(&small.path().join("work"))
            .option("--snapshotter", snapshotter)
            .push(&to)
            .succeed()
            .says(&["No space left on device", "RUN [ -z"]);
        assert_eq!(Image::pull(&to).run(&["cat", "/on"]), "on\n");
        registry.forget("built");
    }
}
