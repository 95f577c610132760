//! Archives of other programs are read as they mean them, and hostile ones are refused.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::layer::entry::Time;
use crate::layer::testing::{archive, file, read, run};

fn problem(archive: &[u8]) -> String {
    match read(archive) {
        Ok(entries) => panic!("{} entries were read", entries.len()),
        Err(error) => error.problem.to_string(),
    }
}

/// A header with a right checksum, and its content.
fn raw(flag: u8, name: &[u8], body: &[u8], change: impl FnOnce(&mut [u8; 512])) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.as_mut_bytes()[156] = flag;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(body.len() as u64);
    change(header.as_mut_bytes());
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend_from_slice(body);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn plain(flag: u8, name: &str, body: &[u8]) -> Vec<u8> {
    raw(flag, name.as_bytes(), body, |_| ())
}

fn pax(body: &[u8]) -> Vec<u8> {
    plain(b'x', "PaxHeaders/x", body)
}

fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length =
        (rest + 1..rest + 20).find(|length| length.to_string().len() + rest == *length).unwrap();
    format!("{length} {key}={value}\n").into_bytes()
}

#[test]
fn archives_of_gnu_tar_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let long = "n".repeat(99);
    fs::create_dir_all(dir.path().join("in/sub")).unwrap();
    fs::write(dir.path().join("in/sub").join(&long), "content").unwrap();
    fs::hard_link(dir.path().join("in/sub").join(&long), dir.path().join("in/zz")).unwrap();
    std::os::unix::fs::symlink("a".repeat(150), dir.path().join("in/link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("in/fifo"), 0o600.into()).unwrap();
    for format in ["gnu", "oldgnu", "posix"] {
        let archive = run(
            "tar",
            &["--sort=name", &format!("--format={format}"), "-cf", "-", "in"],
            dir.path(),
            b"",
        );
        let entries = read(&archive).unwrap();
        let names: Vec<_> =
            entries.iter().map(|(entry, _)| entry.path.display().to_string()).collect();
        let file = format!("in/sub/{long}");
        assert_eq!(names, ["in/", "in/fifo", "in/link", "in/sub/", &*file, "in/zz"], "{format}");
        assert_eq!(entries[4].1, b"content");
        assert_eq!(entries[5].0.kind, Kind::Hardlink { target: file.into() });
        assert_eq!(entries[2].0.kind, Kind::Symlink { target: "a".repeat(150).into() });
        assert_eq!(entries[1].0.kind, Kind::Fifo);
    }
    fs::create_dir_all(dir.path().join("old/sub")).unwrap();
    for format in ["v7", "ustar"] {
        let format = format!("--format={format}");
        let archive = run("tar", &["--sort=name", &format, "-cf", "-", "old"], dir.path(), b"");
        let entries = read(&archive).unwrap();
        let directories: Vec<_> =
            entries.iter().filter(|(entry, _)| entry.kind == Kind::Directory).collect();
        assert_eq!(directories.len(), 2, "{format}");
    }
}

#[test]
fn sparse_files_of_gnu_tar_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sparse");
    let sparse = fs::File::create(&path).unwrap();
    sparse.set_len(40 << 20).unwrap();
    // More parts than fit into one header.
    for part in 0..60_u64 {
        sparse.write_all_at(format!("part {part}").as_bytes(), part * 512 * 1024).unwrap();
    }
    fs::write(dir.path().join("sparse-after"), "after").unwrap();
    let expected = fs::read(&path).unwrap();
    for format in ["--format=gnu", "--format=posix", "0.0", "0.1", "1.0"] {
        let version = format!("--sparse-version={format}");
        let options =
            if format.starts_with('-') { vec![format] } else { vec!["--format=posix", &version] };
        let arguments = [&["-S"], &*options, &["-cf", "-", "sparse", "sparse-after"]].concat();
        let archive = run("tar", &arguments, dir.path(), b"");
        assert!(archive.len() < 2 << 20, "{format} is not sparse");
        let entries = read(&archive).unwrap();
        assert_eq!(entries[0].0.path, Path::new("sparse"), "{format}");
        assert!(entries[0].1 == expected, "{format}");
        assert_eq!(entries[1].1, b"after", "{format}");
    }
}

#[test]
fn archives_of_python_are_read() {
    let script = r"
import sys, io, tarfile
t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1]))
i = tarfile.TarInfo('d/' + 'x' * 150)
i.size, i.uid, i.mtime, i.mode = 3, 3000000, 1234.5 if sys.argv[1] == 'PAX_FORMAT' else 1234, 0o4711
if sys.argv[1] == 'PAX_FORMAT':
    i.pax_headers = {'SCHILY.xattr.user.a': '12 b=c\n12 d=e\n', 'size': '3'}
