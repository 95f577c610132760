//! Several destinations, and who is told what came out.

use std::fs;

use kaniko_tests::base;
use kaniko_tests::built::{Image, digest};
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;

#[test]
fn a_destination_that_fails_keeps_the_image_from_no_other() {
    let (registry, gone) = (Registry::start(), Registry::start());
    let base = registry.push(&base::busybox(), "base:1");
    let (here, there) = (registry.name("built:1"), gone.name("built:1"));
    drop(gone);
    let build = Build::of(&format!("FROM {base}\nRUN echo made > /made\n"));
    let outcome = build.flag("--skip-push-permission-check").push(&there).push(&here).fail();
    outcome.says(&["cannot push to 1 of 2 destinations", &there, "cannot reach"]);
    assert_eq!(Image::pull(&here).run(&["cat", "/made"]), "made\n");
}

#[test]
fn nothing_is_built_that_could_not_be_pushed() {
    let (registry, guarded) = (Registry::start(), Registry::with_password());
    let base = registry.push(&base::busybox(), "base:1");
    let build = Build::of(&format!("FROM {base}\nRUN echo ran\n"));
    let to = guarded.name("built:1");
    let outcome = build.push(&to).push(&registry.name("built:1")).fail();
    outcome.says(&["cannot push to 1 of 2 destinations", &to, "credentials"]);
    assert!(outcome.events.iter().all(|event| event.line().is_none()), "{}", outcome.log());
    assert!(registry.tags("built").is_empty());
}

#[test]
fn files_tell_what_went_where() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("team/built:1");
    let build = Build::of(&format!("FROM {base}\nRUN echo made > /made\n"));
    let told = build.path("told");
    let path = |name: &str| told.join(name).to_str().unwrap().to_owned();
    let output = format!("BUILDER_OUTPUT={}", told.to_str().unwrap());
    let outcome = build
        .under(&["env", &output])
        .option("--digest-file", &path("digest"))
        .option("--image-name-with-digest-file", &path("names"))
        .option("--image-name-tag-with-digest-file", &path("tags"))
        .push(&to)
        .succeed();
    let digest = digest(&to);
    let read = |name: &str| fs::read_to_string(outcome.path("told").join(name)).unwrap();
    let name = to.trim_end_matches(":1");
    assert_eq!(read("digest"), digest);
    assert_eq!(read("names"), format!("{name}@{digest}\n"));
    assert_eq!(read("tags"), format!("{to}@{digest}\n"));
    let pushed: serde_json::Value = serde_json::from_str(&read("images")).unwrap();
    assert_eq!(pushed, serde_json::json!({ "name": to, "digest": digest }));
}

#[test]
fn names_need_a_destination_and_a_digest_goes_nowhere_in_the_clear() {
    let build = || Build::of("FROM scratch\nCOPY Dockerfile /\n").no_push();
    build()
        .option("--image-name-with-digest-file", "names")
        .fail()
        .says(&["there is no destination", "--destination"]);
    build().option("--digest-file", "http://127.0.0.1/digest").fail().says(&["https"]);
}
