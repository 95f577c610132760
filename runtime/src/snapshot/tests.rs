//! Tests that hold for every snapshotter, and that all find the same changes.
//!
//! They mount overlays, and so need root with `CAP_SYS_ADMIN` and a temporary directory that is
//! not on an overlay itself.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fd::AsFd as _;
use rustix::fs::{CWD, FileType, Mode, XattrFlags};
use tempfile::TempDir;

use super::walk::present_at;
use super::*;
use crate::layer::entry::{Kind, Time};
use crate::layer::metadata;
use crate::layer::{Bounds, Coming, Compression, Decompression, UnpackLimits};
use crate::rootdir::names;

mod given;
mod kinds;
mod laws;
mod links;
mod names;
mod readers;
mod table;

/// When everything in a base was changed last.
pub(super) const LONG_AGO: Time = Time { seconds: 1_000_000_000, nanoseconds: 123_456_789 };
/// What a time during the test is shown as.
const NOW: Time = Time { seconds: i64::MAX, nanoseconds: 0 };

/// A temporary directory with room for bases and both snapshotters.
pub(super) struct Bench {
    dir: TempDir,
    pub overlay: Overlay,
    pub tree: Tree,
    /// Of both.
    cancel: CancellationToken,
}

impl Bench {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scratch = dir.path().join("overlay");
        if let Err(error) = overlay::probe(&scratch) {
            panic!(
                "these tests need overlays in {} (root with CAP_SYS_ADMIN, and a file system \
                 that is no overlay): {}",
                scratch.display(),
                chain(&error)
            );
        }
        let cancel = CancellationToken::new();
        let overlay = Overlay::new(&scratch, cancel.clone()).unwrap();
        let tree = Tree::new(&dir.path().join("tree"), cancel.clone()).unwrap();
        Self { dir, overlay, tree, cancel }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A store directory with something of everything.
    pub(super) fn base(&self) -> PathBuf {
        let base = self.dir.path().join("base");
        fs::create_dir(&base).unwrap();
        make_base(&base);
        base
    }

    pub(super) fn snapshotters(&self) -> [&dyn Snapshotter; 2] {
        [&self.overlay, &self.tree]
    }
}

