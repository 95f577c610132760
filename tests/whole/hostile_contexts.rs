//! Build contexts that are made to read the builder's files, or to keep it busy for ever.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use rustix::fs::{CWD, FileType, makedev, mknodat};

const SECRET: &str = "of the builder";

fn outside() -> tempfile::TempDir {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), SECRET).unwrap();
    outside
}

fn special(path: &Path, kind: FileType, (major, minor): (u32, u32)) {
    mknodat(CWD, path, kind, 0o666.into(), makedev(major, minor)).unwrap();
}

fn has_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

#[test]
fn everything_is_copied_as_what_it_is() {
    let outside = outside();
    let build = Build::of("FROM scratch\nCOPY . /all/\n").file("plain", "plain");
    let layout = build.path("layout");
    let at = |name: &str| build.path("context").join(name);
    symlink(outside.path().join("secret"), at("file")).unwrap();
    symlink(outside.path(), at("directory")).unwrap();
    symlink("../../../../../../../..", at("up")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink(".", at("here")).unwrap();
    symlink("/proc/self/root", at("root")).unwrap();
    special(&at("fifo"), FileType::Fifo, (0, 0));
    // Endless where it is read.
    special(&at("zero"), FileType::CharacterDevice, (1, 5));
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::File::create(at("hole")).unwrap().set_len(100 << 20).unwrap();
    fs::write(at("two\nlines"), "").unwrap();
    fs::create_dir_all(at(&"deep/".repeat(300))).unwrap();
    let path = layout.display().to_string();
    let outcome = build.no_push().option("--oci-layout-path", &path).succeed();
    assert!(!outcome.log().contains(SECRET));
    let image = Image::of_layout(&layout);
    assert!(!image.layers().iter().any(|layer| has_secret(layer)));
    let link = fs::read_link(image.unpack().join("all/file")).unwrap();
    assert_eq!(link, outside.path().join("secret"));
}

#[test]
fn no_source_leads_out_of_the_context() {
    let outside = outside();
    for source in ["file", "directory/secret", "up/etc/passwd", "root/etc/passwd", "loop", "*le"] {
        for instruction in ["COPY", "ADD", "COPY --link"] {
            let build = Build::of(&format!("FROM scratch\n{instruction} {source} /x\n"));
            let layout = build.path("layout");
            let at = |name: &str| build.path("context").join(name);
            symlink(outside.path().join("secret"), at("file")).unwrap();
            symlink(outside.path(), at("directory")).unwrap();
            symlink("../../../../../../../..", at("up")).unwrap();
            symlink("loop", at("loop")).unwrap();
            symlink("/proc/self/root", at("root")).unwrap();
            let path = layout.display().to_string();
            let outcome = build.no_push().option("--oci-layout-path", &path).run();
            assert!(!outcome.log().contains(SECRET), "{instruction} {source}");
            if outcome.status.success() {
                let layers = Image::of_layout(&layout).layers();
                assert!(!layers.iter().any(|layer| has_secret(layer)), "{instruction} {source}");
                assert!(!layers.iter().any(|layer| layer.starts_with(b"root:")), "{source}");
            } else {
                assert_eq!(outcome.status.code(), Some(1), "{}", outcome.log());
            }
        }
    }
}

#[test]
fn the_ignore_file_is_a_file_of_the_context() {
    let outside = outside();
    for kind in ["link", "fifo", "device"] {
        let build = Build::of("FROM scratch\nCOPY . /\n").file("x", "");
        let path = build.path("context").join(".dockerignore");
        match kind {
            "link" => symlink(outside.path().join("secret"), &path).unwrap(),
            "fifo" => special(&path, FileType::Fifo, (0, 0)),
            _ => special(&path, FileType::CharacterDevice, (1, 5)),
        }
        let outcome = build.no_push().fail();
        assert!(outcome.log().contains("cannot read the ignore file"), "{}", outcome.log());
        assert!(!outcome.log().contains(SECRET), "{kind}: {}", outcome.log());
    }
}
