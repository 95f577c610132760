//! `COPY` and `ADD`: which files arrive, and as what.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use kaniko_tests::built::Image;
use kaniko_tests::kaniko::{Build, Outcome};
use kaniko_tests::registry::Registry;
use kaniko_tests::server::{serve, serve_those_who_say};
use kaniko_tests::{base, tree};

/// Builds a Dockerfile on busybox, without its `FROM`, and gives the image.
fn built(dockerfile: &str, prepare: impl Fn(Build) -> Build) -> (Image, Outcome) {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let build = Build::of(&dockerfile.replace("@base", &base));
    let outcome = prepare(build).push(&to).succeed();
    (Image::pull(&to), outcome)
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Mode, owner and group of a path.
fn look(root: &Path, path: &str) -> (u32, u32, u32) {
    let metadata = fs::symlink_metadata(root.join(path)).unwrap();
    (metadata.permissions().mode() & 0o7777, metadata.uid(), metadata.gid())
}

// rule: copy.wildcard, copy.directory
#[test]
fn files_directories_and_wildcards_arrive_where_they_should() {
    let dockerfile = "FROM @base\n\
        WORKDIR /w\n\
        COPY one.txt .\n\
        COPY one.txt renamed\n\
        COPY dir/ all/\n\
        COPY *.txt dir/*.x /many/\n\
        COPY nothing* one.txt /optional/\n\
        COPY [\"with blank\", \"/with blank\"]\n";
    let (image, _) = built(dockerfile, |build| {
        build
            .file("one.txt", "1")
            .file("two.txt", "2")
            .file("dir/a.x", "a")
            .file("dir/sub/b", "b")
            .file("with blank", "blank")
    });
    let root = image.unpack();
    assert_eq!(text(root, "w/one.txt") + &text(root, "w/renamed"), "11");
    assert_eq!(text(root, "w/all/a.x") + &text(root, "w/all/sub/b"), "ab");
    let many = ["many/one.txt", "many/two.txt", "many/a.x"].map(|path| text(root, path));
    assert_eq!(many, ["1", "2", "a"]);
    assert_eq!(text(root, "optional/one.txt") + &text(root, "with blank"), "1blank");
}

#[test]
fn what_is_ignored_is_not_there() {
    let dockerfile = "FROM @base\nCOPY . /all\n";
    let (image, _) = built(dockerfile, |build| {
        build
            .file(".dockerignore", "# comment\n*.log\n**/target\ndocs/*\n!docs/keep.md\n")
            .file("a.log", "x")
            .file("sub/a.log", "kept: the pattern is for the root")
            .file("sub/target/x", "x")
            .file("docs/other.md", "x")
            .file("docs/keep.md", "kept")
    });
    let names = kaniko_tests::tree::names(&image.unpack().join("all"));
    assert_eq!(names, [".dockerignore", "docs", "sub"]);
    assert_eq!(kaniko_tests::tree::names(&image.unpack().join("all/docs")), ["keep.md"]);
    assert_eq!(kaniko_tests::tree::names(&image.unpack().join("all/sub")), ["a.log"]);
}

#[test]
fn owners_and_modes_are_as_asked_for() {
    let dockerfile = "FROM @base\n\
        RUN echo app:x:77:78::/:/bin/sh >> /etc/passwd && echo staff:x:99: >> /etc/group\n\
        COPY f /plain\n\
        COPY --chown=app f /named\n\
        COPY --chown=app:staff f /both\n\
        COPY --chown=12 f /number\n\
        COPY --chmod=4751 f /octal\n\
        COPY --chmod=u=rwX,go= d /symbolic\n";
    let (image, _) = built(dockerfile, |build| build.file("f", "f").file("d/f", "f"));
    let root = image.unpack();
    let owner = |path| (look(root, path).1, look(root, path).2);
    assert_eq!(
        ["plain", "named", "both", "number"].map(owner),
        [(0, 0), (77, 78), (77, 99), (12, 12)]
    );
    assert_eq!(look(root, "octal").0, 0o4751);
    assert_eq!((look(root, "symbolic").0, look(root, "symbolic/f").0), (0o755, 0o600));
}

#[test]
fn a_name_that_the_image_does_not_know_owns_nothing() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    for (owner, what) in [("nobody-knows", "user"), ("0:nobody-knows", "group")] {
        Build::of(&format!("FROM {base}\nRUN true\nCOPY --chown={owner} f /f\n"))
            .file("f", "f")
            .no_push()
            .fail()
            .says(&[&format!("{what} `nobody-knows`"), "Dockerfile:3"]);
    }
}