fn make_base(base: &Path) {
    fs::set_permissions(base, fs::Permissions::from_mode(0o755)).unwrap();
    for dir in ["d", "d/sub", "d/sub/deep", "e", "closed"] {
        fs::create_dir(base.join(dir)).unwrap();
    }
    for file in ["f", "g", "d/one", "d/two", "d/sub/three", "d/sub/deep/four", "e/five", "h"] {
        fs::write(base.join(file), format!("content of {file}\n")).unwrap();
    }
    fs::File::create(base.join("e/hole")).unwrap().set_len(1 << 20).unwrap();
    symlink("f", base.join("l")).unwrap();
    symlink("d", base.join("dirlink")).unwrap();
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(CWD, base.join("fifo"), mode).unwrap();
    let device = rustix::fs::makedev(1, 3);
    rustix::fs::mknodat(CWD, base.join("null"), FileType::CharacterDevice, mode, device).unwrap();
    rustix::fs::setxattr(base.join("g"), "user.a", b"1", XattrFlags::empty()).unwrap();
    fs::set_permissions(base.join("h"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(base.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    age(base);
}

/// Sets the time of everything in a directory to [`LONG_AGO`].
pub(super) fn age(dir: &Path) {
    let root = RootDir::open(dir).unwrap();
    for name in names(root.open_dir(Path::new("")).unwrap().as_fd()).unwrap() {
        let path = dir.join(&name);
        if path.symlink_metadata().unwrap().is_dir() {
            age(&path);
        }
        metadata::set_mtime(root.fd(), &name, LONG_AGO).unwrap();
    }
    metadata::set_mtime(root.fd(), OsStr::new("."), LONG_AGO).unwrap();
}

/// A path of the process' own that leads to a root.
pub(super) fn path_of(root: &RootDir) -> PathBuf {
    format!("/proc/self/fd/{}", root.fd().as_raw_fd()).into()
}

/// As [`path_of`], for other processes: what one of this process' paths is for them.
pub(super) fn path_for_others(path: &Path) -> PathBuf {
    let own = path.strip_prefix("/proc/self").unwrap();
    Path::new("/proc").join(std::process::id().to_string()).join(own)
}

/// Makes a step of what `act` does, and returns its change set with times during the test as
/// [`NOW`].
pub(super) fn step(
    snapshotter: &dyn Snapshotter,
    parent: &Snapshot,
    parent_use: ParentUse,
    act: impl FnOnce(&Path),
) -> (Snapshot, ChangeSet) {
    let active = snapshotter.begin(parent, parent_use).unwrap();
    let_the_clock_tick();
    act(&path_of(active.root()));
    let (snapshot, mut changes) = active.commit().unwrap();
    changes.entries.iter_mut().for_each(hide_now);
    (snapshot, changes)
}

/// Makes the same step with both snapshotters, and sees to it that they find the same and that it
/// becomes the same bytes. Returns the entries as lines.
pub(super) fn alike(
    bench: &Bench,
    name: &str,
    parent: impl Fn(&dyn Snapshotter) -> Snapshot,
    parent_use: ParentUse,
    act: impl Fn(&Path),
) -> Vec<String> {
    let [overlay, tree] = bench.snapshotters().map(|snapshotter| {
        let (_snapshot, changes) = step(snapshotter, &parent(snapshotter), parent_use, &act);
        let archive = packed(bench, &changes);
        (lines(&changes), changes.entries, archive)
    });
    assert_eq!(overlay.0, tree.0, "overlay and tree: {name}");
    assert_eq!(overlay.1, tree.1, "overlay and tree: {name}");
    assert!(overlay.2 == tree.2, "overlay and tree have other bytes: {name}");
    overlay.0
}

/// A change set's archive.
pub(super) fn packed(bench: &Bench, changes: &ChangeSet) -> Vec<u8> {
    let (to, cancel) = (bench.path().join("layer"), crate::CancellationToken::new());
    crate::layer::pack(changes, Compression::None, &to, &cancel, &|_| ()).unwrap();
    fs::read(to).unwrap()
}

/// Waits until what changes gets another time than what changed before: what a step changes
/// within a tick of the file system's clock may be as it was, and so be no change.
fn let_the_clock_tick() {
    let file = tempfile::tempfile().unwrap();
    let write = || {
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        let metadata = file.metadata().unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = write();
    while write() == before {}
}

fn hide_now(entry: &mut Entry) {
    if entry.mtime.seconds > LONG_AGO.seconds * 3 / 2 {
        entry.mtime = NOW;
    }
}

/// An entry as a short line.
pub(super) fn line(entry: &Entry) -> String {
    let path = entry.path.display();
    match &entry.kind {
        Kind::File { .. } => format!("file {path}"),
        Kind::Hardlink { target } => format!("link {path} = {}", target.display()),
        Kind::Directory => format!("dir {path}"),
        Kind::Symlink { target } => format!("symlink {path} -> {}", target.display()),
        Kind::CharDevice { .. } | Kind::BlockDevice { .. } => format!("device {path}"),
        Kind::Fifo => format!("fifo {path}"),
        Kind::Whiteout => format!("- {path}"),
    }
}

pub(super) fn lines(changes: &ChangeSet) -> Vec<String> {
    changes.entries.iter().map(line).collect()
}

/// As [`exact`], with times during the test as [`NOW`].
pub(super) fn manifest(root: &RootDir) -> BTreeMap<PathBuf, (Entry, Vec<u8>)> {
    let mut manifest = exact(root);
    for (entry, _) in manifest.values_mut() {
        hide_now(entry);
    }
    manifest
}

/// Everything in a root: entries (with hard links), and files' content.
pub(super) fn exact(root: &RootDir) -> BTreeMap<PathBuf, (Entry, Vec<u8>)> {
    let mut manifest = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    let mut first_names: BTreeMap<(u64, u64), PathBuf> = BTreeMap::new();
    while let Some(dir) = pending.pop() {
        let fd = root.open_dir(&dir).unwrap();
        for name in names(fd.as_fd()).unwrap() {
            let path = dir.join(&name);
            let Some((mut entry, stat)) = present_at(fd.as_fd(), &name, path.clone()).unwrap()
            else {
                continue;
            };
            let mut content = Vec::new();
            if let Kind::File { .. } = entry.kind {
                let mut file = root.open_file(&path).unwrap();
                std::io::Read::read_to_end(&mut file, &mut content).unwrap();
                let first = first_names.entry((stat.st_dev, stat.st_ino)).or_insert(path.clone());
                if *first != path {
                    entry.kind = Kind::Hardlink { target: first.clone() };
                }
            }
            if entry.kind == Kind::Directory {
                pending.push(path.clone());
            }
            manifest.insert(path, (entry, content));
        }
    }
    manifest
}

/// Unpacks a layer as it is done for a base image.
pub(super) fn unpack(directory: &Path, layer: &[u8]) {
    let (limits, cancel) = (UnpackLimits::default(), CancellationToken::new());
    let blob = Decompression::start(std::io::Cursor::new(layer.to_vec()), limits).unwrap();
    let bounds = Bounds { limits, cancel: &cancel };
    crate::layer::unpack(Coming::Now(blob), &RootDir::open(directory).unwrap(), bounds).unwrap();
}

fn is_empty(scratch: &Path) -> bool {
    let left = fs::File::open(scratch).unwrap();
    names(left.as_fd()).unwrap().iter().all(|name| name == "clock")
}

/// What every snapshotter promises.
pub(super) fn contract(snapshotter: &dyn Snapshotter, base: &Path, scratch: &Path) {
    let pristine = manifest(&RootDir::open(base).unwrap());
    let parent = snapshotter.base(base).unwrap();
    let view = snapshotter.view(&parent).unwrap();
    assert_eq!(manifest(view.root()), pristine, "a base shows its directory");

    // Several roots at once, on one parent.
    let first = snapshotter.begin(&parent, ParentUse::Shared).unwrap();
    let second = snapshotter.begin(&parent, ParentUse::Shared).unwrap();
    assert_eq!(manifest(first.root()), pristine);
    fs::write(path_of(first.root()).join("f"), "first").unwrap();
    fs::remove_dir_all(path_of(first.root()).join("d")).unwrap();
    assert_eq!(manifest(second.root()), pristine, "roots are apart");
    fs::write(path_of(second.root()).join("f"), "second").unwrap();
    let (first, changes) = first.commit().unwrap();
    assert_eq!(lines(&changes), ["- d", "file f"]);
    assert_eq!(fs::read(path_of(&changes.content).join("f")).unwrap(), b"first");
    drop(second);
    assert_eq!(manifest(view.root()), pristine, "the parent is not changed");
    drop((view, parent));

    // A snapshot lives as long as someone holds it or builds on it.
    let view = snapshotter.view(&first).unwrap();
    let third = snapshotter.begin(&first, ParentUse::Shared).unwrap();
    let handle = first.clone();
    drop(first);
    assert_eq!(fs::read(path_of(view.root()).join("f")).unwrap(), b"first");
    drop((view, handle));
    fs::create_dir(path_of(third.root()).join("d")).unwrap();
    metadata::set_mtime(third.root().fd(), OsStr::new("d"), LONG_AGO).unwrap();
    let (third, changes) = third.commit().unwrap();
    assert_eq!(lines(&changes), ["dir d"]);
    let (fourth, changes) = step(snapshotter, &third, ParentUse::Last, |root| {
        assert_eq!(fs::read(root.join("f")).unwrap(), b"first");
        fs::write(root.join("d/new"), "new").unwrap();
    });
    drop(third);
    assert_eq!(lines(&changes), ["dir d", "file d/new"]);
    let view = snapshotter.view(&fourth).unwrap();
    assert_eq!(fs::read(path_of(view.root()).join("d/new")).unwrap(), b"new");
    assert!(!path_of(view.root()).join("d/one").exists());
    drop((view, fourth, changes));
    assert!(is_empty(scratch), "everything is removed with the last handle");
    assert_eq!(manifest(&RootDir::open(base).unwrap()), pristine, "the store is not changed");

    // From nothing.
    let empty = snapshotter.scratch().unwrap();
    let root = snapshotter.begin(&empty, ParentUse::Shared).unwrap();
    assert_eq!(path_of(root.root()).metadata().unwrap().mode() & 0o7777, 0o755);
    fs::write(path_of(root.root()).join("f"), "content").unwrap();
    let (_, changes) = root.commit().unwrap();
    assert_eq!(lines(&changes), ["file f"]);
    let (_, changes) = step(snapshotter, &empty, ParentUse::Last, |_| {});
    assert_eq!(lines(&changes), [""; 0]);
}

#[test]
fn both_keep_the_contract() {
    let bench = Bench::new();
    let base = bench.base();
    for snapshotter in bench.snapshotters() {
        let scratch = bench.path().join(snapshotter.name());
        contract(snapshotter, &base, &scratch);
    }
}

#[test]
fn a_mount_can_be_moved_into_another_namespace() {
    let bench = Bench::new();
    let base = bench.base();
    for snapshotter in bench.snapshotters() {
        let parent = snapshotter.base(&base).unwrap();
        let active = snapshotter.begin(&parent, ParentUse::Last).unwrap();
        let mount = active.mount().unwrap().expect("mounting works here");
        let point = bench.path().join(format!("point-{}", snapshotter.name()));
        fs::create_dir(&point).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                move_into_own_namespace(&mount, &point);
                fs::write(point.join("f"), "written through the mount").unwrap();
            });
        });
        drop(mount);
        assert!(!point.join("f").exists(), "it is in the other namespace only");
        let written = fs::read(path_of(active.root()).join("f")).unwrap();
        assert_eq!(written, b"written through the mount");
        let (_, changes) = active.commit().unwrap();
        assert_eq!(lines(&changes), ["file f"]);
    }
}

