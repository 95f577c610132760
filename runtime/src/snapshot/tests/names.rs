//! Names of any bytes and any length, trees of any depth and any size.

use std::os::unix::ffi::OsStrExt as _;

use super::*;
use crate::layer::LayerError;
use crate::layer::testing::read;

/// Every byte that a name can have, alone where that is a name, and in front of others.
fn byte_names() -> Vec<PathBuf> {
    let bytes = (1..=255_u8).filter(|byte| *byte != b'/');
    let names = bytes.flat_map(|byte| [vec![byte], vec![byte, b'a', byte]]);
    let names = names.filter(|name| name != b".");
    names.map(|name| Path::new(OsStr::from_bytes(&name)).to_owned()).collect()
}

#[test]
fn names_have_any_bytes() {
    let bench = Bench::new();
    let base = bench.path().join("base");
    fs::create_dir(&base).unwrap();
    let mut names = byte_names();
    names.push("n".repeat(255).into());
    for name in names.iter().step_by(2) {
        fs::write(base.join(name), "old").unwrap();
    }
    age(&base);
    for deleted in [false, true] {
        let parent = |snapshotter: &dyn Snapshotter| snapshotter.base(&base).unwrap();
        let found = alike(&bench, "any bytes", parent, ParentUse::Last, |root| {
            for name in &names {
                if !deleted {
                    fs::write(root.join(name), "new").unwrap();
                } else if root.join(name).exists() {
                    fs::remove_file(root.join(name)).unwrap();
                }
            }
        });
        assert_eq!(found.len(), if deleted { names.len().div_ceil(2) } else { names.len() });
    }
}

/// Makes a file, or writes to it, below directories of any length, step by step.
fn write_deep(root: &Path, deep: &Path, content: &[u8]) {
    let root = RootDir::open(root).unwrap();
    root.create_dir_all(deep, |_, _| Ok(())).unwrap();
    let (dir, name) = root.parent(&deep.join("file")).unwrap();
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CREATE;
    let file = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o644)).unwrap();
    std::io::Write::write_all(&mut fs::File::from(file), content).unwrap();
}

/// Deep, and longer than a system call takes.
#[test]
fn trees_are_deep_and_their_paths_long() {
    let bench = Bench::new();
    for (length, depth) in [(1, 1000), (99, 42)] {
        let deep: PathBuf = std::iter::repeat_n("d".repeat(length), depth).collect();
        let empty = |snapshotter: &dyn Snapshotter| snapshotter.scratch().unwrap();
        let made = alike(&bench, "deep", empty, ParentUse::Shared, |root| {
            write_deep(root, &deep, b"one");
        });
        assert_eq!(made.len(), depth + 1);
    }
}

#[test]
fn a_layer_of_deep_trees_and_long_paths_is_unpacked_as_it_was() {
    let bench = Bench::new();
    let deep =
        |(length, depth)| -> PathBuf { std::iter::repeat_n("d".repeat(length), depth).collect() };
    let trees = [(1, 1000), (99, 41), (99, 49), (255, 17)].map(deep);
    assert!(trees.iter().any(|deep| deep.as_os_str().len() > 4800));
    let empty = bench.tree.scratch().unwrap();
    let (snapshot, changes) = step(&bench.tree, &empty, ParentUse::Shared, |root| {
        for deep in &trees {
            write_deep(root, deep, deep.as_os_str().as_bytes());
        }
    });
    let own = tempfile::tempdir_in(bench.path()).unwrap();
    unpack(own.path(), &packed(&bench, &changes));
    let found = manifest(&RootDir::open(own.path()).unwrap());
    assert_eq!(found.len(), 1000 + 49 + 17 + 4);
    // Nothing is told that would print all of it.
    assert!(found == manifest(bench.tree.view(&snapshot).unwrap().root()));
}

#[test]
fn files_are_found_below_paths_that_no_system_call_takes() {
    let bench = Bench::new();
    let deep: PathBuf = std::iter::repeat_n("d".repeat(99), 42).collect();
    assert!(deep.as_os_str().len() > 4096);
    for snapshotter in bench.snapshotters() {
        let empty = snapshotter.scratch().unwrap();
        let (parent, changes) =
            step(snapshotter, &empty, ParentUse::Last, |root| write_deep(root, &deep, b"one"));
        let archive = read(&packed(&bench, &changes)).unwrap();
        let (last, content) = archive.last().unwrap();
        assert_eq!((last.path.as_path(), content.as_slice()), (&*deep.join("file"), &b"one"[..]));
        for parent_use in [ParentUse::Shared, ParentUse::Last] {
            let (_snapshot, changes) =
                step(snapshotter, &parent, parent_use, |root| write_deep(root, &deep, b"another"));
            let paths: Vec<&Path> = changes.entries.iter().map(|entry| &*entry.path).collect();
            assert_eq!(paths, [deep.join("file")], "{}", snapshotter.name());
            packed(&bench, &changes);
        }
    }
}

#[test]
fn a_change_has_many_entries() {
    const DIRECTORIES: usize = 20;
    const FILES: usize = 100;
    let bench = Bench::new();
    let empty = |snapshotter: &dyn Snapshotter| snapshotter.scratch().unwrap();
    let found = alike(&bench, "many", empty, ParentUse::Last, |root| {
        for directory in 0..DIRECTORIES {
            let directory = root.join(format!("{directory:03}"));
            fs::create_dir(&directory).unwrap();
            let opened = fs::File::open(&directory).unwrap();
            for file in 0..FILES {
                let mode = Mode::from_raw_mode(0o644);
                let name = file.to_string();
                rustix::fs::mknodat(&opened, name, FileType::RegularFile, mode, 0).unwrap();
            }
        }
    });
    assert_eq!(found.len(), DIRECTORIES * (FILES + 1));
}

/// In a layer such a name is a deletion: whoever unpacks it would delete another file.
#[test]
fn what_is_named_like_a_deletion_is_refused() {
    let bench = Bench::new();
    for snapshotter in bench.snapshotters() {
        for name in [".wh.f", ".wh..wh..opq", ".wh."] {
            let parent = snapshotter.scratch().unwrap();
            let (_snapshot, changes) = step(snapshotter, &parent, ParentUse::Last, |root| {
                fs::create_dir(root.join("d")).unwrap();
                fs::write(root.join("d").join(name), "").unwrap();
            });
            let (to, cancel) = (bench.path().join("layer"), crate::CancellationToken::new());
            let packed = crate::layer::pack(&changes, Compression::None, &to, &cancel, &|_| ());
            let error = packed.unwrap_err();
            assert!(matches!(&error, LayerError::Archive { entry, .. } if entry.ends_with(name)));
        }
    }
}
