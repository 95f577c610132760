//! Layers come to a root as the image-spec says, and nothing leaves it.

mod dialects;
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink as make_link};

use proptest::prelude::*;

use place::{Place, place, start};

use super::*;
use crate::layer::entry::{Entry, Kind, Time};
use crate::layer::testing::{
    archive, changes, entry, file, listing, other, run, symlink, time, tree,
};
use crate::layer::{Compression, pack};

/// A header alone, of any type and name: what our writer would not write.
fn raw(flag: u8, name: &str, link: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.as_mut_bytes()[156] = flag;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn directory(path: &str) -> (Entry, Vec<u8>) {
    other(path, Kind::Directory)
}

fn whiteout(path: &str) -> (Entry, Vec<u8>) {
    other(path, Kind::Whiteout)
}

#[test]
fn whiteouts_remove_what_is_below_and_nothing_else() {
    let place = place();
    place
        .apply(&[
            directory("a"),
            file("a/one", "1"),
            file("a/two", "2"),
            directory("a/sub"),
            file("a/sub/low", "low"),
            file("b", "b"),
            symlink("link", "a"),
        ])
        .unwrap();
    place
        .apply(&[
            whiteout("a/one"),
            // Of the same layer, in either order.
            directory("a/sub"),
            file("a/sub/new", "new"),
            whiteout("a/sub"),
            whiteout("b"),
            file("b", "again"),
            // Through a link; and what is not there.
            whiteout("link/two"),
            whiteout("missing"),
            whiteout("no/such/dir"),
        ])
        .unwrap();
    assert_eq!(listing(&place.root), ["a/", "a/sub/", "a/sub/new=new", "b=again", "link->a"]);
}

#[test]
fn an_opaque_directory_shows_only_its_own() {
    for opaque_first in [true, false] {
        let place = place();
        place
            .apply(&[
                directory("a"),
                file("a/low", ""),
                directory("a/d"),
                file("a/d/low", ""),
                file("b", ""),
            ])
            .unwrap();
        let opaque = raw(b'0', "a/.wh..wh..opq", "");
        let mut own = archive(&[directory("a"), file("a/own", ""), file("a/d/own", "")]);
        let whole = if opaque_first {
            [opaque, own].concat()
        } else {
            own.truncate(own.len() - 1024);
            [own, opaque].concat()
        };
        place.apply_blob(&whole).unwrap();
        assert_eq!(listing(&place.root), ["a/", "a/d/", "a/d/own=", "a/own=", "b="]);
    }
    let place = place();
    place.apply(&[file("a", ""), directory("b")]).unwrap();
    let whole = [raw(b'0', "./.wh..wh..opq", ""), raw(b'0', "none/.wh..wh..opq", "")];
    place.apply_blob(&whole.concat()).unwrap();
    assert!(listing(&place.root).is_empty());
}

#[test]
fn one_kind_replaces_another() {
    let place = place();
    fs::write(place.dir.path().join("root/outer"), "outer").unwrap();
    place
        .apply(&[
            directory("dir"),
            file("dir/in", ""),
            file("file", "long content"),
            symlink("link", "outer"),
            symlink("link to dir", "dir"),
            file("first", "shared"),
            other("second", Kind::Hardlink { target: "first".into() }),
        ])
        .unwrap();
    place
        .apply(&[
            file("dir", "now a file"),
            directory("file"),
            file("link", "not through"),
            directory("link to dir"),
            // Its other name keeps the old content.
            file("first", "new"),
        ])
        .unwrap();
    let expected = [
        "dir=now a file",
        "file/",
        "first=new",
        "link=not through",
        "link to dir/",
        "outer=outer",
        "second=shared",
    ];
    assert_eq!(listing(&place.root), expected);
}

#[test]
fn directories_keep_what_is_in_them_and_take_what_is_said_of_them() {
    let place = place();
    let mut first = directory("a");
    first.0.xattrs.insert(b"user.old".to_vec(), b"1".to_vec());
    place.apply(&[first, file("a/kept", ""), directory("b")]).unwrap();
    let mut second = directory("a");
    (second.0.mode, second.0.mtime) = (0o2700, time(77));
    second.0.xattrs.insert(b"user.new".to_vec(), b"2".to_vec());
    let mut root = directory("");
    (root.0.mode, root.0.mtime) = (0o1777, time(5));
    place.apply(&[root.clone(), second.clone(), file("a/new", ""), file("b/new", "")]).unwrap();
    let tree = tree(&place.root);
    assert_eq!(tree[0].0, root.0);
    assert_eq!(tree[1].0, second.0);
    assert_eq!(tree[2].0.path, Path::new("a/kept"));
    // Changed, but not an entry: it has the time it had.
    assert_eq!((&*tree[4].0.path, tree[4].0.mtime), (Path::new("b"), time(1_000_000_000)));
}

#[test]
fn missing_directories_are_made() {
    let place = place();
    place.apply(&[directory("top")]).unwrap();
    place.apply(&[file("top/x/y/file", "")]).unwrap();
    for found in tree(&place.root).iter().filter(|(entry, _)| entry.kind == Kind::Directory).skip(2)
    {
        assert_eq!((found.0.mode, found.0.uid, found.0.mtime), (0o755, 0, time(0)), "{found:?}");
    }
    assert_eq!(tree(&place.root)[1].0.mtime, time(1_000_000_000));
}

#[test]
fn links_in_parents_are_followed_within_the_root() {
    let place = place();
    place.apply(&[directory("run"), symlink("var", "/run"), symlink("up", "run/../run")]).unwrap();
    place.apply(&[file("var/a", ""), file("up/b", ""), symlink("away", "../../secret")]).unwrap();
    let expected =
        ["away->../../secret", "run/", "run/a=", "run/b=", "up->run/../run", "var->/run"];
    assert_eq!(listing(&place.root), expected);
}

#[test]
fn nothing_leaves_the_root() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("parent", raw(b'0', "../secret", "")),
        ("parent within", raw(b'0', "a/../b", "")),
        ("parent at the end", raw(b'5', "a/..", "")),
        ("whiteout outside", raw(b'0', "../.wh.secret", "")),
        ("whiteout of the directory", raw(b'0', "a/.wh..", "")),
        ("whiteout of the one above", raw(b'0', ".wh...", "")),
        ("whiteout of nothing", raw(b'0', ".wh.", "")),
        ("opaque outside", raw(b'0', "../.wh..wh..opq", "")),
        ("hard link outside", raw(b'1', "a", "../secret")),
        ("hard link to the root", raw(b'1', "a", ".")),
        ("root as a link", raw(b'2', "./", "/etc")),
        ("link out", [raw(b'2', "out", ".."), raw(b'0', "out/secret", "")].concat()),
        ("link far out", [raw(b'2', "out", "a/../../../.."), raw(b'0', "out/secret", "")].concat()),
        (
            "whiteout over a link",
            [raw(b'2', "out", ".."), raw(b'0', "out/.wh.secret", "")].concat(),
        ),
        ("hard link over a link", [raw(b'2', "out", ".."), raw(b'1', "a", "out/secret")].concat()),
    ];
    for (what, blob) in cases {
        let place = place();
        let error = place.apply_blob(&blob).unwrap_err();
        assert!(matches!(error, LayerError::Escapes { .. }), "{what}: {error:?}");
        assert_eq!(fs::read(place.dir.path().join("secret")).unwrap(), b"outside", "{what}");
    }
    // A link that only seems to: it starts at the root.
    let place = place();
    let target = place.dir.path().display().to_string();
    place.apply(&[symlink("out", &target), file("out/secret", "inside")]).unwrap();
    assert_eq!(fs::read(place.dir.path().join("secret")).unwrap(), b"outside");
}

