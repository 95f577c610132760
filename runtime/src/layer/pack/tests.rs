//! A change set gives one blob, whatever the threads, and a clear error if it cannot.

use std::fs;
use std::sync::Mutex;

use super::*;
use crate::layer::entry::Time;
use crate::layer::testing::{changes, entry, read, run};

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("some/dir")).unwrap();
    for number in 0..50_usize {
        let content = format!("line {number}\n").repeat(number * 997);
        fs::write(root.join(format!("some/dir/{number:02}")), content).unwrap();
    }
    fs::write(root.join("empty"), "").unwrap();
    dir
}

fn pack_with(
    changes: &ChangeSet,
    compression: Compression,
    to: &Path,
) -> Result<Layer, LayerError> {
    pack(changes, compression, to, &CancellationToken::new(), &|_| ())
}

const ALL: [Compression; 3] =
    [Compression::Gzip { level: 6 }, Compression::Zstd { level: 3 }, Compression::None];

#[test]
fn a_blob_is_what_the_layer_says() {
    let dir = tree();
    let changes = changes(&dir.path().join("root"));
    let mut diff_ids = Vec::new();
    for compression in ALL {
        let to = dir.path().join("blob");
        let layer = pack_with(&changes, compression, &to).unwrap();
        let blob = fs::read(&to).unwrap();
        let digest = |data: &[u8]| Digest::from_bytes(Sha256::digest(data).into());
        assert_eq!(layer.digest, digest(&blob));
        assert_eq!(layer.size, blob.len() as u64);
        assert_eq!(layer.path, to);
        let archive = match compression {
            Compression::Gzip { .. } => run("gzip", &["-dc"], dir.path(), &blob),
            Compression::Zstd { .. } => zstd::decode_all(&*blob).unwrap(),
            Compression::None => blob,
        };
        assert_eq!(layer.diff_id, DiffId(digest(&archive)));
        assert_eq!(layer.uncompressed, archive.len() as u64);
        assert_eq!(read(&archive).unwrap().len(), changes.entries.len());
        diff_ids.push(layer.diff_id);
    }
    assert!(diff_ids.iter().all(|id| *id == diff_ids[0]));
}

#[test]
fn threads_do_not_show() {
    let dir = tree();
    let changes = changes(&dir.path().join("root"));
    for compression in ALL {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| pack_with(&changes, compression, &dir.path().join("blob")).unwrap())
        };
        assert_eq!(with(1), with(3));
    }
}

#[test]
fn a_file_that_changes_is_named() {
    let dir = tree();
    let mut changes = changes(&dir.path().join("root"));
    for size in [0, 100_000] {
        let kind = Kind::File { size };
        *changes.entries.iter_mut().find(|e| e.path.ends_with("some/dir/07")).unwrap() =
            entry("some/dir/07", kind);
        let error = pack_with(&changes, Compression::None, &dir.path().join("blob")).unwrap_err();
        assert!(matches!(&error, LayerError::SizeChanged { expected, .. } if *expected == size));
        assert!(error.to_string().contains("`some/dir/07`"), "{error}");
        assert!(!dir.path().join("blob").exists());
    }
}

#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let dir = tree();
    let changes = changes(&dir.path().join("root"));
    let path = dir.path().join("root/some/dir/07");
    fs::rename(&path, dir.path().join("root/moved")).unwrap();
    std::os::unix::fs::symlink("/moved", &path).unwrap();
    let error = pack_with(&changes, Compression::None, &dir.path().join("blob")).unwrap_err();
    assert!(matches!(error, LayerError::Archive { entry, .. } if entry.ends_with("07")));
}

#[test]
fn progress_counts_and_cancelling_ends() {
    let dir = tree();
    let changes = changes(&dir.path().join("root"));
    let seen = Mutex::new(Vec::new());
    let to = dir.path().join("blob");
    let cancel = CancellationToken::new();
    let progress = |bytes| seen.lock().unwrap().push(bytes);
    let layer = pack(&changes, Compression::default(), &to, &cancel, &progress).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > 3 && seen.is_sorted());
    assert_eq!(seen.last(), Some(&layer.uncompressed));
    cancel.cancel();
    let error = pack(&changes, Compression::default(), &to, &cancel, &|_| ()).unwrap_err();
    assert!(matches!(error, LayerError::Cancelled));
    assert!(!to.exists());
}

#[test]
fn a_full_disk_is_known_as_one() {
    let dir = tree();
    let changes = changes(&dir.path().join("root"));
    for compression in ALL {
        let cancel = CancellationToken::new();
        let file = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = Fanout::new(Compressor::new(file, compression), &cancel, &|_| ())
            .map_err(|source| write_error(Path::new("blob"), source))
            .and_then(|out| archive(&changes, out, Path::new("blob")))
            .err()
            .unwrap();
        assert!(error.is_storage_full(), "{error:?}");
    }
}

#[test]
fn levels_are_checked() {
    let dir = tree();
    let mut changes = changes(&dir.path().join("root"));
    changes.entries.clear();
    let to = dir.path().join("blob");
    for compression in [Compression::Gzip { level: 10 }, Compression::Zstd { level: 23 }] {
        let error = pack_with(&changes, compression, &to).unwrap_err();
        assert!(matches!(error, LayerError::Level { .. }), "{error}");
    }
    for compression in [Compression::Gzip { level: 0 }, Compression::Zstd { level: -1 }] {
        pack_with(&changes, compression, &to).unwrap();
    }
}

#[test]
fn times_of_the_change_set_are_kept() {
    let dir = tree();
    let mut changes = changes(&dir.path().join("root"));
    let mtime = Time { seconds: 12, nanoseconds: 345_000_000 };
    changes.entries.iter_mut().for_each(|entry| entry.mtime = mtime);
    let to = dir.path().join("blob");
    pack_with(&changes, Compression::None, &to).unwrap();
    let entries = read(&fs::read(&to).unwrap()).unwrap();
    assert!(entries.iter().all(|(entry, _)| entry.mtime == mtime));
}
