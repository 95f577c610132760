//! Bad input ends with a message that says what is wrong, where, and with what status.

use std::fs;
use std::net::TcpListener;

use kaniko_tests::base;
use kaniko_tests::built::manifest;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;

#[test]
fn the_status_of_a_command_is_passed_on() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let outcome =
        Build::of(&format!("FROM {base}\nRUN true\nRUN echo so far && exit 7\nRUN echo never\n"))
            .push(&to)
            .fail();
    assert_eq!(outcome.status.code(), Some(7));
    outcome.says(&["so far", "RUN echo so far && exit 7", "Dockerfile:3"]);
    assert!(!outcome.lines().any(|line| line == "never"));
    assert!(registry.tags("built").is_empty(), "half an image is none");
}

#[test]
fn a_missing_dockerfile_is_named() {
    let build = Build::of("FROM scratch\n").no_push();
    fs::remove_file(build.path("Dockerfile")).unwrap();
    let path = build.path("Dockerfile").display().to_string();
    build.fail().says(&[&path]);
}

#[test]
fn a_missing_context_is_named() {
    let build = Build::of("FROM scratch\nCOPY a /\n").no_push();
    fs::remove_dir(build.path("context")).unwrap();
    let path = build.path("context").display().to_string();
    build.fail().says(&[&path]);
}

#[test]
fn a_base_that_does_not_exist_is_named() {
    let registry = Registry::start();
    let base = registry.name("nothing:here");
    Build::of(&format!("FROM {base}\nRUN true\n")).no_push().fail().says(&[&base, "Dockerfile:1"]);
}

#[test]
fn a_registry_that_wants_credentials_is_named() {
    let registry = Registry::with_password();
    let base = registry.push(&base::busybox(), "base:1");
    Build::of(&format!("FROM {base}\nRUN true\n"))
        .no_push()
        .fail()
        .says(&[registry.address(), "credentials"]);
}

#[test]
fn a_platform_that_a_base_does_not_have_is_named() {
    let registry = Registry::start();
    let layout = base::busybox();
    let context = format!("base=oci-layout://{}", layout.display());
    Build::of("FROM base\nRUN true\n")
        .option("--build-context", &context)
        .option("--custom-platform", "linux/s390x")
        .push(&registry.name("built:1"))
        .fail()
        .says(&["linux/s390x"]);
}

#[test]
fn a_registry_that_does_not_answer_is_tried_again_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    Build::of(&format!("FROM {address}/base:1\nRUN true\n"))
        .no_push()
        .option("--image-download-retry", "1")
        .fail()
        .says(&[&address, "2 attempts"]);
}

#[test]
fn an_image_that_cannot_be_had_may_be_a_misspelt_stage() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("HTTPS_PROXY=http://{}", listener.local_addr().unwrap());
    drop(listener);
    Build::of("FROM scratch AS build\nFROM scratch\nCOPY --from=biuld /a /\n")
        .under(&["env", &proxy])
        .no_push()
        .option("--image-download-retry", "0")
        .fail()
        .says(&["Dockerfile:3", "write `build` if the stage is meant"]);
}

#[test]
fn a_layer_with_other_bytes_is_not_used() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let digest = manifest(&base)["layers"][0]["digest"].as_str().unwrap().to_owned();
    let blob = registry.blob(&digest);
    let mut bytes = fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blob, bytes).unwrap();
    Build::of(&format!("FROM {base}\nRUN true\n")).no_push().fail().says(&[&digest]);
}

#[test]
fn a_destination_with_a_digest_is_refused_before_anything_is_done() {
    let to = format!("registry.invalid/a@sha256:{}", "0".repeat(64));
    let outcome = Build::of("FROM registry.invalid/base\n").push(&to).fail();
    outcome.says(&["cannot push", &to]);
}

#[test]
fn a_file_that_is_not_in_the_context_is_named() {
    Build::of("FROM scratch\nCOPY not-there /\n")
        .file("there", "")
        .no_push()
        .fail()
        .says(&["not-there", "Dockerfile:2"]);
}

#[test]
fn a_file_that_is_not_in_a_stage_is_named() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    Build::of(&format!("FROM {base} AS a\nRUN true\nFROM {base}\nCOPY --from=a /not-there /\n"))
        .no_push()
        .fail()
        .says(&["not-there", "Dockerfile:4"]);
}

#[test]
fn all_mistakes_of_a_dockerfile_are_reported_at_once() {
    Build::of("FROM scratch\nRNU make\nCOPY a\n").no_push().fail().says(&[
        "RNU",
        "Dockerfile:2",
        "Dockerfile:3",
    ]);
}

#[test]
fn a_command_is_confined_unless_it_is_allowed_not_to_be() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!("FROM {base}\nRUN true\nRUN --security=insecure echo free\n");
    let outcome = Build::of(&dockerfile).no_push().fail();
    outcome.says(&["`RUN --security=insecure`", "--allow security.insecure", "Dockerfile:3"]);
    let outcome = Build::of(&dockerfile).option("--allow", "security.insecure").no_push().succeed();
    assert_eq!(outcome.lines().collect::<Vec<_>>(), ["free"]);
}
