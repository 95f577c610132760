//! Archives of other programs come out as those programs unpack them themselves.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Place, place};
use crate::layer::entry::{Entry, Kind, Time};
use crate::layer::testing::{run, tree};
use crate::rootdir::RootDir;
use std::ffi::OsStr;

/// A program, in one of the forms that it writes.
struct Tool {
    pack: &'static [&'static str],
    unpack: &'static [&'static str],
    /// What the form holds, or the program gives back.
    holds: &'static [Holds],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Names and targets of more than 100 bytes.
    Long,
    /// Devices, fifos and empty directories.
    Special,
    /// Times to the nanosecond.
    Times,
    /// Parts of seconds before 1970: libarchive writes -1.5 as -2.5, and reads it so.
    Before1970,
    /// Times of symbolic links.
    LinkTimes,
    /// Times of directories that something was put in afterwards.
    DirectoryTimes,
    Xattrs,
    /// Owners of more than 21 bits.
    Owners,
}

use Holds::{Before1970, DirectoryTimes, LinkTimes, Long, Owners, Special, Times, Xattrs};

const PYTHON_PACK: &str = "
import os, sys, tarfile
form = getattr(tarfile, sys.argv[1])
t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=form, errors='surrogateescape')
t.add('.')
t.close()
";
const PYTHON_UNPACK: &str = "
import sys, tarfile
t = tarfile.open(fileobj=sys.stdin.buffer, mode='r|', errors='surrogateescape')
t.extractall(numeric_owner=True)
";

const GNU: &[&str] = &["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", "-"];
const BSD: &[&str] = &["bsdtar", "--numeric-owner", "--xattrs", "-xpf", "-"];
const PYTHON: &[&str] = &["python3", "-c", PYTHON_UNPACK];

const TOOLS: &[Tool] = &[
    Tool {
        pack: &["tar", "--format=v7", "-cf", "-", "."],
        unpack: GNU,
        holds: &[LinkTimes, DirectoryTimes],
    },
    Tool {
        pack: &["tar", "--format=ustar", "-cf", "-", "."],
        unpack: GNU,
        holds: &[Special, LinkTimes, DirectoryTimes],
    },
    Tool {
        pack: &["tar", "--format=oldgnu", "-Scf", "-", "."],
        unpack: GNU,
        holds: &[Long, Special, LinkTimes, DirectoryTimes, Owners],
    },
    Tool {
        pack: &["tar", "--format=gnu", "-Scf", "-", "."],
        unpack: GNU,
        holds: &[Long, Special, LinkTimes, DirectoryTimes, Owners],
    },
    Tool {
        pack: &["tar", "--format=posix", "--xattrs", "--xattrs-include=*", "-cf", "-", "."],
        unpack: GNU,
        holds: &[Long, Special, Times, Before1970, LinkTimes, DirectoryTimes, Xattrs, Owners],
    },
    Tool {
        pack: &["tar", "--format=posix", "--sparse", "--sparse-version=0.1", "-cf", "-", "."],
        unpack: GNU,
        holds: &[Long, Special, Times, Before1970, LinkTimes, DirectoryTimes, Owners],
    },
    Tool {
        pack: &["bsdtar", "--format=pax", "--xattrs", "-cf", "-", "."],
        unpack: BSD,
        holds: &[Long, Special, Times, LinkTimes, DirectoryTimes, Xattrs, Owners],
    },
    Tool {
        pack: &["bsdtar", "--format=gnutar", "-cf", "-", "."],
        unpack: BSD,
        holds: &[Long, Special, LinkTimes, DirectoryTimes, Owners],
    },
    Tool {
        pack: &["bsdtar", "--format=ustar", "-cf", "-", "."],
        unpack: BSD,
        holds: &[Special, LinkTimes, DirectoryTimes],
    },
    Tool {
        pack: &["bsdtar", "--format=v7tar", "-cf", "-", "."],
        unpack: BSD,
        holds: &[LinkTimes, DirectoryTimes],
    },
    Tool {
        pack: &["busybox", "tar", "-cf", "-", "."],
        unpack: &["busybox", "tar", "-xpf", "-"],
        holds: &[Long, Special],
    },
    Tool {
        pack: &["python3", "-c", PYTHON_PACK, "USTAR_FORMAT"],
        unpack: PYTHON,
        holds: &[Special, DirectoryTimes],
    },
    Tool {
        pack: &["python3", "-c", PYTHON_PACK, "GNU_FORMAT"],
        unpack: PYTHON,
        holds: &[Long, Special, DirectoryTimes, Owners],
    },
    Tool {
        pack: &["python3", "-c", PYTHON_PACK, "PAX_FORMAT"],
        unpack: PYTHON,
        holds: &[Long, Special, DirectoryTimes, Owners],
    },
];