#[test]
fn absolute_names_start_at_the_root() {
    let place = place();
    let secret = place.dir.path().join("secret").display().to_string();
    let layer = [raw(b'5', "/", ""), raw(b'0', &secret, ""), raw(b'1', "/name", &secret)];
    place.apply_blob(&layer.concat()).unwrap();
    assert_eq!(fs::read(&secret).unwrap(), b"outside");
    assert_eq!(fs::read(place.dir.path().join("root/name")).unwrap(), b"");
}

#[test]
fn what_cannot_be_extracted_is_named() {
    let place = place();
    for entries in [
        vec![file("f", ""), file("f/g", "")],
        vec![other("l", Kind::Hardlink { target: "missing".into() })],
        vec![directory("d"), other("l", Kind::Hardlink { target: "d".into() })],
        vec![file(&"n".repeat(300), "")],
        vec![symlink("loop", "loop"), file("loop/x", "")],
    ] {
        let error = place.apply(&entries).unwrap_err();
        let name = entries.last().unwrap().0.path.clone();
        assert!(matches!(&error, LayerError::Extract { entry, .. } if *entry == name), "{error:?}");
    }
    let mut nobody = file("nobody", "");
    nobody.0.uid = u32::MAX;
    let error = place.apply(&[nobody]).unwrap_err();
    assert!(matches!(error, LayerError::Extract { .. }), "{error:?}");
    let mut cut = archive(&[file("cut", &"x".repeat(9000))]);
    cut.truncate(5000);
    assert!(matches!(place.apply_blob(&cut), Err(LayerError::Read(_))));
}