#[test]
fn what_no_instruction_copies_is_not_read() {
    let dockerfile = "FROM @base AS unneeded\n\
        COPY . /all\n\
        FROM @base\n\
        COPY f dir/*.x /files/\n\
        RUN --mount=source=dir,target=/dir ls /dir/a.x\n";
    let (image, _) = built(dockerfile, |build| {
        let build = build.file("f", "f").file("dir/a.x", "a").file("large", "");
        // To copy it would fill the disk.
        fs::File::options()
            .write(true)
            .open(build.path("context/large"))
            .and_then(|file| file.set_len(1 << 42))
            .unwrap();
        // Whoever opens it waits for ever.
        let pipe = build.path("context/pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        build
    });
    assert_eq!(tree::names(&image.unpack().join("files")), ["a.x", "f"]);
}

#[test]
fn files_come_from_stages_indices_and_images() {
    let dockerfile = "FROM @base AS named\n\
        RUN echo named > /file\n\
        FROM named\n\
        RUN echo second > /file\n\
        FROM scratch\n\
        COPY --from=named /file /from/name\n\
        COPY --from=1 /file /from/index\n\
        COPY --from=@base /bin/busybox /from/image\n\
        COPY --link --from=named /file /linked/deep/file\n\
        COPY --parents --from=named /etc/passwd /parents/\n\
        COPY --exclude=pass* --from=named /etc /excluded\n";
    let (image, _) = built(dockerfile, |build| build);
    let root = image.unpack();
    assert_eq!(text(root, "from/name") + &text(root, "from/index"), "named\nsecond\n");
    assert_eq!(text(root, "linked/deep/file"), "named\n");
    assert!(fs::metadata(root.join("from/image")).unwrap().len() > 100_000);
    assert!(root.join("parents/etc/passwd").exists());
    assert!(root.join("excluded/group").exists() && !root.join("excluded/passwd").exists());
    assert!(!root.join("bin").exists(), "the last stage starts from nothing");
}

#[test]
fn a_stage_copies_from_the_stage_it_continues() {
    for snapshotter in ["overlay", "tree"] {
        let dockerfile = "FROM @base AS first\n\
            RUN echo one > /one\n\
            FROM first\n\
            COPY --from=first /one /two\n\
            RUN --mount=type=bind,from=first,target=/first cp /first/one /three\n";
        let (image, _) = built(dockerfile, |build| build.option("--snapshotter", snapshotter));
        let root = image.unpack();
        assert_eq!(["one", "two", "three"].map(|path| text(root, path)), ["one\n"; 3]);
    }
}

#[test]
fn heredocs_become_files() {
    let dockerfile = "FROM @base\n\
        ARG WHO=world\n\
        COPY <<greeting <<'raw' /texts/\n\
        hello $WHO\n\
        greeting\n\
        hello $WHO\n\
        raw\n";
    let (image, _) = built(dockerfile, |build| build);
    let root = image.unpack();
    assert_eq!(text(root, "texts/greeting"), "hello world\n");
    assert_eq!(text(root, "texts/raw"), "hello $WHO\n");
    assert_eq!(look(root, "texts/raw"), (0o644, 0, 0));
}

#[test]
fn archives_are_unpacked_by_add_and_copied_by_copy() {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::default(),
    ));
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o640);
    header.set_uid(5);
    header.set_gid(6);
    header.set_size(2);
    archive.append_data(&mut header, "inner/file", &b"in"[..]).unwrap();
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    let dockerfile = "FROM @base\n\
        ADD a.tgz /unpacked/\n\
        ADD --unpack=false a.tgz /kept.tgz\n\
        COPY a.tgz /copied.tgz\n";
    let (image, _) = built(dockerfile, |build| build.file("a.tgz", &bytes));
    let root = image.unpack();
    assert_eq!(text(root, "unpacked/inner/file"), "in");
    assert_eq!(look(root, "unpacked/inner/file"), (0o640, 5, 6));
    assert_eq!(fs::read(root.join("kept.tgz")).unwrap(), bytes);
    assert_eq!(fs::read(root.join("copied.tgz")).unwrap(), bytes);
}

// rule: add.http-file
#[test]
fn urls_are_fetched_and_checked() {
    const SUM: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let server = serve("test");
    let dockerfile = format!(
        "FROM @base\nADD {server}/path/file.txt /into/\nADD --checksum={SUM} {server}/x /checked\n"
    );
    let (image, _) = built(&dockerfile, |build| build);
    let root = image.unpack();
    assert_eq!(text(root, "into/file.txt") + &text(root, "checked"), "testtest");
    assert_eq!(look(root, "into/file.txt"), (0o600, 0, 0));
    assert_eq!(fs::metadata(root.join("checked")).unwrap().mtime(), 1_000_000_000);

    let wrong = SUM.replace("9f86", "0000");
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let dockerfile = format!("FROM {base}\nADD --checksum={wrong} {server}/x /checked\n");
    Build::of(&dockerfile).no_push().fail().says(&[&wrong, SUM]);
}

// rule: add.http-authorization
#[test]
fn who_fetches_a_url_is_who_the_secrets_say() {
    let server = serve_those_who_say("Bearer t0ken", "for those who may");
    let dockerfile = format!("FROM @base\nADD {server}/x /fetched\n");
    let secret = "id=HTTP_AUTH_TOKEN_127.0.0.1,src=token";
    let (image, outcome) = built(&dockerfile, |build| {
        fs::write(build.path("token"), "t0ken\n").unwrap();
        build.option("--secret", secret)
    });
    assert_eq!(text(image.unpack(), "fetched"), "for those who may");
    assert!(!outcome.log().contains("t0ken") && !image.config().to_string().contains("t0ken"));
    Build::of(&format!("FROM scratch\nADD {server}/x /fetched\n")).no_push().fail().says(&[
        "401",
        "--secret id=HTTP_AUTH_TOKEN_127.0.0.1",
        "Dockerfile:2",
    ]);
}

#[test]
fn the_work_directory_is_no_part_of_the_context() {
    let (image, _) = built("FROM @base\nCOPY . /all/\n", |build| {
        let build = build.file("a", "a").file(".dockerignore", "!**\n");
        let work = build.path("context/work");
        build.work(&work)
    });
    let names: Vec<String> = tree::names(&image.unpack().join("all"));
    assert_eq!(names, [".dockerignore", "a"]);
}
