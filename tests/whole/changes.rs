//! What becomes a layer of what a step leaves behind: all that it changed, and nothing else.

use std::collections::BTreeSet;

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::{Build, Outcome};
use kaniko_tests::registry::Registry;

/// How roots are made and commands are confined.
const WAYS: [[&str; 2]; 3] =
    [["overlay", "namespaces"], ["tree", "namespaces"], ["tree", "chroot"]];

/// Builds a Dockerfile on busybox and gives the names in the archives of its layers.
fn layers(dockerfile: &str, prepare: impl Fn(Build) -> Build) -> (Vec<Vec<String>>, Outcome) {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let build = Build::of(&dockerfile.replace("@base", &base));
    let outcome = prepare(build).push(&to).succeed();
    (Image::pull(&to).names().split_off(1), outcome)
}

/// Every kind of mount, on what there is and on what there is not; and the files that every
/// container gets, which may be written to, as in any container.
#[test]
fn what_was_made_for_a_command_leaves_no_trace() {
    let dockerfile = "FROM @base AS more\n\
        RUN mkdir -p /d/etc && ln -s ../run/resolve/stub.conf /d/etc/resolv.conf\n\
        FROM @base\n\
        RUN mkdir -p /there/is && echo 1 > /there/is/file && touch -d @1000000000 /there/is /there\n\
        COPY --from=more /d/ /\n\
        RUN --mount=type=tmpfs,target=/there/is/not/tmp --mount=type=tmpfs,target=/there/is \
            --mount=type=cache,target=/there/cache --mount=type=bind,target=/mnt/context \
            --mount=type=bind,from=more,source=/d/etc,target=/there/more \
            --mount=type=secret,id=s,target=/there/secret --mount=type=secret,id=s \
            echo gone > /there/is/x && echo gone > /there/cache/x && cat /there/secret && \
            echo gone >> /etc/resolv.conf && echo gone > /etc/hosts && echo gone > /etc/hostname\n\
        RUN rm /etc/resolv.conf && echo own > /etc/resolv.conf\n";
    for [snapshotter, isolation] in WAYS {
        let (layers, outcome) = layers(dockerfile, |build| {
            let secret = build.path("secret");
            std::fs::write(&secret, "told\n").unwrap();
            build
                .option("--secret", &format!("id=s,src={}", secret.display()))
                .option("--snapshotter", snapshotter)
                .option("--isolation", isolation)
        });
        assert!(outcome.lines().any(|line| line == "told"));
        let link = ["etc/", "etc/resolv.conf"];
        let expected: [&[&str]; 3] = [&["there/", "there/is/", "there/is/file"], &link, &link];
        assert_eq!(layers, expected, "{snapshotter}, {isolation}");
    }
}

/// As mounts, these files refuse to be removed; elsewhere they can be, and the layers are the same.
#[test]
fn removing_what_was_made_for_a_command_changes_nothing() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base}\n\
         RUN mkdir -p /etc/d && touch -d @1000000000 /etc/d /etc\n\
         RUN rm -f /etc/hosts /etc/resolv.conf /etc/hostname; rm -rf /dev/shm; \
             echo own > /own && touch -d @1000000000 /own\n\
         RUN rm -f /etc/hosts /etc/resolv.conf; \
             echo own > /etc/own && touch -d @1000000000 /etc/own && touch -d @1100000000 /etc\n\
         RUN --mount=type=tmpfs,target=/etc/d/tmp --mount=type=secret,id=s,target=/etc/d/s \
             rm -rf /etc/d/tmp /etc/d/s; echo more > /etc/own && touch -d @1000000000 /etc/own\n\
         RUN rm -f /etc/hosts; true\n"
    );
    let images = WAYS.map(|[snapshotter, isolation]| {
        let build = Build::of(&dockerfile);
        let secret = build.path("secret");
        std::fs::write(&secret, "told\n").unwrap();
        build
            .option("--secret", &format!("id=s,src={}", secret.display()))
            .option("--snapshotter", snapshotter)
            .option("--isolation", isolation)
            .push(&to)
            .succeed();
        Image::pull(&to)
    });
    let expected: [&[&str]; 4] =
        [&["etc/", "etc/d/"], &["own"], &["etc/", "etc/own"], &["etc/own"]];
    for (image, way) in images.iter().zip(WAYS) {
        assert_eq!(image.names()[1..], expected, "{way:?}");
        assert_eq!(image.diff_ids()[1..], images[0].diff_ids()[1..], "{way:?}");
    }
}

#[test]
fn ignored_paths_are_in_no_layer() {
    let dockerfile = "FROM @base\n\
        RUN echo user > /etc/passwd.new && rm /etc/passwd /etc/group && mkdir -p /a/cache /b/cache && \
            echo x > /a/cache/x && echo y > /a/y && ln /a/cache/x /b/linked\n\
        RUN [ -e /a/cache/x ] && [ ! -e /etc/passwd ] && rm -r /a/cache && mkdir -p /var/run && \
            echo 1 > /var/run/pid\n";
    let seen = |options: &[&str]| {
        let (layers, _) = layers(dockerfile, |build| {
            options.iter().fold(build, |build, option| build.flag(option))
        });
        layers.into_iter().flatten().collect::<BTreeSet<String>>()
    };
    let (all, some) = (
        seen(&[]),
        seen(&["--ignore-path=/etc/pass*", "--ignore-path=/?/cache", "--ignore-var-run"]),
    );
    let missing: Vec<&String> = all.difference(&some).collect();
    let ignored = [
        "a/.wh.cache",
        "a/cache/",
        "a/cache/x",
        "b/cache/",
        "etc/.wh.passwd",
        "etc/passwd.new",
        "var/run/",
        "var/run/pid",
    ];
    assert_eq!(missing, ignored);
    assert!(some.is_subset(&all) && some.contains("b/linked") && some.contains("etc/.wh.group"));
}

/// One engine finds everything; who asks for a shortcut is told that there is none, once.
#[test]
fn every_mode_of_kaniko_gives_the_same_layers() {
    let dockerfile = "FROM @base\nRUN touch -d @1000000000 /x && chmod 600 /x && chmod 755 /\n";
    let build = |options: &[&str]| {
        layers(dockerfile, |build| options.iter().fold(build, |build, option| build.flag(option)))
    };
    let (plain, outcome) = build(&["--snapshot-mode=full", "--use-new-run=false"]);
    assert!(!outcome.log().contains("no effect"));
    for (options, warning) in [
        (&["--snapshot-mode=redo"][..], "`--snapshot-mode` has no effect"),
        (&["--snapshotMode", "time", "--use-new-run"], "`--use-new-run` have no effect"),
        (&["--use-new-run"], "`--use-new-run` has no effect"),
    ] {
        let (layers, outcome) = build(options);
        assert_eq!(layers, plain);
        assert_eq!(outcome.log().matches("no effect").count(), 1);
        assert!(outcome.log().contains(warning), "{}", outcome.log());
    }
}

/// Where a shell is left that goes on writing, it ends before its files are looked at.
#[test]
fn nothing_grows_while_it_is_archived() {
    let dockerfile = "FROM @base\n\
        RUN (trap '' HUP TERM; while :; do echo more; done) > /log 2>&1 & \
            while [ ! -s /log ]; do :; done\n\
        RUN wc -c < /log\n";
    for [snapshotter, isolation] in WAYS {
        let (layers, _) = layers(dockerfile, |build| {
            build.option("--snapshotter", snapshotter).option("--isolation", isolation)
        });
        assert_eq!(layers, [["log"]], "{snapshotter}, {isolation}");
    }
}
