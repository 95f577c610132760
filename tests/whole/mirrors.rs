//! Mirrors: what is pulled from them, and what happens where they do not have it.

use std::fs;
use std::net::TcpListener;

use kaniko_tests::base;
use kaniko_tests::built::{Image, digest, manifest};
use kaniko_tests::kaniko::{self, Build, Outcome};
use kaniko_tests::registry::Registry;

/// Where nobody listens.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The digest of the only layer of an image.
fn layer(reference: &str) -> String {
    manifest(reference)["layers"][0]["digest"].as_str().unwrap().to_owned()
}

/// A build that runs a command, kept nowhere.
fn build(from: &str) -> Build {
    Build::of(&format!("FROM {from}\nRUN echo it runs\n")).no_push()
}

fn ran(outcome: &Outcome) -> bool {
    outcome.lines().any(|line| line == "it runs")
}

/// Whether a blob was fetched.
fn holds(outcome: &Outcome, digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:").unwrap();
    outcome.work.join("blobs/sha256").join(hex).exists()
}

#[test]
fn images_of_docker_hub_come_from_a_path_of_a_mirror() {
    let mirror = Registry::start();
    let theirs = mirror.push(&base::busybox(), "hub/library/base:1");
    let place = mirror.name("hub/");
    let to = mirror.name("built:1");
    // What is new is only metadata, so that the layer is copied within the registry.
    let outcome = Build::of("FROM base:1\nLABEL a=b\n")
        .option("--registry-mirror", &place)
        .flag("--skip-default-registry-fallback")
        .push(&to)
        .succeed();
    assert_eq!(layer(&to), layer(&theirs));
    assert!(!holds(&outcome, &layer(&to)), "it was mounted from where it was found");
    let config = Image::pull(&to).config().to_string();
    assert!(!config.contains("hub/library"), "{config}");

    // Elsewhere there is nothing to copy it from.
    let other = Registry::start();
    let to = other.name("built:1");
    let outcome = Build::of("FROM base:1\nLABEL a=b\n")
        .under(&["env", &format!("KANIKO_REGISTRY_MIRROR={}, {place}", dead())])
        .flag("--skip-default-registry-fallback")
        .push(&to)
        .succeed();
    assert_eq!(layer(&to), layer(&theirs));
    assert!(holds(&outcome, &layer(&to)));
    for registry in ["docker.io", "index.docker.io"] {
        let outcome = build(&format!("{registry}/library/base:1"))
            .under(&["env", &format!("KANIKO_REGISTRY_MAP={registry}={place}")])
            .succeed();
        assert!(ran(&outcome));
        outcome.says(&[&format!("`docker.io/library/base:1` comes from `{theirs}`")]);
    }
}

#[test]
fn what_no_mirror_has_comes_from_the_registry_itself() {
    let (registry, empty) = (Registry::start(), Registry::start());
    let from = registry.push(&base::busybox(), "base:1");
    let (own, dead) = (registry.address(), dead());
    let outcome = build(&from)
        .option("--registry-map", &format!("{own}={dead};other.test=unused.test"))
        .option("--registry-map", &format!("{own}={}/proxy", empty.address()))
        .succeed();
    assert!(ran(&outcome));
    let missing = empty.name("proxy/base:1");
    outcome.says(&[
        &format!("`{from}` is not taken from `{dead}/base:1`: cannot reach registry `{dead}`"),
        &format!("`{from}` is not taken from `{missing}`: cannot find `{missing}`"),
    ]);
    assert!(!outcome.log().contains("comes from"));
}

#[test]
fn without_fallback_the_registry_itself_is_not_asked() {
    let (registry, empty) = (Registry::start(), Registry::start());
    let from = registry.push(&base::busybox(), "base:1");
    let (own, dead) = (registry.address(), dead());
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Dockerfile"), format!("FROM {from}\n")).unwrap();
    let maps = [&dead, empty.address()].map(|mirror| format!("{own}={mirror}"));
    let plan = |flags: &[&str]| {
        let fixed = ["plan", "--resolve", "--registry-map", &maps[0], "--registry-map", &maps[1]];
        kaniko::screen(directory.path(), "kaniko", &[&fixed, flags].concat())
    };
    let refused = plan(&["--skip-default-registry-fallback"]);
    for part in [
        &format!("cannot get `{from}`: at `{dead}/base:1`: cannot reach"),
        &format!("at `{}`: cannot find", empty.name("base:1")),
        &format!("`{own}` itself is not asked (`--skip-default-registry-fallback`)"),
        "exit status: 1",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let found = plan(&["--skip-default-registry-fallback=false"]);
    assert!(found.contains(&format!("{from}@{}", digest(&from))), "{found}");
}

#[test]
fn a_mirror_that_pulls_through_serves_without_its_source() {
    let registry = Registry::start();
    let from = registry.push(&base::busybox(), "base:1");
    let mirror = Registry::mirror_of(registry.address());
    let map = format!("{}={}", registry.address(), mirror.address());
    let pull = || {
        let outcome = build(&from)
            .option("--registry-map", &map)
            .flag("--skip-default-registry-fallback")
            .succeed();
        assert!(ran(&outcome));
        outcome.says(&[&format!("comes from `{}`", mirror.name("base:1"))]);
    };
    pull();
    drop(registry);
    pull();
}

#[test]
fn a_mirror_is_asked_with_its_own_credentials() {
    let (registry, mirror) = (Registry::start(), Registry::with_password());
    let from = registry.push(&base::busybox(), "base:1");
    let theirs = mirror.push(&base::busybox(), "base:1");
    let map = format!("{}={}", registry.address(), mirror.address());
    let pull = |login: &str| {
        build(&from).option("--registry-map", &map).login(login, "dXNlcjpzZWNyZXQ=").succeed()
    };
    pull(mirror.address()).says(&[&format!("`{from}` comes from `{theirs}`")]);
    pull(registry.address()).says(&[
        &format!("`{from}` is not taken from `{theirs}`: cannot access"),
        &format!("`{}` asks for credentials", mirror.address()),
    ]);
}

#[test]
fn a_layer_that_a_mirror_has_lost_comes_from_elsewhere() {
    let (registry, mirror) = (Registry::start(), Registry::start());
    let from = registry.push(&base::busybox(), "base:1");
    let theirs = mirror.push(&base::busybox(), "base:1");
    let blob = mirror.blob(&layer(&theirs));
    let map = format!("{}={}", registry.address(), mirror.address());
    fs::write(&blob, "something else").unwrap();
    assert!(ran(&build(&from).option("--registry-map", &map).succeed()));
    fs::remove_file(blob).unwrap();
    assert!(ran(&build(&from).option("--registry-map", &map).succeed()));
    build(&from)
        .option("--registry-map", &map)
        .flag("--skip-default-registry-fallback")
        .fail()
        .says(&["cannot get blob", &mirror.name("base:1"), "is not asked"]);
}

#[test]
fn what_names_no_mirror_is_refused_before_anything_is_asked() {
    for (flag, value, reason) in [
        ("--registry-map", "mirror.test", "is not REGISTRY=MIRROR"),
        ("--registry-mirror", "https://mirror.test", "without `https://`"),
        ("--registry-map", "docker.io/library=mirror.test", "has a path"),
    ] {
        let outcome = build("base").option(flag, value).fail();
        outcome.says(&[&format!("`{flag}`: `"), reason]);
    }
}
