//! Laws for any sequence of operations: all snapshotters find the same changes, and these applied
//! to the base give the new root.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
pub(super) enum Op {
    Write(usize, u8),
    Append(usize),
    Mkdir(usize),
    Remove(usize),
    Empty(usize),
    Rename(usize, usize),
    Symlink(usize, usize),
    Link(usize, usize),
    Chmod(usize, u32),
    Chown(usize, u32),
    Xattr(usize, u8),
    RemoveXattr(usize),
    Age(usize),
    Copy(usize, usize),
    Fifo(usize),
    Hole(usize),
    Device(usize, u32),
    Exchange(usize, usize),
}

const PATHS: [&str; 17] = [
    "f",
    "g",
    "d",
    "d/one",
    "d/two",
    "d/sub",
    "d/sub/three",
    "d/sub/deep",
    "d/sub/deep/four",
    "e",
    "e/five",
    "l",
    "x",
    "x/y",
    "h",
    "d/\n \u{e9}*",
    "x/a name that is too long for the field of a header, and that no reader of an archive may cut, \
     whatever it thinks of it; with more than 155 bytes",
];

pub(super) fn op() -> impl Strategy<Value = Op> {
    let path = || 0..PATHS.len();
    prop_oneof![
        (path(), 0..3u8).prop_map(|(path, byte)| Op::Write(path, byte)),
        path().prop_map(Op::Append),
        path().prop_map(Op::Mkdir),
        path().prop_map(Op::Remove),
        path().prop_map(Op::Empty),
        (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
        (path(), path()).prop_map(|(path, to)| Op::Symlink(path, to)),
        (path(), path()).prop_map(|(from, to)| Op::Link(from, to)),
        (path(), prop::sample::select(vec![0o600, 0o755, 0o4755, 0]))
            .prop_map(|(path, mode)| Op::Chmod(path, mode)),
        (path(), 0..2u32).prop_map(|(path, id)| Op::Chown(path, id)),
        (path(), 0..2u8).prop_map(|(path, value)| Op::Xattr(path, value)),
        path().prop_map(Op::RemoveXattr),
        path().prop_map(Op::Age),
        (path(), path()).prop_map(|(from, to)| Op::Copy(from, to)),
        path().prop_map(Op::Fifo),
        path().prop_map(Op::Hole),
        (path(), 1..9u32).prop_map(|(path, minor)| Op::Device(path, minor)),
        (path(), path()).prop_map(|(one, other)| Op::Exchange(one, other)),
    ]
}

/// Does an operation, which may fail; returns whether it did it. `links` says whether hard links
/// are made: in a parent, the kernel's difference would show.
pub(super) fn perform(root: &Path, op: &Op, links: bool) -> bool {
    let at = |path: &usize| root.join(PATHS[*path]);
    // Opening a fifo would wait for someone on its other end.
    let is_file = |path: &usize| at(path).metadata().is_ok_and(|it| it.is_file());
    let is_missing = |path: &usize| at(path).symlink_metadata().is_err();
    let is_dir = |path: &usize| at(path).symlink_metadata().is_ok_and(|it| it.is_dir());
    match op {
        Op::Write(path, byte) => {
            (is_file(path) || is_missing(path)) && fs::write(at(path), [*byte; 3]).is_ok()
        }
        Op::Append(path) => {
            is_file(path)
                && fs::File::options()
                    .append(true)
                    .open(at(path))
                    .and_then(|mut file| file.write_all(b"+"))
                    .is_ok()
        }
        Op::Mkdir(path) => fs::create_dir(at(path)).is_ok(),
        Op::Remove(path) if is_dir(path) => fs::remove_dir_all(at(path)).is_ok(),
        Op::Remove(path) => fs::remove_file(at(path)).is_ok(),
        Op::Empty(path) => {
            is_dir(path) && fs::remove_dir_all(at(path)).is_ok() && fs::create_dir(at(path)).is_ok()
        }
        // Directories of a parent are not renamed in an overlay.
        Op::Rename(from, to) => !is_dir(from) && fs::rename(at(from), at(to)).is_ok(),
        Op::Symlink(path, to) => symlink(PATHS[*to], at(path)).is_ok(),
        Op::Link(from, to) => links && fs::hard_link(at(from), at(to)).is_ok(),
        Op::Chmod(path, mode) => {
            fs::set_permissions(at(path), fs::Permissions::from_mode(*mode)).is_ok()
        }
        Op::Chown(path, id) => std::os::unix::fs::lchown(at(path), Some(*id), Some(*id)).is_ok(),
        Op::Xattr(path, value) => {
            rustix::fs::setxattr(at(path), "user.a", &[*value], XattrFlags::empty()).is_ok()
        }
        Op::RemoveXattr(path) => rustix::fs::removexattr(at(path), "user.a").is_ok(),
        Op::Age(path) => metadata::set_mtime(CWD.as_fd(), at(path).as_os_str(), LONG_AGO).is_ok(),
        Op::Copy(from, to) => {
            is_file(from)
                && (is_file(to) || is_missing(to))
                && fs::read(at(from)).and_then(|content| fs::write(at(to), content)).is_ok()
        }
        Op::Fifo(path) => rustix::fs::mkfifoat(CWD, at(path), Mode::from_raw_mode(0o644)).is_ok(),
        Op::Hole(path) => {
            let hole = |file: fs::File| {
                file.write_all_at(b"data", 70_000).and_then(|()| file.set_len(200_000))
            };
            is_missing(path) && fs::File::create(at(path)).and_then(hole).is_ok()
        }
        Op::Device(path, minor) => {
            let device = rustix::fs::makedev(1, *minor);
            let mode = Mode::from_raw_mode(0o620);
            rustix::fs::mknodat(CWD, at(path), FileType::CharacterDevice, mode, device).is_ok()
        }
        Op::Exchange(one, other) => {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            !is_dir(one)
                && !is_dir(other)
                && rustix::fs::renameat_with(CWD, at(one), CWD, at(other), flags).is_ok()
        }
    }
}

/// Applies a change set to a plain directory, as whoever unpacks the layer would.
fn apply(target: &Path, changes: &ChangeSet) {
    let root = RootDir::open(target).unwrap();
    let mut times: BTreeMap<PathBuf, Time> = BTreeMap::new();
    for entry in changes.entries.iter().filter(|entry| !entry.path.as_os_str().is_empty()) {
        let parent = entry.path.parent().unwrap();
        let parent_time = metadata::mtime(&root.lstat(parent).unwrap().unwrap());
        times.entry(parent.to_owned()).or_insert(parent_time);
        let path = target.join(&entry.path);
        let stays = entry.kind == Kind::Directory
            && path.symlink_metadata().is_ok_and(|there| there.is_dir());
        if !stays && path.symlink_metadata().is_ok() {
            let removed = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            removed.unwrap();
        }
        match &entry.kind {
            Kind::Whiteout => continue,
            Kind::File { .. } => {
                fs::copy(path_of(&changes.content).join(&entry.path), &path).map(drop).unwrap();
            }
            Kind::Hardlink { target: first } => fs::hard_link(target.join(first), &path).unwrap(),
            Kind::Directory if stays => {}
            Kind::Directory => fs::create_dir(&path).unwrap(),
            Kind::Symlink { target } => symlink(target, &path).unwrap(),
            Kind::Fifo => rustix::fs::mkfifoat(CWD, &path, Mode::RUSR).unwrap(),
            Kind::CharDevice { device: (major, minor) } => {
                let (kind, device) =
                    (FileType::CharacterDevice, rustix::fs::makedev(*major, *minor));
                rustix::fs::mknodat(CWD, &path, kind, Mode::RUSR, device).unwrap();
            }
            Kind::BlockDevice { .. } => unreachable!("no operation"),
        }
        metadata::apply(CWD.as_fd(), path.as_os_str(), entry).unwrap();
        times.insert(entry.path.clone(), entry.mtime);
    }
    for (path, time) in times {
        if root.lstat(&path).unwrap().is_some() {
            metadata::set_mtime(CWD.as_fd(), target.join(path).as_os_str(), time).unwrap();
        }
    }
}

/// One step: what it does, and whether the parent is read afterwards.
type Step = (Vec<Op>, bool);

fn check(bench: &Bench, base: &Path, steps: &[Step]) {
    let applied = tempfile::tempdir_in(bench.path()).unwrap();
    copy::copy_root(
        &RootDir::open(base).unwrap(),
        &RootDir::open(applied.path()).unwrap(),
        &CancellationToken::new(),
    )
    .unwrap();
    let [mut overlay, mut tree] = bench.snapshotters().map(|each| each.base(base).unwrap());
    for (index, (ops, last)) in steps.iter().enumerate() {
        let links = index + 1 == steps.len();
        let parent_use = if *last { ParentUse::Last } else { ParentUse::Shared };
        let run = |snapshotter: &dyn Snapshotter, parent: &Snapshot| {
            let mut done = Vec::new();
            let (snapshot, changes) = step(snapshotter, parent, parent_use, |root| {
                done.extend(ops.iter().map(|op| perform(root, op, links)));
            });
            (snapshot, changes, done)
        };
        let (in_overlay, in_tree) = (run(&bench.overlay, &overlay), run(&bench.tree, &tree));
        assert_eq!(in_overlay.2, in_tree.2, "the operations do the same");
        assert_eq!(in_overlay.1.entries, in_tree.1.entries, "the changes are the same");
        apply(applied.path(), &in_tree.1);
        (overlay, tree) = (in_overlay.0, in_tree.0);
        let applied = manifest(&RootDir::open(applied.path()).unwrap());
        assert_eq!(manifest(bench.tree.view(&tree).unwrap().root()), applied);
        assert_eq!(manifest(bench.overlay.view(&overlay).unwrap().root()), applied);
    }
}

#[test]
fn any_changes_are_found_alike_and_are_all_there_is() {
    let bench = Bench::new();
    let base = bench.base();
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() };
    let steps = prop::collection::vec((prop::collection::vec(op(), 0..12), any::<bool>()), 1..4);
    proptest::test_runner::TestRunner::new(config)
        .run(&steps, |steps| {
            check(&bench, &base, &steps);
            Ok(())
        })
        .unwrap();
}