/// A tree with as much of everything as a form holds.
fn source(holds: impl Fn(Holds) -> bool) -> Place {
    let source = place();
    let at = |name: &str| source.dir.path().join("root").join(name);
    fs::create_dir_all(at("d/e")).unwrap();
    fs::write(at("d/file"), "content").unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("setuid"), "#!").unwrap();
    fs::write(at("").join(OsStr::from_bytes(b"d/caf\xe9 \n'")), "latin").unwrap();
    fs::hard_link(at("d/file"), at("d/e/hard")).unwrap();
    symlink("../nowhere", at("d/link")).unwrap();
    let sparse = fs::File::create(at("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"in the middle", 1 << 20).unwrap();
    sparse.set_len(3 << 20).unwrap();
    let mut looks = vec![("setuid", 0o4755, 0), ("d", 0o1777, 7), ("d/file", 0o640, 65534)];
    if holds(Long) {
        let long = "n".repeat(120);
        fs::create_dir_all(at(&format!("{long}/{long}"))).unwrap();
        fs::write(at(&format!("{long}/{long}/{long}")), "deep").unwrap();
        symlink(format!("{long}/{long}"), at("long link")).unwrap();
        fs::hard_link(at(&format!("{long}/{long}/{long}")), at("long hard")).unwrap();
    }
    if holds(Special) {
        let (fifo, device) = (rustix::fs::FileType::Fifo, rustix::fs::FileType::CharacterDevice);
        for (name, kind, number) in [("fifo", fifo, 0), ("null", device, rustix::fs::makedev(1, 3))]
        {
            rustix::fs::mknodat(rustix::fs::CWD, at(name), kind, 0o640.into(), number).unwrap();
        }
        fs::create_dir(at("d/nothing")).unwrap();
    }
    if holds(Owners) {
        looks.push(("empty", 0o600, 3_000_000_000));
    }
    for (name, mode, owner) in looks {
        std::os::unix::fs::chown(at(name), Some(owner), Some(owner)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(at(name), mode).unwrap();
    }
    if holds(Xattrs) {
        run("setfattr", &["-n", "user.lines", "-v", "one\ntwo=\n", "d/file"], &at(""), b"");
        run("setcap", &["cap_net_raw+ep", "setuid"], &at(""), b"");
    }
    let nanoseconds = if holds(Times) { 123_456_789 } else { 0 };
    let late = Time { seconds: 1_000_000_000, nanoseconds };
    let early = if holds(Before1970) { Time { seconds: -2, nanoseconds } } else { late };
    for (name, time) in [("d/e", late), ("d/file", early), ("d/link", late), ("d", late)] {
        let (dir, name) = source.root.parent(Path::new(name)).unwrap();
        crate::layer::metadata::set_mtime(rustix::fd::AsFd::as_fd(&dir), &name, time).unwrap();
    }
    source
}

/// A tree, less what nobody promises.
fn comparable(root: &RootDir, holds: impl Fn(Holds) -> bool) -> Vec<(Entry, Vec<u8>)> {
    let mut entries = tree(root);
    for (entry, _) in &mut entries {
        let counts = match entry.kind {
            Kind::Symlink { .. } => holds(LinkTimes),
            Kind::Directory => holds(DirectoryTimes) && entry.path != PathBuf::new(),
            Kind::File { .. }
            | Kind::Hardlink { .. }
            | Kind::CharDevice { .. }
            | Kind::BlockDevice { .. }
            | Kind::Fifo
            | Kind::Whiteout => true,
        };
        if !counts {
            entry.mtime = Time::default();
        }
        if !holds(Times) {
            entry.mtime.nanoseconds = 0;
        }
        if !holds(Xattrs) {
            entry.xattrs.clear();
        }
    }
    entries
}

#[test]
fn what_other_programs_pack_is_unpacked_as_they_do() {
    for tool in TOOLS {
        let holds = |what| tool.holds.contains(&what);
        let source = source(holds);
        let [packer, arguments @ ..] = tool.pack else { unreachable!() };
        let archive = run(packer, arguments, &source.dir.path().join("root"), b"");

        let theirs = place();
        let [unpacker, arguments @ ..] = tool.unpack else { unreachable!() };
        run(unpacker, arguments, &theirs.dir.path().join("root"), &archive);
        let ours = place();
        let skipped = ours.apply_blob(&archive).unwrap().skipped;
        assert!(skipped.is_empty(), "{:?}: {skipped:?}", tool.pack);

        let theirs = comparable(&theirs.root, holds);
        let ours = comparable(&ours.root, holds);
        for (left, right) in ours.iter().zip(&theirs) {
            assert_eq!(left.0, right.0, "{:?}", tool.pack);
            assert!(left.1 == right.1, "{:?}: content of `{}`", tool.pack, left.0.path.display());
        }
        assert_eq!(ours.len(), theirs.len(), "{:?}", tool.pack);
        // And nobody has lost anything.
        assert_eq!(ours.len(), tree(&source.root).len(), "{:?}", tool.pack);
    }
}