fn move_into_own_namespace(mount: &OwnedFd, point: &Path) {
    use rustix::mount::{MountPropagationFlags, MoveMountFlags, mount_change, move_mount};
    use rustix::thread::UnshareFlags;
    #[expect(unsafe_code, reason = "unshare")]
    // SAFETY: neither flag touches the descriptors, which are what other threads rely on.
    unsafe {
        rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS).unwrap();
    }
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
    move_mount(mount, "", CWD, point, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).unwrap();
}

#[test]
fn a_tree_that_was_handed_over_is_not_read_any_more() {
    let bench = Bench::new();
    let parent = bench.tree.scratch().unwrap();
    let _active = bench.tree.begin(&parent, ParentUse::Last).unwrap();
    let error = bench.tree.begin(&parent, ParentUse::Shared).err().unwrap();
    assert!(matches!(error, SnapshotError::HandedOver { .. }), "{error}");
    assert!(bench.tree.view(&parent).is_err());
}

#[test]
fn a_snapshot_of_another_snapshotter_is_refused() {
    let bench = Bench::new();
    let [overlay, tree] = bench.snapshotters().map(|each| each.scratch().unwrap());
    let error = bench.overlay.begin(&tree, ParentUse::Shared).err().unwrap();
    assert_eq!(error.to_string(), "cannot use a root of another snapshotter as overlay");
    assert!(bench.tree.view(&overlay).is_err());
}

