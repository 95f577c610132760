//! What is written is what other programs, and our own reader, read.

use proptest::prelude::*;

use super::*;
use crate::layer::testing::{archive, entry, file, other, read, run, symlink};

/// What Python's tarfile says about each member, with the content of files.
const PYTHON: &str = r"
import sys, io, tarfile
t = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), errors='surrogateescape')
for m in t:
    f = t.extractfile(m).read() if m.isreg() else b''
    x = sorted((k, v) for k, v in m.pax_headers.items() if k.startswith('SCHILY'))
    out = (m.name, m.type.decode(), m.linkname, m.mode, m.uid, m.gid, m.size, str(m.mtime),
        m.devmajor, m.devminor, m.uname, x, len(f))
    sys.stdout.buffer.write((repr(out) + '\n').encode('utf-8', 'surrogateescape'))
";

fn special() -> Vec<(Entry, Vec<u8>)> {
    let mut root = other("", Kind::Directory);
    root.0.mode = 0o1755;
    let mut owned = file("dir/owned", "hello");
    (owned.0.uid, owned.0.gid, owned.0.mode) = (4_000_000_000, 2_097_152, 0o6755);
    owned.0.mtime = Time { seconds: -7, nanoseconds: 500_000_000 };
    owned.0.xattrs.insert(b"user.lines".to_vec(), b"one\ntwo\n".to_vec());
    owned.0.xattrs.insert(b"user.odd=name%".to_vec(), b"\xff\0".to_vec());
    let long = format!("dir/{}/{}", "x".repeat(90), "y".repeat(60));
    let longer = format!("dir/{}", "z".repeat(200));
    vec![
        root,
        other("dir", Kind::Directory),
        owned,
        file(&long, &"content".repeat(100_000)),
        file(&longer, ""),
        other("dir/link", Kind::Hardlink { target: longer.clone().into() }),
        symlink("dir/sym", &longer),
        symlink("dir/\u{e4}\u{fc}", "\u{2192}"),
        other("dir/null", Kind::CharDevice { device: (1, 3) }),
        other("dir/disk", Kind::BlockDevice { device: (4095, 1_048_575) }),
        other("dir/fifo", Kind::Fifo),
        other("gone", Kind::Whiteout),
        other("dir/gone too", Kind::Whiteout),
    ]
}

#[test]
fn python_reads_everything() {
    let out = run("python3", &["-c", PYTHON], Path::new("/"), &archive(&special()));
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), special().len());
    assert_eq!(lines[0], "('.', '5', '', 1005, 0, 0, 0, '1000000000', 0, 0, '', [], 0)");
    assert!(
        lines[2].starts_with(
            "('dir/owned', '0', '', 3565, 4000000000, 2097152, 5, '-6.5', 0, 0, '', \
             [('SCHILY.xattr.user.lines', 'one\\ntwo\\n'), ('SCHILY.xattr.user.odd%3Dname%25'"
        ),
        "{}",
        lines[2]
    );
    let long = format!("('dir/{}/{}', '0'", "x".repeat(90), "y".repeat(60));
    assert!(lines[3].starts_with(&long), "{}", lines[3]);
    assert!(lines[3].ends_with(", 700000)"), "{}", lines[3]);
    let target = format!("dir/{}", "z".repeat(200));
    assert!(lines[5].starts_with(&format!("('dir/link', '1', '{target}'")), "{}", lines[5]);
    assert!(lines[7].starts_with("('dir/\u{e4}\u{fc}', '2', '\u{2192}'"), "{}", lines[7]);
    assert!(lines[9].contains(", 4095, 1048575,"), "{}", lines[9]);
    assert!(
        lines[12].starts_with("('dir/.wh.gone too', '0', '', 0, 0, 0, 0, '0'"),
        "{}",
        lines[12]
    );
}

#[test]
fn gnu_tar_reads_everything() {
    let out = run(
        "tar",
        &["--numeric-owner", "--full-time", "-tvf", "-"],
        Path::new("/"),
        &archive(&special()),
    );
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().count(), special().len(), "{out}");
    assert!(out.lines().next().unwrap().ends_with(" ./"), "{out}");
    assert!(out.contains("-rwsr-sr-x 4000000000/2097152"), "{out}");
    assert!(out.contains(" 4095,1048575 "), "{out}");
}

#[test]
fn our_reader_finds_what_was_written() {
    let entries = special();
    let found = read(&archive(&entries)).unwrap();
    for ((wrote, content), (mut read, found)) in entries.into_iter().zip(found) {
        let name = read.path.display().to_string();
        if wrote.kind == Kind::Whiteout {
            assert!(name.ends_with(&format!(".wh.{}", wrote.path.file_name().unwrap().display())));
            continue;
        }
        read.path = if name == "./" { "".into() } else { name.trim_end_matches('/').into() };
        assert_eq!(read, wrote);
        assert_eq!(found, content);
    }
}

#[test]
fn what_would_mean_something_else_is_refused() {
    let mut tar = TarWriter::new(Vec::new());
    for (entry, _) in [
        file(".wh.name", ""),
        file("dir/.wh..wh..opq", ""),
        other("", Kind::Whiteout),
        symlink("", "target"),
        other("device", Kind::CharDevice { device: (1 << 30, 0) }),
    ] {
        let refused = tar.append(&entry, &mut io::empty());
        assert!(matches!(refused, Err(AppendError::Entry(_))), "{entry:?}");
    }
}

#[test]
fn content_is_as_long_as_promised() {
    for (size, content) in [(4, "abc"), (2, "abc"), (0, "a")] {
        let entry = entry("file", Kind::File { size });
        let appended = TarWriter::new(Vec::new()).append(&entry, &mut content.as_bytes());
        assert!(matches!(appended, Err(AppendError::Size { .. })), "{size}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_metadata_survives(
        path in "[a-z/]{0,40}[a-zä.]{1,120}(/[b-y]{1,130}){0,3}",
        link in "[ -~]{1,200}",
        mode in 0_u32..0o10000,
        ids in (0..u32::MAX, 0..u32::MAX),
        mtime in (-1_i64 << 40..1_i64 << 40, 0_u32..1_000_000_000),
        xattrs in prop::collection::btree_map("user\\.[ -~]{1,20}", prop::collection::vec(any::<u8>(), 1..90), 0..3),
    ) {
        let path: std::path::PathBuf = Path::new(path.trim_start_matches('/')).components().collect();
        prop_assume!(!path.as_os_str().is_empty() && !path.ends_with("."));
        let mtime = Time { seconds: mtime.0, nanoseconds: mtime.1 };
        let xattrs = xattrs.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
        let kind = Kind::Symlink { target: link.into() };
        let entry = Entry { path, kind, mode, uid: ids.0, gid: ids.1, mtime, xattrs };
        let found = read(&archive(&[(entry.clone(), Vec::new())])).unwrap();
        prop_assert_eq!(&found[0].0, &entry);
    }
}
