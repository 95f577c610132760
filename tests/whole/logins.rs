//! Who is asking: credentials from files, programs and variables, at a registry that asks for them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::{PASSWORD, Registry, USER};
use kaniko_tests::{base, tool};
use serde_json::json;

/// `user:secret` and `user:stale`, in base64.
const RIGHT: &str = "dXNlcjpzZWNyZXQ=";
const STALE: &str = "dXNlcjpzdGFsZQ==";

/// A build that pulls from the registry and pushes to it, in an environment with further variables,
/// and with a file `login` beside its Dockerfile.
fn build(registry: &Registry, base: &str, variables: &[String], login: &str) -> Build {
    let build = Build::of(&format!("FROM {base}\nCOPY a /a\n")).file("a", "");
    fs::write(build.path("login"), login).unwrap();
    let directory = build.path("login").parent().unwrap().display().to_string();
    let variables = variables.iter().map(|variable| variable.replace("@directory", &directory));
    let words: Vec<String> = ["env".to_owned()].into_iter().chain(variables).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    build.under(&words).push(&registry.name("built:1"))
}

/// What podman writes down when it logs in to parts of a registry.
fn podman_login(places: &[String]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("auth.json");
    for place in places {
        let login = ["login", "--tls-verify=false", "--username", USER, "--password", PASSWORD];
        tool::run("podman", login.into_iter().chain(["--authfile", file.to_str().unwrap(), place]));
    }
    fs::read_to_string(file).unwrap()
}

#[test]
fn each_source_is_good_for_pull_and_push() {
    let registry = Registry::with_password();
    let base = registry.push(&base::busybox(), "base:1");
    let host = registry.address();
    let config = json!({"auths": {format!("http://{host}/v2/"): {"auth": RIGHT}}}).to_string();
    let helped = json!({"credHelpers": {host: "test"}}).to_string();
    let helper = format!("#!/bin/sh\necho '{}'\n", json!({"Username": USER, "Secret": PASSWORD}));
    let podman = podman_login(&["base", "built"].map(|name| registry.name(name)));
    let name = host.replace(['.', ':'], "_");
    let variable = |name: &str, value: &str| format!("{name}={value}");
    let cases = [
        (vec![variable("DOCKER_AUTH_CONFIG", &config)], ""),
        (vec![variable("REGISTRY_AUTH_FILE", "@directory/login")], podman.as_str()),
        (
            vec![
                variable(&format!("KANIKO_{name}_USER"), USER),
                variable(&format!("KANIKO_{name}_PASSWORD"), PASSWORD),
            ],
            "",
        ),
        (
            vec![
                variable("CI_REGISTRY", host),
                variable("CI_REGISTRY_USER", USER),
                variable("CI_REGISTRY_PASSWORD", PASSWORD),
            ],
            "",
        ),
        (
            vec![
                variable("DOCKER_AUTH_CONFIG", &helped),
                variable("PATH", &format!("@directory:{}", tool::PATH)),
            ],
            helper.as_str(),
        ),
    ];
    for (variables, login) in cases {
        let build = build(&registry, &base, &variables, login);
        let program = build.path("docker-credential-test");
        fs::copy(build.path("login"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        build.succeed();
        assert_eq!(registry.tags("built"), ["1"], "{variables:?}");
        registry.forget("built");
    }
}

#[test]
fn a_refused_login_is_told_with_its_place_and_without_its_secret() {
    let registry = Registry::with_password();
    let base = registry.push(&base::busybox(), "base:1");
    let host = registry.address();
    let later = ["CI_REGISTRY_USER=other".to_owned(), format!("CI_REGISTRY={host}")];
    let build = build(&registry, &base, &later, "").login(host, STALE);
    let place = build.path("home").join(".docker/config.json").display().to_string();
    let outcome = build.fail();
    outcome.says(&[
        &format!("`{host}` refuses the credentials of user `user` from the entry `{host}` of"),
        &format!("`{place}`: authentication required"),
    ]);
    assert!(!outcome.log().contains("stale") && !outcome.log().contains(STALE));
}

#[test]
fn a_missing_login_is_told_with_the_places_it_may_be_at() {
    let registry = Registry::with_password();
    let base = registry.push(&base::busybox(), "base:1");
    let variables = ["DOCKER_CONFIG=/nowhere", "DOCKER_AUTH_CONFIG={}"].map(str::to_owned);
    let build = build(&registry, &base, &variables, "");
    let podman = build.path("home").join(".config/containers/auth.json").display().to_string();
    let outcome = build.fail();
    let places = format!(
        "none were found for it in the variable `DOCKER_AUTH_CONFIG`, `/nowhere/config.json` (not \
         there), `{podman}` (not there); log in to it"
    );
    outcome.says(&[registry.address(), &places]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let variables = ["REGISTRY_AUTH_FILE=@directory/login".to_owned()];
    let build = build(&registry, &base, &variables, "{\n\"auths\": [\"secret\"]}");
    let outcome = build.fail();
    let place = outcome.path("login").display().to_string();
    outcome.says(&[&format!("cannot read `{place}`: it is no JSON of the form"), "line 2"]);
    assert!(!outcome.log().contains("secret"));
}
