//! The same image, wherever it goes.

use kaniko_tests::base;
use kaniko_tests::built::{Image, digest};
use kaniko_tests::kaniko::{Build, Outcome};
use kaniko_tests::registry::Registry;

#[test]
fn registry_tarball_and_layout_hold_one_image() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let build = Build::of(&format!(
        "FROM {base}\nCOPY a /a\nRUN ln /a /b && ln -s a /c && mkfifo /d\nENV X=y\n"
    ));
    let (tarball, layout) = (build.path("image.tar"), build.path("layout"));
    let outcome = build
        .file("a", "content")
        .option("--tar-path", tarball.to_str().unwrap())
        .option("--oci-layout-path", layout.to_str().unwrap())
        .push(&to)
        .succeed();

    let images = [Image::pull(&to), Image::of_archive(&tarball), Image::of_layout(&layout)];
    for image in &images[1..] {
        assert_eq!(image.config(), images[0].config());
        assert_eq!(image.layers(), images[0].layers());
    }
    let index = std::fs::read_to_string(outcome.path("layout/index.json")).unwrap();
    assert!(index.contains(&digest(&to)), "{index}");
    for image in &images {
        assert_eq!(image.run(&["sh", "-c", "cat /b /c; echo $X"]), "contentcontenty\n");
    }
}

#[test]
fn without_a_push_only_files_are_written() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let build = Build::of(&format!("FROM {base}\nRUN echo made > /made\n"));
    let tarball = build.path("image.tar");
    let outcome: Outcome =
        build.no_push().option("--tar-path", tarball.to_str().unwrap()).succeed();
    assert_eq!(Image::of_archive(&outcome.path("image.tar")).run(&["cat", "/made"]), "made\n");
    assert!(registry.tags("built").is_empty());
}

#[test]
fn a_step_that_changes_nothing_makes_no_layer() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    Build::of(&format!("FROM {base}\nRUN true\nRUN echo x > /x\n")).push(&to).succeed();
    let image = Image::pull(&to);
    assert_eq!(image.diff_ids().len(), 2);
    let history = image.config()["history"].clone();
    assert_eq!(history[1]["empty_layer"], true, "{history}");
    assert_eq!(history[2].get("empty_layer"), None, "{history}");
}