#[test]
fn hard_links_share_and_may_name_themselves() {
    let place = place();
    place.apply(&[file("low", "1")]).unwrap();
    place
        .apply(&[
            other("a", Kind::Hardlink { target: "low".into() }),
            other("low", Kind::Hardlink { target: "low".into() }),
            symlink("s", "nowhere"),
            other("t", Kind::Hardlink { target: "s".into() }),
        ])
        .unwrap();
    let inode =
        |name| fs::symlink_metadata(place.dir.path().join("root").join(name)).unwrap().ino();
    assert_eq!(inode("a"), inode("low"));
    assert_eq!(inode("s"), inode("t"));
}

#[test]
fn marks_of_overlays_do_not_come_in() {
    let place = place();
    let mut marked = directory("d");
    marked.0.xattrs.insert(b"user.overlay.opaque".to_vec(), b"y".to_vec());
    let zero = other("zero", Kind::CharDevice { device: (0, 0) });
    let aufs = raw(b'5', ".wh..wh.plnk", "");
    let blob = [aufs, archive(&[marked, zero])].concat();
    let unpacked = place.apply_blob(&blob).unwrap();
    assert_eq!(listing(&place.root), ["d/"]);
    assert_eq!(unpacked.skipped.len(), 2, "{:?}", unpacked.skipped);
    let path = place.dir.path().join("root/d");
    let list = rustix::fs::listxattr(&path, &mut [0_u8; 512]).unwrap();
    assert_eq!(list, 0);
}

/// An archive that is compressed part by part, as stargz and parallel programs do, an empty part
/// among them.
fn in_parts(data: &[u8], compress: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (first, rest) = data.split_at(700);
    let (second, third) = rest.split_at(1);
    [first, second, b"", third].map(compress).concat()
}

#[test]
fn every_compression_gives_the_same_and_trailing_bytes_count() {
    let plain = archive(&[file("a", "content")]);
    let mut trailing = plain.clone();
    trailing.extend_from_slice(&vec![7; 300_000]);
    let digest = |data: &[u8]| {
        use sha2::Digest as _;
        DiffId(Digest::from_bytes(sha2::Sha256::digest(data).into()))
    };
    for data in [plain, trailing] {
        let at = Path::new("/");
        let gzip = run("gzip", &["-c"], at, &data);
        for blob in [
            data.clone(),
            gzip,
            zstd::encode_all(&*data, 1).unwrap(),
            run("xz", &["-c"], at, &data),
            in_parts(&data, |part| run("gzip", &["-c"], at, part)),
            in_parts(&data, |part| {
                let skipped = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9];
                [zstd::encode_all(part, 1).unwrap(), skipped.to_vec()].concat()
            }),
        ] {
            let place = place();
            assert_eq!(place.apply_blob(&blob).unwrap().diff_id, digest(&data));
            assert_eq!(listing(&place.root), ["a=content"]);
        }
    }
}

#[test]
fn damage_behind_the_archive_is_found() {
    let mut blob = run("gzip", &["-c"], Path::new("/"), &archive(&[file("a", "content")]));
    let end = blob.len() - 6;
    blob[end] ^= 1;
    assert!(matches!(place().apply_blob(&blob), Err(LayerError::Read(_))));
}

