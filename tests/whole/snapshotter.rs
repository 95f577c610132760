//! Both ways to find what a step changed give the same image, and the image is what the steps saw.

use kaniko_tests::built::{Image, digest};
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tree};

/// Everything that a layer must keep, and every way in which a path can change. All times are set,
/// also those of the directories that things are made in or removed from.
const CHANGES: &str = r"
RUN mkdir -p /d/e/f && echo one > /d/one && echo two > /d/e/two && echo three > /d/e/f/three && \
    touch -d @1000000000 /d/e/f/three /d/e/f /d/e/two /d/e /d/one /d /
RUN ln /d/one /d/uno && ln -s ../d/one /d/link && mkfifo /d/fifo && mknod /d/null c 1 3 && \
    chmod 4755 /d/e/two && chown 12:34 /d/one && chown -h 56:78 /d/link && chmod 1777 /d/e && \
    touch -d @1000000001 /d/one /d/fifo /d/null /d/e /d && touch -h -d @1000000001 /d/link
RUN rm -r /d/e/f && mkdir /d/e/f && echo new > /d/e/f/new && rm /d/fifo && mv /d/null /d/zero && \
    touch -d @1000000002 /d/e/f/new /d/e/f /d/e /d
RUN rm -r /d/e && ln -s /tmp /d/e && touch -h -d @1000000003 /d/e && \
    truncate -s 4M /d/sparse && touch -d @1000000003 /d/sparse && chmod 600 /d/zero && \
    touch -d @1000000003 /d
";

#[test]
fn overlay_and_tree_give_the_same_layers() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let build = |snapshotter: &str| {
        let to = registry.name(&format!("{snapshotter}:1"));
        Build::of(&format!("FROM {base}\n{CHANGES}"))
            .option("--snapshotter", snapshotter)
            .push(&to)
            .succeed()
            .says(&[&format!("\"{snapshotter}\"")]);
        to
    };
    let (overlay, tree) = (build("overlay"), build("tree"));
    let (overlay_image, tree_image) = (Image::pull(&overlay), Image::pull(&tree));
    for (index, (a, b)) in overlay_image.layers().iter().zip(&tree_image.layers()).enumerate() {
        assert!(a == b, "layer {index} of {overlay} and of {tree} are not the same bytes");
    }
    assert_eq!(overlay_image.diff_ids(), tree_image.diff_ids());
    let layers = |name: &str| kaniko_tests::built::manifest(name)["layers"].clone();
    assert_eq!(layers(&overlay), layers(&tree), "compressed they are the same, too");
}

#[test]
fn the_same_build_gives_the_same_layers_again() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let build = |name: &str| {
        let to = registry.name(name);
        Build::of(&format!("FROM {base}\n{CHANGES}")).push(&to).succeed();
        kaniko_tests::built::manifest(&to)["layers"].clone()
    };
    assert_eq!(build("one:1"), build("two:1"));
    assert_ne!(digest(&registry.name("one:1")), "", "it was pushed");
}

#[test]
fn the_unpacked_image_is_what_its_last_step_saw() {
    for snapshotter in ["overlay", "tree"] {
        let registry = Registry::start();
        let base = registry.push(&base::busybox(), "base:1");
        let to = registry.name("built:1");
        let outcome = Build::of(&format!("FROM {base}\n{CHANGES}RUN {}", tree::LISTING))
            .option("--snapshotter", snapshotter)
            .push(&to)
            .succeed();
        let seen = tree::listed(outcome.lines());
        assert!(seen.len() > 200, "all of busybox is there: {}", seen.len());
        tree::assert_same(&seen, &tree::of(Image::pull(&to).unpack()));
    }
}
