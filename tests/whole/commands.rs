//! `RUN`: what a command gets, sees and leaves behind.

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;

/// Lines that the commands of a Dockerfile on busybox write, without its `FROM`.
fn lines(dockerfile: &str) -> Vec<String> {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let outcome = Build::of(&format!("FROM {base}\n{dockerfile}")).no_push().succeed();
    outcome.lines().map(str::to_owned).collect()
}

#[test]
fn a_command_has_the_shell_environment_directory_and_user_of_its_place() {
    let seen = lines(
        "ARG FROM_ARG=argument\n\
         ENV FROM_ENV=\"two words\" PATH=/bin\n\
         RUN echo $FROM_ARG $FROM_ENV\n\
         RUN [\"echo\", \"$FROM_ENV\", \"is kept\"]\n\
         WORKDIR /made/for/this\n\
         RUN pwd\n\
         USER 1234:5678\n\
         RUN id -u && id -g\n",
    );
    assert_eq!(seen, ["argument two words", "$FROM_ENV is kept", "/made/for/this", "1234", "5678"]);
}

#[test]
fn a_working_directory_may_be_closed_to_the_user_and_need_no_detour() {
    let seen = lines("WORKDIR /root/\nUSER 1234\nRUN pwd\nWORKDIR /not/made/../../tmp\nRUN pwd\n");
    assert_eq!(seen, ["/root", "/tmp"]);
}

#[test]
fn the_last_shell_of_a_stage_counts() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!("FROM {base}\nSHELL [\"/bin/sh\", \"-e\", \"-c\"]\nRUN false; true\n");
    let outcome = Build::of(&dockerfile).no_push().fail();
    assert_eq!(outcome.status.code(), Some(1));
}

#[test]
fn heredocs_are_scripts_of_the_shell_or_of_their_own_interpreter() {
    let seen = lines(
        "RUN <<END\nfor word in one two; do\n  echo $word\ndone\nEND\n\
         RUN <<'END'\n#!/bin/awk -f\nBEGIN { print \"awk \" 1 + 1 }\nEND\n\
         RUN cat <<A - <<-B\nfrom a\nA\n\tfrom b\n\tB\n",
    );
    assert_eq!(seen, ["one", "two", "awk 2", "from b"]);
}

#[test]
fn what_a_container_has_is_there_and_is_not_in_the_layer() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let look = "[ -d /proc/self ] && [ -d /sys/kernel ] && echo x > /dev/null && \
                [ -s /etc/resolv.conf ] && grep -q localhost /etc/hosts && \
                [ \"$(readlink /dev/stdout)\" = /proc/self/fd/1 ] && head -c 4 /dev/urandom | wc -c";
    for snapshotter in ["overlay", "tree"] {
        let outcome = Build::of(&format!("FROM {base}\nRUN {look}\n"))
            .option("--snapshotter", snapshotter)
            .push(&to)
            .succeed();
        assert_eq!(outcome.lines().collect::<Vec<_>>(), ["4"]);
        assert_eq!(Image::pull(&to).diff_ids().len(), 1, "the command changed nothing");
    }
}

#[test]
fn what_a_command_itself_puts_where_mounts_stand_is_kept() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base}\n\
         RUN --mount=type=tmpfs,target=/scratch/deep --mount=type=cache,target=/cache \
         echo gone > /scratch/deep/x && echo gone > /cache/x && echo kept > /scratch/y\n\
         RUN --mount=type=cache,target=/cache cat /cache/x\n"
    );
    let outcome = Build::of(&dockerfile).push(&to).succeed();
    assert_eq!(outcome.lines().collect::<Vec<_>>(), ["gone"], "a cache outlives its step");
    let image = Image::pull(&to);
    let root = image.unpack();
    assert_eq!(std::fs::read_to_string(root.join("scratch/y")).unwrap(), "kept\n");
    assert!(!root.join("scratch/deep").exists() && !root.join("cache").exists());
}

