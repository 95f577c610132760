//! `--isolation in-place`: commands in the root of a container whose image has only the binary.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kaniko_tests::built::Image;
use kaniko_tests::bundle::{self, Container, Limits};
use kaniko_tests::kaniko::{self, Build, Call, Place};
use kaniko_tests::seccomp::Profile;
use kaniko_tests::{base, process, tool, tree};

/// What the executor image has that others do not.
pub(crate) const MARKER: &str = "kaniko/.executor-image";

/// As `docker run` starts it, with all of Docker's capabilities or some.
pub(crate) fn container(capabilities: &[&'static str]) -> Container {
    let limits = Limits {
        user: 0,
        capabilities: capabilities.into(),
        seccomp: Some(Profile::Docker),
        no_new_privileges: false,
        masked: true,
        own_users: None,
    };
    let container = Container::new(&kaniko::binary(), limits);
    container.bind(&base::busybox(), Path::new("/base"), true)
}

fn docker() -> Container {
    container(&bundle::DOCKER)
}

pub(crate) fn build(dockerfile: &str, isolation: &str, container: &Arc<Container>) -> Build {
    Build::of(dockerfile)
        .option("--build-context", "base=oci-layout:///base")
        .option("--isolation", isolation)
        .work(Path::new("/kaniko"))
        .no_push()
        .at(Shared(Arc::clone(container)))
}

/// A container that is started more than once; what was written to its root stays.
struct Shared(Arc<Container>);

impl Place for Shared {
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command {
        self.0.command(directory, call)
    }
}

const STEPS: &str = r#"
FROM base AS other
RUN echo other > /from-other
FROM base
RUN test -r /proc/self/status && test -e /dev/pts && readlink /proc/self/exe && echo x > /dev/stdout
RUN mkdir -p /etc/new /opt/deep && echo 1 > /etc/new/file && rm /etc/group && chmod 700 /var
RUN ! cat /proc/1/environ && [ -z "$KANIKO_DIR$DOCKER_CONFIG" ] && (setsid sleep 86421 &)
RUN ! pgrep -f 'sleep 8642[1]' && [ ! -e /from-other ]
RUN --mount=type=cache,target=/cache echo kept > /cache/file
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/memory \
    --mount=type=bind,from=other,source=/from-other,target=/bound \
    --mount=type=secret,id=word,target=/run/word \
    cat /cache/file /bound /run/word > /tmp/read && touch /memory/gone /etc/hosts
COPY --from=other /from-other /copied
RUN --network=none ! nc 127.0.0.1 9
RUN <<EOF
#!/bin/sh
echo from a script > /script
EOF
USER user
RUN id -u > /tmp/user
"#;

/// Builds an image and lists what is in it.
fn list(build: Build) -> Vec<String> {
    let build = build.file("word", "secret\n");
    let secret = format!("id=word,src={}", build.path("context/word").display());
    let to = build.path("layout");
    let outcome = build
        .option("--secret", &secret)
        .option("--oci-layout-path", &to.display().to_string())
        .succeed();
    let image = Image::of_layout(&to);
    drop(outcome);
    assert_eq!(image.run(&["cat", "/tmp/read", "/script"]), "kept\nother\nsecret\nfrom a script\n");
    assert_eq!(image.run(&["cat", "/tmp/user"]), "1000\n");
    process::assert_gone("sleep 86421");
    let found =
        tool::run("find", [&image.unpack().display().to_string(), "-printf", "%P %y %m\\n"]);
    let mut lines: Vec<String> = found.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_build_in_place_is_a_build_in_namespaces() {
    let container = Arc::new(docker().file(MARKER, ""));
    let in_place = list(build(STEPS, "in-place", &container));
    // The container's own root is as it was.
    assert_eq!(container.written(), Vec::<String>::new());
    let context = format!("base=oci-layout://{}", base::busybox().display());
    let in_namespaces = list(
        Build::of(STEPS)
            .option("--build-context", &context)
            .option("--isolation", "namespaces")
            .option("--snapshotter", "tree")
            .no_push(),
    );
    assert_eq!(in_place, in_namespaces);
}

#[test]
fn a_failed_command_leaves_the_container_as_it_was() {
    let container = Arc::new(docker().file(MARKER, ""));
    build("FROM base\nRUN touch /made && rm -rf /var && false\n", "in-place", &container).fail();
    assert_eq!(container.written(), Vec::<String>::new());
}

#[test]
fn what_a_killed_builder_left_is_moved_back_by_the_next() {
    let container = Arc::new(docker().file(MARKER, ""));
    let first = "FROM base\nRUN touch /made && echo sleeping && sleep 86422\n";
    let build_of_first = build(first, "in-place", &container);
    let dockerfile = build_of_first.path("Dockerfile").display().to_string();
    let mut running = build_of_first.start();
    running.wait_for("sleeping");
    let files = container.written();
    assert!(files.iter().any(|name| name == "made"), "{files:?}");
    process::kill(bundle::EXECUTOR, &dockerfile);
    assert!(!running.finish().status.success());
    process::assert_gone("sleep 86422");
    build("FROM base\nRUN [ ! -e /made ]\n", "in-place", &container).succeed();
    assert_eq!(container.written(), Vec::<String>::new());
}

#[test]
fn nothing_is_moved_in_a_foreign_image() {
    let dockerfile = "FROM base\nRUN true\n";
    let refused = |container: Container, why: &str| {
        let container = Arc::new(container);
        build(dockerfile, "in-place", &container).fail().says(&["in-place", why]);
    };
    refused(docker(), "it has no `/kaniko/.executor-image`");
    let foreign = docker().file(MARKER, "").file("usr/bin/foreign", "");
    refused(foreign, "`/usr/bin/foreign` is neither the builder's nor the container engine's");
    let volume = docker().file(MARKER, "").tmpfs("/kaniko/work");
    let volume = Arc::new(volume);
    build(dockerfile, "in-place", &volume)
        .work(Path::new("/kaniko/work"))
        .fail()
        .says(&["`/kaniko/work` is a mount"]);
    // Nor where everything else is refused: nobody asked.
    let names = tree::names(Path::new("/"));
    Build::of(dockerfile).option("--isolation", "in-place").no_push().fail().says(&["in-place"]);
    assert_eq!(tree::names(Path::new("/")), names);
}
