//! `--build-context`: what a name in `FROM` and `--from` is made to stand for.

use std::fs;

use kaniko_tests::base;
use kaniko_tests::built::Image;
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
fn a_git_repository_is_refused_before_anything_runs() {
    let outcome = Build::of("FROM scratch\nCOPY --from=sources / /\n")
        .option("--build-context", "sources=https://example.com/r.git#main")
        .no_push()
        .fail();
    outcome.says(&["https://example.com/r.git", "Dockerfile:2", "--build-context NAME=DIR"]);
    assert!(outcome.events.is_empty(), "nothing was started");
}
