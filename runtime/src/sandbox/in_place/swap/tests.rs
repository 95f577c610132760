//! A root is afterwards what it was before, and what a step did is in the stage.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Every path of a tree with its type, mode, time and content.
type Listing = BTreeMap<PathBuf, String>;

fn listing(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(path) = pending.pop() {
        let at = root.join(&path);
        let meta = fs::symlink_metadata(&at).unwrap();
        let content = if meta.is_dir() {
            let opened = RootDir::open(&at).unwrap();
            let directory = opened.open_dir(Path::new("")).unwrap();
            pending.extend(rootdir::names(directory.as_fd()).unwrap().iter().map(|n| path.join(n)));
            String::new()
        } else if meta.is_symlink() {
            fs::read_link(&at).unwrap().display().to_string()
        } else {
            fs::read_to_string(&at).unwrap()
        };
        let line = format!("{:o} {}.{} {content}", meta.mode(), meta.mtime(), meta.mtime_nsec());
        listing.insert(path, line);
    }
    listing
}

/// What stands at one of a few paths, so that two trees often have the same ones.
#[derive(Clone, Debug)]
enum Node {
    Directory(u32),
    File(u8),
    Link(&'static str),
}

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![
        3 => (0o700_u32..=0o777).prop_map(Node::Directory),
        2 => any::<u8>().prop_map(Node::File),
        1 => prop_oneof![Just("a"), Just("../b"), Just("/c"), Just("nowhere")].prop_map(Node::Link),
    ]
}

fn path() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c")], 1..4)
        .prop_map(|names| names.iter().collect())
}

fn tree() -> impl Strategy<Value = BTreeMap<PathBuf, Node>> {
    prop::collection::btree_map(path(), node(), 0..12)
}

fn make_tree(nodes: &BTreeMap<PathBuf, Node>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, node) in nodes {
        put(directory.path(), path, node);
    }
    directory
}

/// As far as there is a place for it.
fn put(root: &Path, path: &Path, node: &Node) {
    let at = root.join(path);
    // Never through a link, out of the tree.
    let through = path.ancestors().skip(1).any(|above| root.join(above).is_symlink());
    if through {
        return;
    }
    match node {
        Node::Directory(mode) => {
            if fs::create_dir_all(&at).is_ok() && !at.is_symlink() {
                fs::set_permissions(&at, fs::Permissions::from_mode(*mode)).unwrap();
            }
        }
        Node::File(content) => {
            if !at.is_symlink() {
                fs::write(&at, [b'a' + content % 26]).ok();
            }
        }
        Node::Link(target) => {
            symlink(target, &at).ok();
        }
    }
}

fn open(directory: &TempDir) -> RootDir {
    RootDir::open(directory.path()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// In and out is as if nothing had been, whatever both have.
    #[test]
    fn in_and_out_is_nothing(theirs in tree(), owns in tree(), closed in path()) {
        let (stage, root) = (make_tree(&theirs), make_tree(&owns));
        let before = (listing(stage.path()), listing(root.path()));
        let own = Own::of(&open(&root), &[closed].into()).unwrap();
        own.swap_in(&open(&stage), &open(&root)).unwrap();
        own.swap_out(&open(&stage), &open(&root)).unwrap();
        prop_assert_eq!((listing(stage.path()), listing(root.path())), before);
    }

    /// What is done meanwhile ends up in the stage, and the root is what it was, however often it
    /// is moved out.
    #[test]
    fn what_is_done_is_the_stages(theirs in tree(), owns in tree(), done in tree()) {
        let (stage, root) = (make_tree(&theirs), make_tree(&owns));
        let before = listing(root.path());
        let own = Own::of(&open(&root), &BTreeSet::new()).unwrap();
        own.swap_in(&open(&stage), &open(&root)).unwrap();
        let own_leaves: Vec<PathBuf> = own.leaves().map(Path::to_owned).collect();
        for (path, node) in &done {
            // What is the root's own, the step may well change; it stays changed.
            if !own_leaves.iter().any(|leaf| path.starts_with(leaf) || leaf.starts_with(path)) {
                put(root.path(), path, node);
            }
        }
        let seen = listing(root.path());
        own.swap_out(&open(&stage), &open(&root)).unwrap();
        own.swap_out(&open(&stage), &open(&root)).unwrap();
        prop_assert_eq!(listing(root.path()), before);
        let left = listing(stage.path());
        // Where the image has something else than the root has a directory, what the step put in
        // there goes where the image's link leads, or nowhere.
        let elsewhere = |path: &Path| {
            path.ancestors().skip(1).any(|above| {
                own.0.contains_key(above) && directory(&open(&stage), above).unwrap().is_none()
            })
        };
        let anywhere = own.directories().any(|(path, _)| stage.path().join(path).is_symlink());
        for (path, line) in &seen {
            let owned = own.0.contains_key(path) || own_leaves.iter().any(|l| path.starts_with(l));
            if !owned && !anywhere && !elsewhere(path) {
                prop_assert_eq!(left.get(path), Some(line), "{:?} is lost", path);
            }
        }
    }
}

#[test]
fn what_was_interrupted_is_finished() {
    let theirs: BTreeMap<PathBuf, Node> =
        ["x", "a/y", "b"].iter().map(|path| (path.into(), Node::File(1))).collect();
    let stage = tempfile::tempdir().unwrap();
    fs::create_dir(stage.path().join("a")).unwrap();
    for (path, node) in &theirs {
        put(stage.path(), path, node);
    }
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("a")).unwrap();
    let before = (listing(stage.path()), listing(root.path()));
    let own = Own::of(&open(&root), &BTreeSet::new()).unwrap();
    // As if killed after the first of several.
    fs::rename(stage.path().join("x"), root.path().join("x")).unwrap();
    own.swap_out(&open(&stage), &open(&root)).unwrap();
    let after = (listing(stage.path()), listing(root.path()));
    assert_eq!(after.1, before.1);
    assert_eq!(after.0.keys().collect::<Vec<_>>(), before.0.keys().collect::<Vec<_>>());
}

#[test]
fn a_removed_directory_of_the_root_is_made_again_and_is_deleted_in_the_stage() {
    let (stage, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for directory in [&stage, &root] {
        fs::create_dir_all(directory.path().join("workspace/empty")).unwrap();
    }
    let before = listing(root.path());
    let own = Own::of(&open(&root), &BTreeSet::new()).unwrap();
    own.swap_in(&open(&stage), &open(&root)).unwrap();
    fs::remove_dir_all(root.path().join("workspace")).unwrap();
    fs::write(root.path().join("workspace"), "a file").unwrap();
    own.swap_out(&open(&stage), &open(&root)).unwrap();
    assert_eq!(fs::read_to_string(stage.path().join("workspace")).unwrap(), "a file");
    let names = |listing: Listing| listing.into_keys().collect::<Vec<_>>();
    assert_eq!(names(listing(root.path())), names(before));
}