#[test]
fn binds_and_secrets_are_seen_and_leave_no_trace() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS other\n\
         RUN echo other > /file\n\
         FROM {base}\n\
         RUN --mount=type=bind,target=/context --mount=type=bind,from=other,source=/file,target=/f \
         --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN \
         cat /context/a /f /run/secrets/token && echo $TOKEN && ! touch /context/b 2>/dev/null\n"
    );
    let build = Build::of(&dockerfile);
    let secret = build.path("secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let outcome = build
        .file("a", "context\n")
        .option("--secret", &format!("id=token,src={}", secret.display()))
        .push(&to)
        .succeed();
    let seen: Vec<_> = outcome.lines().collect();
    assert_eq!(seen, ["context", "other", "s3cret", "s3cret"]);
    let image = Image::pull(&to);
    assert_eq!(image.diff_ids().len(), 1, "nothing was changed");
    assert!(!image.config().to_string().contains("s3cret"));
    assert!(!outcome.path("context/b").exists());
}

#[test]
fn a_command_may_use_as_much_as_it_is_given() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!(
        "FROM {base}\n\
         RUN ulimit -Sn; ulimit -Hn; df -k /dev/shm | tail -n 1 | {{ read _ size _; echo $size; }}\n"
    );
    let build = |ulimit| Build::of(&dockerfile).option("--ulimit", ulimit).no_push();
    let outcome = build("nofile=100:200").option("--shm-size", "2m").succeed();
    assert_eq!(outcome.lines().collect::<Vec<_>>(), ["100", "200", "2048"]);
    build("nofiles=1").fail().says(&["`nofiles`", "nofile"]);
    build("nofile=99999999999").fail().says(&["--ulimit nofile=99999999999", "Dockerfile:2"]);
}

#[test]
fn an_agent_can_be_asked_through_its_socket() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile =
        format!("FROM {base}\nRUN --mount=type=ssh [ -S \"$SSH_AUTH_SOCK\" ] && echo there\n");
    let build = Build::of(&dockerfile);
    let socket = build.path("agent");
    let _agent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let outcome =
        build.option("--ssh", &format!("default={}", socket.display())).no_push().succeed();
    assert_eq!(outcome.lines().collect::<Vec<_>>(), ["there"]);

    let required = dockerfile.replace("type=ssh", "type=ssh,required");
    Build::of(&required).no_push().fail().says(&["--ssh default"]);
}

#[test]
fn a_command_that_fails_stops_what_runs_beside_it() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!(
        "FROM {base} AS slow\n\
         RUN --mount=type=cache,id=m,target=/m touch /m/begun && echo sleeping && sleep 86413\n\
         FROM {base} AS wrong\n\
         RUN --mount=type=cache,id=m,target=/m \
         for i in $(seq 600); do [ -e /m/begun ] && exit 9; sleep 0.1; done\n\
         FROM {base}\n\
         COPY --from=slow / /a\n\
         COPY --from=wrong / /b\n"
    );
    let outcome = Build::of(&dockerfile).no_push().fail();
    assert_eq!(outcome.status.code(), Some(9));
    outcome.says(&["exit status 9"]);
    let cancelled = outcome.events.iter().any(|event| event.value["outcome"] == "cancelled");
    assert!(cancelled, "{}", outcome.log());
    kaniko_tests::process::assert_gone("sleep 86413");
}

#[test]
fn a_mounted_context_shows_no_more_than_a_copied_one() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let mount = "--mount=type=bind,target=/c";
    let dockerfile =
        format!("FROM {base}\nRUN {mount} ls /c\nRUN {mount},source=d,rw echo > /c/n\n");
    let owners = format!("FROM {base}\nRUN {mount} stat -c '%u:%g %n' /c /c/d/*\n");
    for isolation in ["namespaces", "chroot"] {
        let build = Build::of(&dockerfile)
            .file("shown", "")
            .file("hidden", "")
            .file("d/f", "")
            .file(".dockerignore", "hidden\n.dockerignore\n");
        let outcome = build.option("--isolation", isolation).no_push().succeed();
        assert_eq!(outcome.lines().collect::<Vec<_>>(), ["d", "shown"]);
        // Who owns the context on the builder's disk means nothing in a step.
        let build = Build::of(&owners).file("d/f", "").file("d/g", "");
        std::os::unix::fs::chown(build.path("context/d/g"), Some(5), Some(6)).unwrap();
        let seen = build.option("--isolation", isolation).no_push().succeed();
        let expected = ["0:0 /c", "0:0 /c/d/f", "0:0 /c/d/g"];
        assert_eq!(seen.lines().collect::<Vec<_>>(), expected, "{isolation}");
        assert!(!outcome.path("context/d/n").exists());
    }
}