/// A file that takes hours to read stands for whatever takes long.
#[test]
fn what_takes_long_ends_when_the_build_is_stopped() {
    for index in 0..2 {
        let bench = Bench::new();
        let snapshotter = bench.snapshotters()[index];
        let begin = |parent: &Snapshot| snapshotter.begin(parent, ParentUse::Last).unwrap();
        let first = begin(&snapshotter.scratch().unwrap());
        let file = path_of(first.root()).join("huge");
        fs::File::create(&file).unwrap().set_len(1 << 43).unwrap();
        let (parent, _) = first.commit().unwrap();
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let active = snapshotter.begin(&parent, ParentUse::Shared)?;
                // It is as before in everything but its content, which only reading it tells.
                let file = path_of(active.root()).join("huge");
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
                active.commit().map(drop)
            });
            bench.cancel.cancel();
            let ended = work.join().unwrap();
            assert!(matches!(ended, Err(SnapshotError::Cancelled)), "{ended:?}");
        });
    }
}

#[test]
fn choosing_says_why_overlays_fell_out() {
    let dir = tempfile::tempdir().unwrap();
    let (chosen, passed_over) =
        choose(Choice::Auto, &dir.path().join("a"), &CancellationToken::new()).unwrap();
    assert_eq!((chosen.name(), passed_over.len()), ("overlay", 0));
    let (chosen, passed_over) =
        choose(Choice::Tree, &dir.path().join("b"), &CancellationToken::new()).unwrap();
    assert_eq!((chosen.name(), passed_over.len()), ("tree", 0));
    // No file system in /proc takes an upper directory, or any other.
    assert!(choose(Choice::Overlay, Path::new("/proc/none"), &CancellationToken::new()).is_err());
}