#[test]
fn an_archive_may_come_to_so_much() {
    let usual = UnpackLimits::default();
    let entries: Vec<_> = (0..50).map(|number| file(&number.to_string(), "content")).collect();
    let plain = archive(&entries);
    let packed = run("gzip", &["-c"], Path::new("/"), &plain);
    let size = plain.len() as u64;
    for blob in [&plain, &packed] {
        let within = UnpackLimits { entries: 50, size: Some(size) };
        place().apply_within(blob, within).unwrap();
        let error = place().apply_within(blob, UnpackLimits { entries: 49, ..usual }).unwrap_err();
        assert!(
            matches!(&error, LayerError::TooManyEntries { entry, limit: 49 }
                if entry == Path::new("49")),
            "{error:?}"
        );
        let short = UnpackLimits { size: Some(size - 1), ..usual };
        let error = place().apply_within(blob, short).unwrap_err();
        let LayerError::Read(TarError { problem, .. }) = error else { panic!("{error:?}") };
        assert!(problem.to_string().contains("--unpack-limit size="), "{problem}");
    }
}

/// Files of all sizes about the size of the parts that are written at once.
#[test]
fn content_arrives_whole() {
    let place = place();
    let entries: Vec<_> = [0, 1, 511, 512, 131_071, 131_072, 131_073, 700_000]
        .into_iter()
        .cycle()
        .take(32)
        .enumerate()
        .map(|(number, size)| {
            let content: Vec<u8> = (0..=250).cycle().skip(number).take(size).collect();
            let kind = Kind::File { size: size as u64 };
            (entry(&format!("{number:02}"), kind), content)
        })
        .collect();
    place.apply(&entries).unwrap();
    assert!(tree(&place.root)[1..] == entries);
}

/// What fails while it is written is told as if it were written in order.
#[test]
fn the_first_failure_is_told() {
    let mut entries: Vec<_> = (0..200).map(|number| file(&format!("{number:03}"), "x")).collect();
    for number in [60, 61, 150] {
        entries[number].0.xattrs.insert(b"user.long".to_vec(), vec![0; 70_000]);
    }
    for _ in 0..5 {
        let error = place().apply(&entries).unwrap_err();
        assert!(
            matches!(&error, LayerError::Extract { entry, .. } if entry == Path::new("060")),
            "{error:?}"
        );
    }
}

#[test]
fn cancelling_ends_it() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let place = place();
    let limits = UnpackLimits::default();
    let blob = start(&archive(&[file("a", "")]), limits);
    let unpacked = unpack(Coming::Now(blob), &place.root, Bounds { limits, cancel: &cancel });
    assert!(matches!(unpacked, Err(LayerError::Cancelled)));
}

#[test]
fn zeros_become_holes() {
    let place = place();
    let content = [vec![0; 4 << 20], b"end".to_vec()].concat();
    let sparse = (entry("sparse", Kind::File { size: content.len() as u64 }), content.clone());
    place.apply(&[sparse]).unwrap();
    let path = place.dir.path().join("root/sparse");
    assert!(fs::read(&path).unwrap() == content);
    assert!(fs::metadata(&path).unwrap().blocks() < 2048);
}

#[test]
fn an_added_archive_keeps_its_names() {
    let place = place();
    make_link("real", place.dir.path().join("root/link")).unwrap();
    let mut root = directory("");
    root.0.mode = 0o700;
    let whole = [
        raw(b'0', "/.wh.name", ""),
        raw(b'0', "sub/.wh..wh..opq", ""),
        archive(&[
            root,
            file("file", "content"),
            other("hard", Kind::Hardlink { target: "file".into() }),
        ]),
    ];
    place.add(&whole.concat(), "/link/into", Some((12, 34))).unwrap();
    let expected = [
        "link->real",
        "real/",
        "real/into/",
        "real/into/.wh.name=",
        "real/into/file=content",
        "real/into/hard=",
        "real/into/sub/",
        "real/into/sub/.wh..wh..opq=",
    ];
    assert_eq!(listing(&place.root), expected);
    for (entry, _) in tree(&place.root).iter().filter(|(entry, _)| entry.path.starts_with("real")) {
        assert_eq!((entry.uid, entry.gid), (12, 34), "{entry:?}");
        assert_ne!(entry.mode, 0o700);
    }
    let error = place.add(&raw(b'0', "../../secret", ""), "a", None).unwrap_err();
    assert!(matches!(error, LayerError::Escapes { .. }));
}

