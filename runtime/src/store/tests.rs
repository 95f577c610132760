//! What the store promises.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use sha2::Digest as _;

use super::*;

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

fn names(path: &Path) -> Vec<String> {
    let names = crate::rootdir::names(File::open(path).unwrap().as_fd()).unwrap();
    names.into_iter().map(|name| name.into_string().unwrap()).collect()
}

fn temporary_files(store: &Store) -> Vec<String> {
    names(&store.0.own.join("blobs"))
}

#[test]
fn a_blob_is_visible_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let digest = digest_of(b"hello");
    let mut writer = store.writer(digest, 5).unwrap();
    writer.write_all(b"hel").unwrap();
    assert_eq!(store.blob(&digest, 5), None);
    writer.write_all(b"lo").unwrap();
    assert_eq!(store.blob(&digest, 5), None);
    let path = writer.finish().unwrap();
    assert_eq!(store.blob(&digest, 5), Some(path.clone()));
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    assert_eq!(temporary_files(&store), [""; 0]);

    std::fs::write(&path, "hell").unwrap();
    assert_eq!(store.blob(&digest, 5), None, "it was cut off");
    store.forget(&digest).unwrap();
    store.forget(&digest).unwrap();
    assert!(!path.exists());
}

#[test]
fn wrong_bytes_are_refused_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let digest = digest_of(b"hello");

    let mut writer = store.writer(digest, 5).unwrap();
    writer.write_all(b"jello").unwrap();
    let error = writer.finish().unwrap_err();
    assert!(matches!(error, StoreError::Digest { expected, got }
        if expected == digest && got == digest_of(b"jello")));

    let mut writer = store.writer(digest, 5).unwrap();
    writer.write_all(b"hell").unwrap();
    let error = writer.finish().unwrap_err();
    assert!(matches!(error, StoreError::Size { expected: 5, got: 4, .. }), "{error}");

    let mut writer = store.writer(digest, 5).unwrap();
    writer.write_all(b"hello").unwrap();
    let error = writer.write_all(b"!").unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<StoreError>().unwrap();
    assert!(matches!(error, StoreError::Size { expected: 5, got: 6, .. }), "{error}");
    drop(writer);

    assert_eq!(store.blob(&digest, 5), None);
    assert_eq!(temporary_files(&store), [""; 0]);
}

#[test]
fn many_writers_of_one_blob_agree() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [Store::open(dir.path()).unwrap(), Store::open(dir.path()).unwrap()];
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = digest_of(&bytes);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (store, bytes) = (&stores[number % 2], &bytes);
            scope.spawn(move || {
                let mut writer = store.writer(digest, bytes.len() as u64).unwrap();
                for chunk in bytes.chunks(70_001) {
                    writer.write_all(chunk).unwrap();
                }
                writer.finish().unwrap();
            });
        }
    });
    for store in &stores {
        assert_eq!(std::fs::read(store.blob(&digest, bytes.len() as u64).unwrap()).unwrap(), bytes);
        assert_eq!(temporary_files(store), [""; 0]);
    }
}

#[test]
fn the_last_handle_removes_the_builds_own_part() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let digest = digest_of(b"x");
    let mut writer = store.writer(digest, 1).unwrap();
    let scratch = store.scratch().to_owned();
    std::fs::write(scratch.join("secret"), "s").unwrap();
    drop(store);
    assert!(scratch.join("secret").exists(), "the writer is a handle, too");
    writer.write_all(b"x").unwrap();
    let blob = writer.finish().unwrap();
    assert_eq!(names(&dir.path().join("work")), [""; 0]);
    assert!(blob.is_file());
}

#[test]
fn what_a_build_works_on_is_its_users_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for path in [dir.path().join("work"), store.0.own.clone(), store.scratch().to_owned()] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{path:?}");
    }
}

#[test]
fn dead_builds_are_swept_and_living_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let living = Store::open(dir.path()).unwrap();
    let work = dir.path().join("work");
    // One was killed, and one was killed before it made its lock.
    std::fs::create_dir_all(work.join("1-0/blobs")).unwrap();
    std::fs::write(work.join("1-0/lock"), "").unwrap();
    std::fs::write(work.join("1-0/blobs/0"), "half").unwrap();
    std::fs::create_dir_all(work.join("1-1/scratch/deep")).unwrap();
    let second = Store::open(dir.path()).unwrap();
    let expected: Vec<_> = [&living, &second]
        .map(|store| store.0.own.file_name().unwrap().to_str().unwrap().to_owned())
        .into();
    assert_eq!(names(&work), expected);
    assert_eq!(names(&second.0.own), ["blobs", "lock", "scratch"]);
}

#[test]
fn the_first_root_of_a_chain_id_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let chain_id = digest_of(b"chain");
    assert!(!store.has_root(&chain_id));
    for content in ["first", "second"] {
        let unpacked = store.scratch().join(content);
        std::fs::create_dir(&unpacked).unwrap();
        std::fs::write(unpacked.join("file"), content).unwrap();
        let root = store.publish_root(&chain_id, &unpacked).unwrap();
        assert_eq!(root, store.root(&chain_id));
        assert!(store.has_root(&chain_id));
        assert_eq!(std::fs::read_to_string(root.join("file")).unwrap(), "first");
        assert!(!unpacked.exists());
    }
}

#[test]
fn a_tree_without_permissions_and_with_names_that_clash_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    for path in ["0/0/0", "1/0/1/2", "2", "a/b/0", "a/b/1/x"] {
        std::fs::create_dir_all(tree.join(path)).unwrap();
        std::fs::write(tree.join(path).join("file"), "").unwrap();
    }
    let outside = dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "").unwrap();
    std::os::unix::fs::symlink(&outside, tree.join("a/link")).unwrap();
    for path in ["a/b/1", "a/b", "a", "0/0", ""] {
        let none = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(tree.join(path), none).unwrap();
    }
    crate::remove::tree(&tree).unwrap();
    assert!(!tree.exists());
    assert!(outside.join("file").exists());
    crate::remove::tree(&tree).unwrap();
    crate::remove::tree(&outside.join("file")).unwrap();
    assert!(!outside.join("file").exists());
}

#[test]
fn a_tree_deeper_than_a_path_may_be_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let mode = rustix::fs::Mode::RWXU;
    let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
    let mut at = rustix::fs::open(&tree, flags, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..5000 {
        rustix::fs::mkdirat(&at, "d", mode).unwrap();
        at = rustix::fs::openat(&at, "d", flags, rustix::fs::Mode::empty()).unwrap();
    }
    crate::remove::tree(&tree).unwrap();
    assert!(!tree.exists());
}

#[test]
fn a_store_under_other_ids_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    drop(Store::open(dir.path()).unwrap());
    for name in ["root-daemon", "daemon-root"] {
        let mark = dir.path().join("ids").join(name);
        let made = std::fs::metadata(&mark).unwrap();
        std::os::unix::fs::chown(&mark, Some(65_534), None).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert_eq!(names(&dir.path().join("work")), [""; 0], "the refused build left nothing");
        std::os::unix::fs::chown(&mark, Some(made.uid()), Some(made.gid())).unwrap();
        drop(Store::open(dir.path()).unwrap());
    }
}
