//! What `COPY` keeps of files, from a context to a stage and from there to another, until somebody
//! else unpacks the image.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

/// A capability to bind low ports, as the kernel writes it down.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const XATTRS: [(&str, &[u8]); 2] = [("security.capability", &CAPABILITY), ("user.note", b"\xff\0")];

/// Makes one of each kind.
fn fill(directory: &Path) {
    let path = |name: &str| directory.join(name);
    let mode = |name: &str, mode| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let node = |name: &str, kind, device| {
        rustix::fs::mknodat(CWD, path(name), kind, Mode::from_raw_mode(0o640), device).unwrap();
    };
    fs::create_dir_all(path("empty")).unwrap();
    fs::write(path("setuid"), "content").unwrap();
    fs::hard_link(path("setuid"), path("again")).unwrap();
    mode("setuid", 0o6755);
    for (name, value) in XATTRS {
        rustix::fs::setxattr(path("setuid"), name, value, XattrFlags::empty()).unwrap();
    }
    mode("empty", 0o3770);
    symlink("/no/where", path("link")).unwrap();
    node("fifo", FileType::Fifo, 0);
    node("null", FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    fs::write(directory.join(OsStr::from_bytes(b"\xff\xfe ")), "bytes").unwrap();
    fs::write(path(&"n".repeat(255)), "long").unwrap();
    let sparse = fs::File::create(path("sparse")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    for name in names_in(directory).iter().map(|name| directory.join(name)) {
        date(&name);
    }
    date(directory);
}

fn date(path: &Path) {
    let time = Timespec { tv_sec: 1_000_000, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the names go to a map")]
fn names_in(directory: &Path) -> Vec<OsString> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// Mode, time, device and number of names of what is in a directory, by name.
fn looks(directory: &Path) -> BTreeMap<OsString, (u32, i64, u64, u64)> {
    let names = names_in(directory).into_iter();
    let look = |name: OsString| {
        let meta = fs::symlink_metadata(directory.join(&name)).unwrap();
        let links = if meta.is_dir() { 1 } else { meta.nlink() };
        (name, (meta.mode(), meta.mtime(), meta.rdev(), links))
    };
    names.map(look).collect()
}

// rule: copy.links
#[test]
fn what_is_copied_is_what_it_was() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS first\n\
         COPY --chown=7:8 d /deep/er\n\
         FROM {base}\n\
         COPY --from=first /deep/ /one/\n\
         COPY --link --from=first /deep/er /two/\n\
         COPY --from=first --chown=9 /deep/er/setuid /deep/er/link[k] /three/\n"
    );
    for snapshotter in ["overlay", "tree"] {
        let build = Build::of(&dockerfile);
        let context = build.path("context/d");
        fs::create_dir(&context).unwrap();
        fill(&context);
        let outcome = build.option("--snapshotter", snapshotter).push(&to).succeed();
        let image = Image::pull(&to);
        let root = image.unpack();
        let expected = looks(&outcome.path("context/d"));
        assert_eq!(expected.len(), 9);
        for (copy, owner) in [("one/er", (7, 8)), ("two", (7, 8))] {
            let copy = root.join(copy);
            assert_eq!(looks(&copy), expected, "{snapshotter} {}", copy.display());
            for name in names_in(&copy) {
                let meta = fs::symlink_metadata(copy.join(&name)).unwrap();
                assert_eq!((meta.uid(), meta.gid()), owner, "{name:?}");
            }
            assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("/no/where"));
            assert_eq!(fs::read(copy.join("setuid")).unwrap(), b"content");
            assert_eq!(fs::metadata(copy.join("sparse")).unwrap().len(), 64 << 20);
            assert_eq!(fs::metadata(&copy).unwrap().mtime(), 1_000_000);
        }
        for path in ["one/er/setuid", "two/again", "three/setuid"] {
            for (name, value) in XATTRS {
                let mut found = [0; 64];
                let length = rustix::fs::getxattr(root.join(path), name, &mut found).unwrap();
                assert_eq!(&found[..length], value, "{snapshotter} {path} {name}");
            }
        }
        let alone = fs::metadata(root.join("three/setuid")).unwrap();
        assert_eq!((alone.mode() & 0o7777, alone.uid(), alone.gid()), (0o6755, 9, 9));
        assert!(!root.join("three/link").exists());
    }
}