t.addfile(i, io.BytesIO(b'abc'))
t.addfile(tarfile.TarInfo('next'))
t.close()
";
    for (format, nanoseconds, xattrs) in [("PAX_FORMAT", 500_000_000, 1), ("GNU_FORMAT", 0, 0)] {
        let archive = run("python3", &["-c", script, format], Path::new("/"), b"");
        let entries = read(&archive).unwrap();
        let (entry, content) = &entries[0];
        assert_eq!(entry.path, Path::new(&format!("d/{}", "x".repeat(150))));
        assert_eq!((entry.uid, entry.mode), (3_000_000, 0o4711));
        assert_eq!(entry.mtime, Time { seconds: 1234, nanoseconds });
        assert_eq!(entry.xattrs.len(), xattrs);
        assert_eq!(content, b"abc");
        assert_eq!(entries[1].0.path, Path::new("next"));
    }
}

#[test]
fn extensions_count_as_in_go() {
    // The size of a long name is its own, whatever a PAX record before it says.
    let desync = [
        pax(&record("size", "1024")),
        plain(b'L', "././@LongLink", b"long\0"),
        plain(b'0', "short", &[b'c'; 1024]),
        plain(b'0', "next", b""),
    ];
    let entries = read(&desync.concat()).unwrap();
    assert_eq!(entries[0].0.path, Path::new("long"));
    assert_eq!(entries[0].1.len(), 1024);
    assert_eq!(entries[1].0.path, Path::new("next"));
    // A size is that of the stored content, even against the header.
    let size =
        [pax(&record("size", "600")), raw(b'0', b"a", &[b'c'; 600], |h| h[124..135].fill(b'0'))];
    assert_eq!(read(&size.concat()).unwrap()[0].1.len(), 600);
    // Global records count until they are taken back; an empty value takes back.
    let global = [
        plain(b'g', "g", &[record("uid", "7"), record("comment", "c")].concat()),
        plain(b'0', "a", b""),
        pax(&record("uid", "")),
        plain(b'0', "b", b""),
        plain(b'V', "label", b""),
        plain(b'0', "c", b""),
    ];
    let uids: Vec<_> = read(&global.concat()).unwrap().iter().map(|(entry, _)| entry.uid).collect();
    assert_eq!(uids, [7, 0, 7]);
    // Solaris' name for records is `X`, and they are the same.
    let solaris = [plain(b'X', "x", &record("path", "long")), plain(b'0', "short", b"c")];
    let entries = read(&solaris.concat()).unwrap();
    assert_eq!((&*entries[0].0.path, &*entries[0].1), (Path::new("long"), &b"c"[..]));
    // bsdtar says attributes twice, and no other name for them counts; nor do lists in words, which
    // GNU tar writes beside.
    let twice = [
        pax(&[
            record("LIBARCHIVE.xattr.user.a", "MQ=="),
            record("SCHILY.xattr.user.b", "2"),
            record("SCHILY.acl.access", "user::rw-,group::r--,other::r--"),
        ]
        .concat()),
        plain(b'0', "a", b""),
    ];
    let entries = read(&twice.concat()).unwrap();
    assert!(entries[0].0.xattrs.keys().eq([b"user.b"]), "{:?}", entries[0].0.xattrs);
    // Links have no content, whatever their size says.
    let link = [raw(b'1', b"l", b"", |h| h[124..135].fill(b'7')), plain(b'0', "b", b"")];
    assert_eq!(read(&link.concat()).unwrap().len(), 2);
}

/// What is done to an archive, the archive, and what the error says.
type Case = (&'static str, Vec<u8>, &'static str);

fn check(cases: Vec<Case>) {
    for (what, archive, expected) in cases {
        let found = problem(&archive);
        assert!(found.contains(expected), "{what}: {found}");
    }
}

#[test]
fn hostile_headers_are_refused() {
    let good = archive(&[file("name", "content")]);
    let mut flipped = good.clone();
    flipped[3] ^= 1;
    let huge = |range: std::ops::Range<usize>| {
        raw(b'0', b"a", b"", |header| {
            header[range.clone()].fill(0xff);
            header[range.start] = 0xbf;
        })
    };
    let size = |flag, digits: &'static [u8]| {
        raw(flag, b"a", b"", |header| header[124..124 + digits.len()].copy_from_slice(digits))
    };
    check(vec![
        ("cut header", good[..300].to_vec(), "ends in the middle"),
        ("cut content", good[..515].to_vec(), "ends in the middle"),
        ("cut padding", good[..600].to_vec(), "ends in the middle"),
        ("flipped bit", flipped, "checksum"),
        ("size beyond all", huge(124..136), "`size`"),
        ("negative size", size(b'0', &[0xff; 12]), "`size`"),
        ("user beyond all", huge(108..116), "`uid`"),
        ("letters for digits", size(b'0', b"12x4"), "`size`"),
        ("long extension", size(b'x', b"00010000001"), "extension"),
        ("long name", size(b'L', b"77777777777"), "extension"),
        ("lone zeros", [vec![0; 512], good.clone()].concat(), "zeros"),
        ("unknown type", plain(b'Q', "a", b""), "type `Q`"),
    ]);
}

