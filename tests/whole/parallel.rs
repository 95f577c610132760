//! Stages that do not need each other run side by side.

use kaniko_tests::base;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;

/// Each of two stages waits for the other, in a directory that both see. One after the other they
/// would never end well, whatever the clock says.
#[test]
fn two_stages_meet() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let stage = |own: &str, other: &str| {
        format!(
            "FROM {base} AS {own}\n\
             RUN --mount=type=cache,id=meeting,target=/meeting echo begin {own} && \
             touch /meeting/{own} && \
             for i in $(seq 600); do [ -e /meeting/{other} ] && exit 0; sleep 0.1; done; exit 1\n\
             RUN echo {own} > /{own}\n"
        )
    };
    let dockerfile = format!(
        "{}{}FROM {base}\nCOPY --from=left /left /\nCOPY --from=right /right /\n",
        stage("left", "right"),
        stage("right", "left")
    );
    let outcome = Build::of(&dockerfile).no_push().succeed();
    let (left, right) = (outcome.interval("begin left"), outcome.interval("begin right"));
    assert!(left.0 < right.1 && right.0 < left.1, "the log says otherwise: {left:?} {right:?}");
}

/// A second base is pulled while a command already runs on the first.
#[test]
fn a_base_is_pulled_beside_a_command() {
    let registry = Registry::start();
    let small = registry.push(&base::busybox(), "small:1");
    let large = registry.push(&base::debian(), "large:1");
    let dockerfile = format!(
        "FROM {large} AS large\n\
         RUN echo large > /large\n\
         FROM {small}\n\
         RUN echo beside && sleep 1\n\
         COPY --from=large /large /\n"
    );
    let outcome = Build::of(&dockerfile).no_push().succeed();
    let pull = outcome.interval_of(&format!("FROM {large}"));
    let command = outcome.interval("beside");
    assert!(pull.0 < command.1 && command.0 < pull.1, "{pull:?} {command:?}");
}

/// A layer goes out while the next command runs.
#[test]
fn a_layer_is_uploaded_beside_the_next_command() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!(
        "FROM {base}\n\
         RUN head -c 3000000 /dev/urandom > /large\n\
         RUN echo next && sleep 3\n"
    );
    let outcome = Build::of(&dockerfile).push(&registry.name("built:1")).succeed();
    let (_, end) = outcome.interval("next");
    let uploads = |event: &&kaniko_tests::kaniko::Event| {
        event.value["what"].as_str().is_some_and(|what| what.starts_with("push layer"))
    };
    let first = outcome.events.iter().find(uploads).expect("the upload is told of");
    assert!(first.time < end, "{} {end}", first.time);
}
