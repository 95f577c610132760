//! What instructions other than `COPY` leave in the image, and what one means for the next.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;

#[test]
fn instructions_mean_for_the_next_what_they_should() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS parent\n\
         RUN echo app:x:77:78::/home/app:/bin/sh >> /etc/passwd && \
         printf 'app:x:78:\\nmore:x:80:app\\n' >> /etc/group\n\
         ONBUILD RUN echo triggered > /trigger\n\
         ONBUILD COPY f /triggered/\n\
         FROM parent\n\
         VOLUME /v\n\
         RUN mkdir /v && echo kept > /v/f\n\
         COPY f /v/g\n\
         USER app\n\
         WORKDIR /made/for\n\
         WORKDIR /v\n\
         COPY f /made/f\n\
         RUN id -u; id -G; echo $HOME; pwd; umask; cat\n\
         USER 4321\n\
         RUN id -u; id -g; echo $HOME\n\
         USER 77:more\n\
         SHELL [\"/bin/sh\", \"-eux\", \"-c\"]\n\
         RUN id -G\n\
         RUN --network=none grep -c : /proc/net/dev\n"
    );
    for snapshotter in ["overlay", "tree"] {
        let build = Build::of(&dockerfile).file("f", "f\n").option("--snapshotter", snapshotter);
        let outcome = build.push(&to).succeed();
        let seen: Vec<_> = outcome.lines().filter(|line| !line.starts_with('+')).collect();
        let app = ["77", "78 80", "/home/app", "/v", "0022"];
        assert_eq!(seen, [&app[..], &["4321", "0", "/"], &["80"], &["1"]].concat());
        let image = Image::pull(&to);
        let root = image.unpack();
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
        assert_eq!(
            ["trigger", "triggered/f", "v/f", "v/g"].map(read),
            ["triggered\n", "f\n", "kept\n", "f\n"]
        );
        let owner = |path: &str| {
            let meta = fs::metadata(root.join(path)).unwrap();
            (meta.mode() & 0o7777, meta.uid(), meta.gid())
        };
        assert_eq!(["made", "made/for"].map(owner), [(0o755, 77, 78); 2]);
        assert_eq!(owner("v"), (0o755, 0, 0), "it was there");
        assert_eq!(owner("made/f"), (0o644, 0, 0), "copies are root's, whoever the user is");
    }
}

#[test]
fn mounts_are_as_their_keys_say() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!(
        "FROM {base} AS other\n\
         RUN mkdir -p /seed/in && echo seeded > /seed/in/f && ln /seed/in/f /seed/in/g && chown 7:8 /seed && chmod 0750 /seed\n\
         FROM {base}\n\
         RUN --mount=type=cache,target=/c,id=own,uid=5,gid=6,mode=0710 \
         stat -c '%u:%g %a' /c && echo x > /c/x\n\
         RUN --mount=type=cache,target=/elsewhere,id=own,uid=5,gid=6,mode=710,sharing=locked \
         cat /elsewhere/x\n\
         RUN --mount=type=cache,target=/c,id=own,uid=9 stat -c %u /c && ls /c\n\
         RUN --mount=type=cache,target=/c,from=other,source=/seed,sharing=private \
         stat -c '%u:%g %a' /c && cat /c/in/f\n\
         RUN --mount=type=bind,target=/b,source=dir,rw echo new > /b/new && ls /b\n\
         RUN --mount=target=/b,source=dir ls /b\n\
         RUN --mount=type=bind,from={base},source=/bin,target=/b [ -x /b/busybox ] && echo image\n\
         RUN --mount=from=other,source=/seed,target=/b [ /b/in/f -ef /b/in/g ] && echo linked\n\
         RUN --mount=type=tmpfs,target=/t echo x > /t/x && ls /t\n\
         RUN --mount=type=secret,id=s,target=/run/s,mode=0440,uid=5,gid=6 \
         stat -c '%u:%g %a' /run/s && cat /run/s\n\
         RUN --mount=type=secret,id=none,target=/run/s [ ! -e /run/s ] && echo none\n\
         RUN --mount=type=secret,id=s,env=TOKEN [ ! -e /run/secrets ] && echo $TOKEN\n"
    );
    for isolation in ["namespaces", "chroot"] {
        let build = Build::of(&dockerfile).file("dir/f", "f");
        fs::write(build.path("s"), "secret").unwrap();
        let outcome = build
            .option("--secret", "id=s,src=s")
            .option("--isolation", isolation)
            .no_push()
            .succeed();
        let seen: Vec<_> = outcome.lines().collect();
        let expected = [
            "5:6 710", "x", "9", "7:8 750", "seeded", "f", "new", "f", "image", "linked", "x",
            "5:6 440", "secret", "none", "secret",
        ];
        assert_eq!(seen, expected, "{isolation}");
    }
    let required = format!("FROM {base}\nRUN --mount=type=secret,id=s,required true\n");
    Build::of(&required).no_push().fail().says(&["`s`", "--secret", "Dockerfile:2"]);
}

#[test]
fn what_cannot_be_mounted_or_written_is_named() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    for isolation in ["namespaces", "chroot"] {
        for (mount, says) in [
            ("type=bind,source=nope,target=/c", ["`/nope` at `/c`", "No such file"]),
            ("type=bind,source=f,target=/bin", ["`/bin`", "Is a directory"]),
            ("type=tmpfs,target=/etc/passwd", ["`/etc/passwd`", "Not a directory"]),
        ] {
            let build = Build::of(&format!("FROM {base}\nRUN --mount={mount} true\n"));
            let outcome = build.file("f", "f").option("--isolation", isolation).no_push().fail();
            outcome.says(&says).says(&["cannot mount", "Dockerfile:2"]);
        }
    }
    let write = "RUN --mount=type=secret,id=s,mode=0600 ! { echo x > /run/secrets/s; }";
    let build = Build::of(&format!("FROM {base}\n{write}\n"));
    fs::write(build.path("s"), "secret").unwrap();
    let build = build.option("--secret", "id=s,src=s").option("--isolation", "namespaces");
    build.no_push().succeed();
}
