//! A table of changes, and the change sets they make, whoever finds them.

use std::io::Write as _;
use std::os::unix::net::UnixListener;

use super::*;
use crate::layer::testing::run;

pub(super) struct Case {
    pub name: &'static str,
    pub act: fn(&Path),
    pub expected: &'static [&'static str],
}

fn write(path: PathBuf, content: &str) {
    fs::write(path, content).unwrap();
}

fn append(path: PathBuf) {
    let mut file = fs::File::options().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
}

fn set_time(path: &Path, time: Time) {
    metadata::set_mtime(CWD.as_fd(), path.as_os_str(), time).unwrap();
}

fn mode(path: PathBuf, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn chown(path: &Path, id: u32) {
    std::os::unix::fs::lchown(path, Some(id), Some(id)).unwrap();
}

fn xattr(path: PathBuf, value: &[u8]) {
    rustix::fs::setxattr(path, "user.a", value, XattrFlags::empty()).unwrap();
}

pub(super) fn node(path: PathBuf, kind: FileType, device: (u32, u32)) {
    let device = rustix::fs::makedev(device.0, device.1);
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o644), device).unwrap();
}

pub(super) const CASES: &[Case] = &[
    Case { name: "nothing", act: |_| {}, expected: &[] },
    Case { name: "create a file", act: |r| write(r.join("new"), "new"), expected: &["file new"] },
    Case {
        name: "create a file in a directory",
        act: |r| write(r.join("d/sub/new"), "new"),
        expected: &["dir d/sub", "file d/sub/new"],
    },
    Case {
        name: "append",
        act: |r| append(r.join("d/sub/three")),
        expected: &["file d/sub/three"],
    },
    Case {
        name: "rewrite with the same size and time",
        act: |r| {
            write(r.join("d/one"), "CONTENT of d/one\n");
            set_time(&r.join("d/one"), LONG_AGO);
        },
        expected: &["file d/one"],
    },
    Case {
        name: "rewrite with the same content and time",
        act: |r| {
            write(r.join("d/one"), "content of d/one\n");
            set_time(&r.join("d/one"), LONG_AGO);
        },
        expected: &[],
    },
    Case {
        name: "rewrite with the same content",
        act: |r| write(r.join("d/one"), "content of d/one\n"),
        expected: &["file d/one"],
    },
    Case { name: "chmod", act: |r| mode(r.join("f"), 0o600), expected: &["file f"] },
    Case { name: "setuid", act: |r| mode(r.join("f"), 0o4755), expected: &["file f"] },
    Case {
        name: "chmod there and back",
        act: |r| {
            mode(r.join("h"), 0o600);
            mode(r.join("h"), 0o4755);
        },
        expected: &[],
    },
    Case { name: "chmod a directory", act: |r| mode(r.join("d"), 0o700), expected: &["dir d"] },
    Case { name: "chown", act: |r| chown(&r.join("f"), 1234), expected: &["file f"] },
    Case {
        name: "chown there and back",
        act: |r| {
            chown(&r.join("f"), 1234);
            chown(&r.join("f"), 0);
        },
        expected: &[],
    },
    Case {
        name: "chown -R to the same owner",
        act: |r| {
            for name in ["d", "d/one", "d/sub", "l", "null"] {
                chown(&r.join(name), 0);
            }
        },
        expected: &[],
    },
    Case {
        name: "chown of a link",
        act: |r| chown(&r.join("l"), 7),
        expected: &["symlink l -> f"],
    },
    Case { name: "set an attribute", act: |r| xattr(r.join("f"), b"x"), expected: &["file f"] },
    Case { name: "change an attribute", act: |r| xattr(r.join("g"), b"2"), expected: &["file g"] },
    Case { name: "keep an attribute", act: |r| xattr(r.join("g"), b"1"), expected: &[] },
    Case {
        name: "remove an attribute",
        act: |r| rustix::fs::removexattr(r.join("g"), "user.a").unwrap(),
        expected: &["file g"],
    },
    Case {
        name: "an attribute of a directory",
        act: |r| xattr(r.join("d/sub"), b"x"),
        expected: &["dir d/sub"],
    },
    Case {
        name: "overlay's own attributes",
        act: |r| {
            let flags = XattrFlags::empty();
            rustix::fs::setxattr(r.join("d/sub"), "user.overlay.opaque", b"y", flags).unwrap();
            rustix::fs::setxattr(r.join("f"), "user.overlay.origin", b"x", flags).unwrap();
        },
        expected: &[],
    },
    Case {
        name: "delete a file",
        act: |r| fs::remove_file(r.join("d/one")).unwrap(),
        expected: &["dir d", "- d/one"],
    },
    Case {
        name: "delete a file and restore the directory's time",
        act: |r| {
            fs::remove_file(r.join("d/one")).unwrap();
            set_time(&r.join("d"), LONG_AGO);
        },
        expected: &["- d/one"],
    },
    Case {
        name: "delete a directory",
        act: |r| fs::remove_dir_all(r.join("d")).unwrap(),
        expected: &["- d"],
    },
    Case {
        name: "delete several",
        act: |r| {
            for name in ["f", "g", "l", "null", "fifo"] {
                fs::remove_file(r.join(name)).unwrap();
            }
            fs::remove_dir(r.join("closed")).unwrap();
        },
        expected: &["- closed", "- f", "- fifo", "- g", "- l", "- null"],
    },
    Case {
        name: "replace a directory by an empty one",
        act: |r| {
            fs::remove_dir_all(r.join("d")).unwrap();
            fs::create_dir(r.join("d")).unwrap();
        },
        expected: &["dir d", "- d/one", "- d/sub", "- d/two"],
    },
    Case {
        name: "replace a directory by one that is alike in parts",
        act: |r| {
            fs::remove_dir_all(r.join("d")).unwrap();
            fs::create_dir_all(r.join("d/sub/deep")).unwrap();
            mode(r.join("d"), 0o755);
            mode(r.join("d/sub"), 0o755);
            write(r.join("d/one"), "content of d/one\n");
            write(r.join("d/sub/other"), "other");
            mode(r.join("d/one"), 0o644);
            age(&r.join("d"));
        },
        expected: &["- d/sub/deep/four", "file d/sub/other", "- d/sub/three", "- d/two"],
    },
    Case {
        name: "create and delete",
        act: |r| {
            write(r.join("e/new"), "new");
            fs::remove_file(r.join("e/new")).unwrap();
        },
        expected: &["dir e"],
    },
    Case {
        name: "a file becomes a directory",
        act: |r| {
            fs::remove_file(r.join("f")).unwrap();
            fs::create_dir(r.join("f")).unwrap();
            write(r.join("f/in"), "in");
        },
        expected: &["dir f", "file f/in"],
    },
    Case {
        name: "a directory becomes a file",
        act: |r| {
            fs::remove_dir_all(r.join("d")).unwrap();
            write(r.join("d"), "file");
        },
        expected: &["file d"],
    },
    Case {
        name: "a link to a directory becomes a directory",
        act: |r| {
            fs::remove_file(r.join("dirlink")).unwrap();
            fs::create_dir(r.join("dirlink")).unwrap();
            write(r.join("dirlink/one"), "content of d/one\n");
        },
        expected: &["dir dirlink", "file dirlink/one"],
    },
    Case {
        name: "a directory becomes a link",
        act: |r| {
            fs::remove_dir_all(r.join("d")).unwrap();
            symlink("e", r.join("d")).unwrap();
        },
        expected: &["symlink d -> e"],
    },
    Case {
        name: "retarget a link",
        act: |r| {
            fs::remove_file(r.join("l")).unwrap();
            symlink("g", r.join("l")).unwrap();
            set_time(&r.join("l"), LONG_AGO);
        },
        expected: &["symlink l -> g"],
    },
    Case {
        name: "rename",
        act: |r| fs::rename(r.join("d/one"), r.join("e/uno")).unwrap(),
        expected: &["dir d", "- d/one", "dir e", "file e/uno"],
    },
    Case {
        name: "rename over another",
        act: |r| fs::rename(r.join("f"), r.join("g")).unwrap(),
        expected: &["- f", "file g"],
    },
    Case {
        name: "touch -a",
        act: |r| {
            let atime = fs::FileTimes::new().set_accessed(std::time::UNIX_EPOCH);
            fs::File::open(r.join("f")).unwrap().set_times(atime).unwrap();
        },
        expected: &[],
    },
    Case { name: "touch", act: |r| set_time(&r.join("f"), NOW_ENOUGH), expected: &["file f"] },
    Case {
        name: "open for writing",
        act: |r| drop(fs::File::options().read(true).write(true).open(r.join("f")).unwrap()),
        expected: &[],
    },
    Case {
        name: "replace by an identical copy",
        act: |r| {
            write(r.join("f.new"), "content of f\n");
            mode(r.join("f.new"), 0o644);
            set_time(&r.join("f.new"), LONG_AGO);
            fs::rename(r.join("f.new"), r.join("f")).unwrap();
        },
        expected: &[],
    },
    Case {
        name: "open for writing, of everything",
        act: |r| {
            for name in ["f", "g", "h", "d/one", "d/sub/three", "e/hole"] {
                drop(fs::File::options().append(true).open(r.join(name)).unwrap());
            }
        },
        expected: &[],
    },
    Case {
        name: "touch a directory",
        act: |r| set_time(&r.join("d/sub"), NOW_ENOUGH),
        expected: &["dir d/sub"],
    },
    Case {
        name: "swap two links",
        act: |r| {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            let (one, other) = (r.join("l"), r.join("dirlink"));
            rustix::fs::renameat_with(CWD, one, CWD, other, flags).unwrap();
        },
        expected: &["symlink dirlink -> f", "symlink l -> d"],
    },
    Case {
        name: "a file with holes",
        act: |r| {
            let file = fs::File::create(r.join("holes")).unwrap();
            file.write_all_at(b"data", 300_000).unwrap();
            file.set_len(1_000_000).unwrap();
        },
        expected: &["file holes"],
    },
    Case {
        name: "move a directory, as mv does where rename(2) is refused",
        act: |r| {
            let from_here = path_for_others(r);
            run("mv", &["d/sub", "e/sub"], &from_here, b"");
        },
        expected: &[
            "dir d",
            "- d/sub",
            "dir e",
            "dir e/sub",
            "dir e/sub/deep",
            "file e/sub/deep/four",
            "file e/sub/three",
        ],
    },
    Case {
        name: "names of overlay's own",
        act: |r| {
            for name in ["work", "upper", "index", "#1", "user.overlay.opaque", ".wh", "wh.x"] {
                write(r.join(name), name);
            }
        },
        expected: &[
            "file #1",
            "file .wh",
            "file index",
            "file upper",
            "file user.overlay.opaque",
            "file wh.x",
            "file work",
        ],
    },
    Case {
        name: "devices and a fifo",
        act: |r| {
            node(r.join("block"), FileType::BlockDevice, (7, 300));
            node(r.join("char"), FileType::CharacterDevice, (1, 5));
            node(r.join("pipe"), FileType::Fifo, (0, 0));
        },
        expected: &["device block", "device char", "fifo pipe"],
    },
    Case {
        name: "another device",
        act: |r| {
            fs::remove_file(r.join("null")).unwrap();
            node(r.join("null"), FileType::CharacterDevice, (1, 5));
            mode(r.join("null"), 0o600);
            set_time(&r.join("null"), LONG_AGO);
        },
        expected: &["device null"],
    },
    Case {
        name: "sockets",
        act: |r| {
            drop(UnixListener::bind(r.join("socket")).unwrap());
            fs::remove_file(r.join("f")).unwrap();
            drop(UnixListener::bind(r.join("f")).unwrap());
        },
        expected: &["- f"],
    },
    Case {
        name: "names in bytewise order",
        act: |r| {
            fs::create_dir(r.join("n")).unwrap();
            for name in ["n/x", "n-", "n.", "n0"] {
                write(r.join(name), name);
            }
        },
        expected: &["dir n", "file n-", "file n.", "file n/x", "file n0"],
    },
    Case { name: "the root's mode", act: |r| mode(r.join("."), 0o700), expected: &["dir "] },
    Case { name: "the root's time", act: |r| set_time(&r.join("."), NOW_ENOUGH), expected: &[] },
    Case { name: "the root's attributes", act: |r| xattr(r.join("."), b"1"), expected: &["dir "] },
];

const NOW_ENOUGH: Time = Time { seconds: 1_200_000_000, nanoseconds: 5 };

#[test]
fn everyone_finds_the_same_changes() {
    let bench = Bench::new();
    let base = bench.base();
    for case in CASES {
        let parent = |snapshotter: &dyn Snapshotter| snapshotter.base(&base).unwrap();
        let found = alike(&bench, case.name, parent, ParentUse::Last, case.act);
        assert_eq!(found, case.expected, "{}", case.name);
    }
}

/// As above, where the parent of the step is no directory of the store.
#[test]
fn the_same_changes_are_found_in_what_a_step_made() {
    let bench = Bench::new();
    for case in CASES {
        let parent = |snapshotter: &dyn Snapshotter| {
            let empty = snapshotter.scratch().unwrap();
            step(snapshotter, &empty, ParentUse::Shared, make_base).0
        };
        let parent_use = if case.name.len() % 2 == 0 { ParentUse::Last } else { ParentUse::Shared };
        let found = alike(&bench, case.name, parent, parent_use, case.act);
        assert_eq!(found, case.expected, "{}", case.name);
    }
}