#[test]
fn hostile_records_are_refused() {
    let with = |key, value| [pax(&record(key, value)), plain(b'0', "a", b"")].concat();
    let global = |key| plain(b'g', "g", &record(key, &"x".repeat(3_000)));
    check(vec![
        ("global records that add up", [global("a"), global("b")].concat(), "global headers"),
        ("extension at the end", pax(&record("path", "a")), "ends in the middle"),
        ("record too long", pax(b"99 path=a\n"), "record"),
        ("record of nothing", pax(b"0 path=a\n"), "record"),
        ("record that overflows", pax(b"99999999999999999999999 path=a\n"), "record"),
        ("record without length", pax(b" path=a\n"), "record"),
        ("record without newline", pax(b"9 path=ab"), "record"),
        ("record without key", pax(b"6 =ab\n"), "record"),
        ("name with a NUL", with("path", "a\0b"), "record"),
        ("size that is none", with("size", "-1"), "`size`"),
        ("size beyond files", with("size", "9223372036854775808"), "`size`"),
        ("user that is none", with("uid", "4294967296"), "`uid`"),
        ("time that is none", with("mtime", "1.-5"), "`mtime`"),
    ]);
}

#[test]
fn hostile_maps_are_refused() {
    let mapped = |map: &str, size: &str, stored: &[u8]| {
        let records = [record("GNU.sparse.map", map), record("GNU.sparse.size", size)];
        [pax(&records.concat()), plain(b'0', "s", stored)].concat()
    };
    let leading = |stored: &[u8]| {
        let records = [
            record("GNU.sparse.major", "1"),
            record("GNU.sparse.minor", "0"),
            record("GNU.sparse.realsize", "9"),
        ];
        [pax(&records.concat()), plain(b'0', "s", stored)].concat()
    };
    let mut old = raw(b'S', b"s", b"", |header| header[482] = 1);
    old.extend_from_slice(&[1; 1024]);
    let most = "9223372036854775807,9223372036854775807";
    let sizeless = [pax(&record("GNU.sparse.map", "0,1")), plain(b'0', "s", b"a")].concat();
    check(vec![
        ("beyond its end", mapped("0,2,8,2", "9", b"abcd"), "sparse"),
        ("out of order", mapped("4,2,0,2", "9", b"abcd"), "sparse"),
        ("overlap", mapped("0,3,2,1", "9", b"abcd"), "sparse"),
        ("other length", mapped("0,2", "9", b"abcd"), "sparse"),
        ("half a pair", mapped("0,2,4", "9", b"ab"), "sparse"),
        ("overflow", mapped(most, "9", b""), "sparse"),
        ("no size", sizeless, "sparse"),
        ("no map", leading(b"what\n"), "sparse"),
        ("longer than the content", leading(b"999999\n"), "sparse"),
        ("all memory", leading(b"18446744073709551615\n"), "sparse"),
        ("letters", old, "sparse"),
    ]);
}

#[test]
fn errors_name_the_entry() {
    let mut cut = archive(&[file("some/name", "content")]);
    cut.truncate(515);
    let error = read(&cut).unwrap_err();
    assert_eq!(error.to_string(), "cannot read archive entry `some/name`");
}

#[test]
fn the_end_may_be_missing() {
    let whole = archive(&[file("a", "b")]);
    for end in [1024, 1024 + 512] {
        assert_eq!(read(&whole[..end]).unwrap().len(), 1);
    }
    assert_eq!(read(b"").unwrap().len(), 0);
}

proptest! {
    #[test]
    fn no_archive_makes_it_panic(
        changes in prop::collection::vec((0_usize..4096, any::<u8>()), 1..20),
        fix in any::<bool>(),
    ) {
        let v1 = [record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0"),
            record("GNU.sparse.realsize", "900"), record("path", "longer")].concat();
        let mut archive = [
            pax(&v1), plain(b'0', "a", &[&b"2\n0\n1\n800\n2\n"[..], &[0; 500], b"abc"].concat()[..515]),
            plain(b'S', "s", b""), plain(b'L', "l", b"name\0"), plain(b'0', "next", b"content"),
        ].concat();
        for (at, byte) in changes {
            let at = at % archive.len();
            archive[at] = byte;
        }
        if fix {
            for block in archive.chunks_exact_mut(512) {
                let mut header = tar::Header::new_old();
                header.as_mut_bytes().copy_from_slice(block);
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
        let _whatever = read(&archive);
    }
}
