//! `--build-context`: what a name in `FROM` and `--from` is made to stand for.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::git::Repository;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::server::serve;

#[test]
fn an_archive_from_a_url_is_a_file_system() {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::default(),
    ));
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o640);
    header.set_size(2);
    archive.append_data(&mut header, "inner/file", &b"in"[..]).unwrap();
    let archive =
        format!("files={}/files.tgz", serve(archive.into_inner().unwrap().finish().unwrap()));
    let plain = format!("plain={}/plain.txt", serve("text"));

    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS run\n\
         RUN --mount=from=files,target=/files cat /files/inner/file > /seen\n\
         FROM files\n\
         COPY --from=run /seen /seen\n\
         COPY --from=files /inner/file /copied\n\
         COPY --from=plain /context /plain\n"
    );
    Build::of(&dockerfile)
        .option("--build-context", &archive)
        .option("--build-context", &plain)
        .push(&to)
        .succeed();
    let image = Image::pull(&to);
    for (path, content) in
        [("inner/file", "in"), ("seen", "in"), ("copied", "in"), ("plain", "text")]
    {
        assert_eq!(fs::read_to_string(image.unpack().join(path)).unwrap(), content, "{path}");
    }
}

#[test]
fn git_repositories_are_added_and_are_contexts() {
    let repository = Repository::of(&[("file", "text"), ("docs/page", "page"), ("run", "")]);
    let (url, commit) = (&repository.url, repository.commit());
    let registry = Registry::start();
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM scratch\n\
         ADD --chown=7:8 {url}#main /added/\n\
         ADD --keep-git-dir --checksum={} {url}#{commit} /kept\n\
         COPY --from=sources page /\n",
        &commit[..12]
    );
    Build::of(&dockerfile)
        .option("--build-context", &format!("sources={url}?branch=main&subdir=docs"))
        .push(&to)
        .succeed();
    let image = Image::pull(&to);
    let root = image.unpack();
    for (path, content) in [("added/file", "text"), ("added/docs/page", "page"), ("page", "page")] {
        assert_eq!(fs::read_to_string(root.join(path)).unwrap(), content, "{path}");
    }
    let owner = fs::metadata(root.join("added/docs/page")).unwrap();
    assert_eq!((owner.uid(), owner.gid(), owner.mode() & 0o7777), (7, 8, 0o644));
    assert!(!root.join("added/.git").exists());
    let head = fs::read_to_string(root.join("kept/.git/HEAD")).unwrap();
    assert_eq!(head.trim(), commit);
}

#[test]
fn a_git_repository_that_is_another_is_refused() {
    let repository = Repository::of(&[("file", "text")]);
    let dockerfile = format!("FROM scratch\nADD --checksum=0123456789 {} /\n", repository.url);
    let outcome = Build::of(&dockerfile).no_push().fail();
    outcome.says(&["Dockerfile:2", &repository.url, &repository.commit(), "not 0123456789"]);
}
