//! Instructions that change an image's config and history.

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use serde_json::json;

const EVERYTHING: &str = r#"
MAINTAINER Some One
ENV A=1 B="two words"
ENV A=$B
LABEL a="b" c.d=e
EXPOSE 80 53/udp 8000-8001
VOLUME /data "/more"
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=3 CMD test -e /ok
USER 12:34
WORKDIR /home
SHELL ["/bin/ash", "-c"]
ENTRYPOINT ["/entry", "x"]
CMD run $A
ONBUILD RUN echo triggered > /triggered
"#;

/// As BuildKit writes it.
const HEALTHCHECK: &str = "HEALTHCHECK {Test:[CMD-SHELL test -e /ok] Interval:5s Timeout:0s \
    StartPeriod:0s StartInterval:0s Retries:3}";

#[test]
fn every_instruction_is_in_config_and_history() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    Build::of(&format!("FROM {base}\n{EVERYTHING}")).push(&to).succeed();
    let config = Image::pull(&to).config();
    assert_eq!(config["author"], "Some One");
    assert_eq!(
        config["config"],
        json!({
            "ArgsEscaped": true,
            "Cmd": ["/bin/ash", "-c", "run $A"],
            "Entrypoint": ["/entry", "x"],
            "Env": ["PATH=/bin", "A=two words", "B=two words"],
            "ExposedPorts": { "53/udp": {}, "80/tcp": {}, "8000/tcp": {}, "8001/tcp": {} },
            "Healthcheck": {
                "Test": ["CMD-SHELL", "test -e /ok"], "Interval": 5_000_000_000_u64, "Retries": 3,
            },
            "Labels": { "a": "b", "c.d": "e" },
            "OnBuild": ["RUN echo triggered > /triggered"],
            "Shell": ["/bin/ash", "-c"],
            "StopSignal": "SIGINT",
            "User": "12:34",
            "Volumes": { "/data": {}, "/more": {} },
            "WorkingDir": "/home",
        })
    );
    let history: Vec<_> = config["history"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|entry| (entry["created_by"].as_str().unwrap(), entry["empty_layer"] == true))
        .collect();
    assert_eq!(
        history,
        [
            ("MAINTAINER Some One", true),
            ("ENV A=1 B=two words", true),
            ("ENV A=two words", true),
            ("LABEL a=b c.d=e", true),
            ("EXPOSE [53/udp 80/tcp 8000/tcp 8001/tcp]", true),
            ("VOLUME [/data /more]", true),
            ("STOPSIGNAL SIGINT", true),
            (HEALTHCHECK, true),
            ("USER 12:34", true),
            ("WORKDIR /home", false),
            ("SHELL [/bin/ash -c]", true),
            ("ENTRYPOINT [\"/entry\" \"x\"]", true),
            ("CMD [\"/bin/ash\" \"-c\" \"run $A\"]", true),
        ]
    );
}

#[test]
fn triggers_of_a_base_fire_once() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let (parent, child, grandchild) =
        (registry.name("parent:1"), registry.name("child:1"), registry.name("grandchild:1"));
    let trigger = "ONBUILD RUN echo fired >> /fired\n";
    Build::of(&format!("FROM {base}\n{trigger}")).push(&parent).succeed();
    Build::of(&format!("FROM {parent}\n")).push(&child).succeed();
    Build::of(&format!("FROM {child}\nRUN cat /fired\n")).push(&grandchild).succeed();
    assert_eq!(Image::pull(&grandchild).run(&["cat", "/fired"]), "fired\n");
    assert_eq!(Image::pull(&child).config()["config"].get("OnBuild"), None);
}

/// The time of an image whose Dockerfile begins with `global`, built with one in the environment.
fn created(global: &str, prepare: impl Fn(Build) -> Build) -> String {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let build = Build::of(&format!("{global}\nFROM {base}\nENV A=b\n"));
    prepare(build).push(&to).succeed();
    let config = Image::pull(&to).config();
    assert_eq!(config["history"][1]["created"], config["created"]);
    config["created"].as_str().unwrap().to_owned()
}

#[test]
fn the_time_of_an_image_can_be_given() {
    let environment = |build: Build| build.under(&["env", "SOURCE_DATE_EPOCH=1000000000"]);
    let argument = |build: Build| build.option("--build-arg", "SOURCE_DATE_EPOCH=1100000000");
    let global = "ARG SOURCE_DATE_EPOCH=1200000000";
    assert_eq!(created(global, |build| argument(environment(build))), "2004-11-09T11:33:20Z");
    assert_eq!(created(global, environment), "2001-09-09T01:46:40Z");
    assert_eq!(created(global, |build| build), "2008-01-10T21:20:00Z");
}