#[test]
fn gnu_tar_and_we_make_the_same_tree() {
    let source = place();
    let at = source.dir.path().join("root");
    fs::create_dir_all(at.join("d/e")).unwrap();
    fs::write(at.join("d/file"), "content").unwrap();
    fs::hard_link(at.join("d/file"), at.join("d/e/hard")).unwrap();
    make_link("nowhere", at.join("d/link")).unwrap();
    let gnu = run("tar", &["--format=posix", "--xattrs", "--sort=name", "-cf", "-", "."], &at, b"");
    let target = place();
    target.apply_blob(&gnu).unwrap();
    assert_eq!(tree(&target.root), tree(&source.root));
}

fn any_entry(path: String) -> impl Strategy<Value = (Entry, Vec<u8>)> {
    let kind = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..2000).prop_map(|content| {
            (Kind::File { size: content.len() as u64 }, content)
        }),
        1 => "[a-z./]{1,150}".prop_map(|target| (Kind::Symlink { target: target.into() }, Vec::new())),
        1 => Just((Kind::Fifo, Vec::new())),
        2 => Just((Kind::Directory, Vec::new())),
    ];
    let xattrs = prop::collection::btree_map(
        "user\\.[a-z=%]{1,9}",
        prop::collection::vec(any::<u8>(), 0..50),
        0..3,
    );
    let time = (-1_000_000_i64..4_000_000_000, 0_u32..1_000_000_000);
    (kind, 0_u32..0o10000, 0_u32..100_000, time, xattrs).prop_map(
        move |(kind, mode, uid, at, xattrs)| {
            let (kind, content) = kind;
            let takes_xattrs = matches!(kind, Kind::File { .. } | Kind::Directory);
            let mode = if matches!(kind, Kind::Symlink { .. }) { 0o777 } else { mode };
            let xattrs: BTreeMap<_, _> = xattrs
                .into_iter()
                .filter(|_| takes_xattrs)
                .map(|(k, v)| (k.into_bytes(), v))
                .collect();
            let mtime = Time { seconds: at.0, nanoseconds: at.1 };
            (
                Entry { path: path.clone().into(), kind, mode, uid, gid: uid / 2, mtime, xattrs },
                content,
            )
        },
    )
}

/// Entries whose parents are directories, with everything the root can keep.
fn any_tree() -> impl Strategy<Value = Vec<(Entry, Vec<u8>)>> {
    let path = prop::collection::vec("[a-cä]|[x-z]{70}", 1..5).prop_map(|names| names.join("/"));
    prop::collection::btree_set(path, 0..25)
        .prop_flat_map(|paths| paths.into_iter().map(any_entry).collect::<Vec<_>>())
        .prop_map(|mut entries| {
            entries.sort_by(|a, b| a.0.path.cmp(&b.0.path));
            let mut kept: Vec<(Entry, Vec<u8>)> = Vec::new();
            for entry in entries {
                let fits = kept.iter().all(|(above, _)| {
                    above.kind == Kind::Directory || !entry.0.path.starts_with(&above.path)
                });
                if fits {
                    kept.push(entry);
                }
            }
            kept
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_tree_survives_packing(entries in any_tree(), zstd in any::<bool>()) {
        let source = place();
        source.apply(&entries).unwrap();
        let before = tree(&source.root);
        // What was asked for is what is there.
        for (entry, content) in &entries {
            prop_assert!(before.contains(&(entry.clone(), content.clone())), "{:?}", entry);
        }
        let compression = if zstd { Compression::Zstd { level: 1 } } else { Compression::default() };
        let changes = changes(&source.dir.path().join("root"));
        let blob = source.dir.path().join("blob");
        let layer = pack(&changes, compression, &blob, &CancellationToken::new(), &|_| ()).unwrap();
        let target = place();
        let unpacked = target.apply_blob(&fs::read(&blob).unwrap()).unwrap();
        prop_assert_eq!(unpacked.diff_id, layer.diff_id);
        prop_assert!(unpacked.skipped.is_empty());
        prop_assert_eq!(tree(&target.root), before);
        // Applying it again changes nothing.
        target.apply_blob(&fs::read(&blob).unwrap()).unwrap();
        prop_assert_eq!(tree(&target.root), tree(&source.root));
    }
}
