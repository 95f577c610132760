//! Builds on busybox: several stages, pushed, and used by others.

use kaniko_tests::base;
use kaniko_tests::built::{Image, digest, manifest};
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::tool;

/// Two stages; the first is not in the image but for a file of it.
fn stages(base: &str) -> String {
    format!(
        "FROM {base} AS build\n\
         WORKDIR /src\n\
         COPY greeting .\n\
         RUN tr a-z A-Z < greeting > loud && echo unused > /unused\n\
         FROM {base}\n\
         ARG WHO=nobody\n\
         ENV GREETED=$WHO\n\
         LABEL made.by=\"these tests\"\n\
         COPY --from=build /src/loud /etc/greeting\n\
         RUN echo greeter:x:4711:4711::/:/bin/sh >> /etc/passwd && mkdir /var/greeter && chown greeter /var/greeter\n\
         USER greeter\n\
         WORKDIR /var/greeter\n\
         EXPOSE 8080\n\
         CMD [\"sh\", \"-c\", \"cat /etc/greeting; id -u; pwd; echo $GREETED\"]\n"
    )
}

#[test]
fn an_image_of_two_stages_runs_as_it_was_written() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    Build::of(&stages(&base))
        .file("greeting", "hello\n")
        .option("--build-arg", "WHO=world")
        .push(&to)
        .succeed();

    let image = Image::pull(&to);
    assert_eq!(image.run(&[]), "HELLO\n4711\n/var/greeter\nworld\n");
    let config = &image.config()["config"];
    assert_eq!(config["User"], "greeter");
    assert_eq!(config["WorkingDir"], "/var/greeter");
    assert_eq!(config["Labels"]["made.by"], "these tests");
    assert_eq!(config["ExposedPorts"], serde_json::json!({ "8080/tcp": {} }));
    assert_eq!(config["Env"], serde_json::json!(["PATH=/bin", "GREETED=world"]));
    let root = image.unpack();
    assert_eq!(std::fs::read_to_string(root.join("etc/greeting")).unwrap(), "HELLO\n");
    assert!(!root.join("unused").exists() && !root.join("src").exists());
}

#[test]
fn what_is_pushed_is_what_skopeo_finds_and_copies() {
    let (registry, other) = (Registry::start(), Registry::start());
    let base = registry.push(&base::busybox(), "base:1");
    let to = ["built:1", "built:2", "elsewhere/built:1"].map(|name| registry.name(name));
    let build = Build::of(&format!("FROM {base}\nRUN echo made > /made\n"));
    let file = build.path("out/digest");
    let build = build.option("--digest-file", file.to_str().unwrap());
    let outcome = to.iter().fold(build, |build, to| build.push(to)).succeed();

    let said = std::fs::read_to_string(outcome.path("out/digest")).unwrap();
    for to in &to {
        assert_eq!(digest(to), said);
    }
    assert_eq!(registry.tags("built"), ["1", "2"]);
    let layers = manifest(&to[0])["layers"].clone();
    assert_eq!(layers[0], manifest(&base)["layers"][0], "the base's layer is left as it is");
    let copy = other.name("copied:1");
    let from_to = [format!("docker://{}", to[0]), format!("docker://{copy}")];
    let fixed = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"];
    tool::run("skopeo", fixed.map(str::to_owned).into_iter().chain(from_to));
    assert_eq!(digest(&copy), said);
}

#[test]
fn a_base_can_be_a_layout() {
    let registry = Registry::start();
    let to = registry.name("built:1");
    let layout = base::busybox();
    let context = format!("base=oci-layout://{}", layout.display());
    Build::of("FROM base\nRUN echo made > /made\n")
        .option("--build-context", &context)
        .push(&to)
        .succeed();
    assert_eq!(Image::pull(&to).run(&["cat", "/made"]), "made\n");
}

#[test]
fn a_target_ends_the_build_where_it_says() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS first\nRUN echo 1 > /first\nFROM first AS second\nRUN echo 2 > /second\n\
         FROM first\nRUN exit 1\n"
    );
    Build::of(&dockerfile).option("--target", "second").push(&to).succeed();
    assert_eq!(Image::pull(&to).run(&["cat", "/first", "/second"]), "1\n2\n");
}

#[test]
fn a_login_of_docker_is_used() {
    let registry = Registry::with_password();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    Build::of(&format!("FROM {base}\nRUN true\n"))
        // user:secret
        .login(registry.address(), "dXNlcjpzZWNyZXQ=")
        .push(&to)
        .succeed();
    assert_eq!(registry.tags("built"), ["1"]);
}
