//! Base images whose layers try to write outside of their root.

use std::fs;
use std::path::Path;

use kaniko_tests::kaniko::Build;
use kaniko_tests::layout::{self, Layer};
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tree};
use serde_json::json;

/// What becomes of a build on a hostile base.
enum Expected {
    /// It ends with an error that says this.
    Refused(&'static [&'static str]),
    /// It works: what was to go outside is inside.
    Confined,
}

/// Builds on busybox with further layers on top, in both ways to keep roots. What is `outside` must
/// stay as it is.
fn build_on(expected: &Expected, layers: impl Fn(&Path) -> Vec<Layer>) {
    let busybox = base::busybox();
    for snapshotter in ["overlay", "tree"] {
        let registry = Registry::start();
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "untouched").unwrap();

        let mut stack = vec![plain_layer(&busybox)];
        stack.extend(layers(outside.path()).into_iter().map(Layer::finish));
        let made = tempfile::tempdir().unwrap();
        layout::write(made.path(), &stack, &json!({ "Env": ["PATH=/bin"], "Cmd": ["sh"] }));
        let base = registry.push(made.path(), "hostile:1");
        let outcome = Build::of(&format!("FROM {base}\nRUN echo ran > /ran\n"))
            .option("--snapshotter", snapshotter)
            .no_push()
            .run();

        match expected {
            Expected::Refused(texts) => {
                assert_eq!(outcome.status.code(), Some(1), "{}", outcome.log());
                outcome.says(texts);
            }
            Expected::Confined => assert!(outcome.status.success(), "{}", outcome.log()),
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched", "{}", outcome.log());
        let names = tree::names(outside.path());
        assert_eq!(names, ["victim"], "{}", outcome.log());
        assert!(!Path::new("/kaniko-was-here").exists());
    }
}

/// The tar of the only layer of a layout.
fn plain_layer(layout: &Path) -> Vec<u8> {
    kaniko_tests::built::Image::of_layout(layout).layers().remove(0)
}

/// A path without its first slash.
fn relative(path: &Path) -> String {
    path.strip_prefix("/").unwrap().display().to_string()
}

#[test]
fn by_names_that_climb() {
    build_on(&Expected::Refused(&["cannot extract", "has a `..`"]), |outside| {
        let up = "../".repeat(6);
        vec![
            Layer::default()
                .file(&format!("{up}{}/climbed", relative(outside)), 0o644, b"x")
                .file(&format!("tmp/{up}{}/climbed", relative(outside)), 0o644, b"x")
                .file(&format!("{up}kaniko-was-here"), 0o644, b"x"),
        ]
    });
}

#[test]
fn by_absolute_names() {
    build_on(&Expected::Confined, |outside| {
        vec![Layer::default().file(&format!("{}/absolute", outside.display()), 0o644, b"x").file(
            "/kaniko-was-here",
            0o644,
            b"x",
        )]
    });
}

#[test]
fn through_a_symbolic_link() {
    build_on(&Expected::Refused(&["`relative/through`", "leads out of the root"]), |outside| {
        let target = outside.display().to_string();
        let climbing = format!("{}{}", "../".repeat(12), relative(outside));
        vec![
            Layer::default()
                .symlink("absolute", &target)
                .file("absolute/through", 0o644, b"x")
                .symlink("relative", &climbing)
                .file("relative/through", 0o644, b"x"),
            // Also where the link is in the layer below.
            Layer::default()
                .file("absolute/later", 0o644, b"x")
                .file("relative/victim", 0o644, b"x")
                .directory("absolute/directory", 0o755),
        ]
    });
}

#[test]
fn by_a_hard_link_to_a_file_outside() {
    build_on(
        &Expected::Refused(&["cannot extract `absolute`", "that it could link to"]),
        |outside| {
            let victim = outside.join("victim");
            let climbing = format!("{}{}", "../".repeat(12), relative(&victim));
            vec![
                Layer::default().hardlink("absolute", &victim.display().to_string()).file(
                    "absolute",
                    0o644,
                    b"overwritten",
                ),
                Layer::default().hardlink("climbing", &climbing).file(
                    "climbing",
                    0o644,
                    b"overwritten",
                ),
            ]
        },
    );
}

#[test]
fn by_whiteouts_of_files_outside() {
    build_on(&Expected::Refused(&["cannot extract", "has a `..`"]), |outside| {
        let target = outside.display().to_string();
        vec![
            Layer::default().symlink("link", &target),
            Layer::default().file("link/.wh.victim", 0o644, b"").file(
                &format!("{}{}/.wh.victim", "../".repeat(6), relative(outside)),
                0o644,
                b"",
            ),
            Layer::default().file("link/.wh..wh..opq", 0o644, b""),
        ]
    });
}

#[test]
fn a_copy_does_not_follow_a_link_out_of_its_stage() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "of the builder").unwrap();
    let outside = secret.path().display();
    let outcome = Build::of(&format!(
        "FROM {base} AS a\nRUN ln -s {outside} /link && ln -s {outside}/secret /direct\n\
         FROM {base}\nCOPY --from=a /link/secret /direct /got/\n"
    ))
    .no_push()
    .fail();
    assert!(!outcome.log().contains("of the builder"));
}
