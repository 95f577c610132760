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

/// Where steps change a plain directory in place, one that several go on from is copied for each
/// but the last; and for that one too if someone reads it later. The layers tell nothing of it.
#[test]
fn who_goes_on_from_a_stage_last_takes_it() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let going_on = "[ $(stat -c %i /mark) -ne $(cat /inode) ] || echo in place";
    let dockerfile = format!(
        "FROM {base} AS shared\n\
         RUN mkdir /d && echo x > /mark && touch -d @1000000000 /mark /d && \
             stat -c %i /mark > /inode\n\
         FROM shared AS one\nRUN {going_on}; echo 1 > /d/1; rm /mark; touch -d @1 /d /d/1\n\
         FROM shared AS two\nRUN {going_on}; echo 2 > /d/2; echo y > /mark; touch -d @2 /d /d/2\n\
         FROM shared AS three\nRUN {going_on}; touch -d @3 /mark\n\
         FROM one\n\
         RUN [ ! -e /d/2 ] && [ ! -e /mark ]\n\
         COPY --from=two /d/ /mark /two/\n\
         COPY --from=three /mark /three/\n"
    );
    let build = |snapshotter: &str, dockerfile: &str| {
        let to = registry.name(&format!("{snapshotter}:1"));
        let build = Build::of(dockerfile).option("--snapshotter", snapshotter).push(&to);
        let outcome = build.option("--build-arg", "SOURCE_DATE_EPOCH=1700000000").succeed();
        (outcome.lines().filter(|line| *line == "in place").count(), Image::pull(&to))
    };
    let read_later = format!("{dockerfile}COPY --from=shared /mark /shared/\n");
    for (dockerfile, in_place) in [(dockerfile, 1), (read_later, 0)] {
        let (tree, overlay) = (build("tree", &dockerfile), build("overlay", &dockerfile));
        assert_eq!(tree.0, in_place);
        let own = |image: &Image| image.names()[2..].to_vec();
        assert_eq!(own(&tree.1), own(&overlay.1));
        assert_eq!(tree.1.diff_ids()[2..], overlay.1.diff_ids()[2..]);
    }
}

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