#[test]
fn a_tree_keeps_the_links_into_a_renamed_directory() {
    let bench = Bench::new();
    let base = bench.base();
    fs::hard_link(base.join("d/one"), base.join("e/also")).unwrap();
    let parent = bench.tree.base(&base).unwrap();
    let (_, changes) = step(&bench.tree, &parent, ParentUse::Last, |root| {
        fs::rename(root.join("d"), root.join("moved")).unwrap();
        fs::remove_dir_all(root.join("moved/sub")).unwrap();
    });
    let expected = ["- d", "file e/also", "dir moved", "link moved/one = e/also", "file moved/two"];
    assert_eq!(lines(&changes), expected);
}

#[test]
fn a_copy_keeps_links_and_holes() {
    let bench = Bench::new();
    let base = bench.base();
    fs::hard_link(base.join("d/one"), base.join("e/also")).unwrap();
    let hole = fs::File::options().write(true).open(base.join("e/hole")).unwrap();
    hole.write_at(b"data between holes", 500_000).unwrap();
    age(&base);
    let copied = bench.path().join("copied");
    fs::create_dir(&copied).unwrap();
    let (source, target) = (RootDir::open(&base).unwrap(), RootDir::open(&copied).unwrap());
    copy::copy_root(&source, &target, &CancellationToken::new()).unwrap();
    assert_eq!(manifest(&target), manifest(&source));
    let blocks = |dir: &Path| dir.join("e/hole").metadata().unwrap().blocks();
    assert_eq!(blocks(&copied), blocks(&base));
    assert!(blocks(&base) < 1024);
}

#[test]
fn removal_copes_with_modes_and_depth() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("top");
    let mut deepest = top.clone();
    for _ in 0..300 {
        deepest.push("d");
    }
    fs::create_dir_all(&deepest).unwrap();
    fs::write(deepest.join("file"), "").unwrap();
    symlink(dir.path(), top.join("link")).unwrap();
    fs::create_dir_all(top.join("closed/inner")).unwrap();
    fs::set_permissions(top.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    crate::remove::tree(&top).unwrap();
    assert!(!top.exists() && dir.path().exists());
}
