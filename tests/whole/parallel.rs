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
