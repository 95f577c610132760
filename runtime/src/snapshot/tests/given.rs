//! Roots that are given away: changes are found alike, and the root is made again only if it must.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::table::CASES;
use super::*;

/// Gives away a copy of a base. Counts how often it is made again.
fn give(
    snapshotter: &dyn Snapshotter,
    bench: &Bench,
    base: &Path,
    again: &Arc<AtomicUsize>,
) -> Snapshot {
    let given = bench.path().join("given");
    fs::create_dir(&given).unwrap();
    copy::copy_root(
        &RootDir::open(base).unwrap(),
        &RootDir::open(&given).unwrap(),
        &CancellationToken::new(),
    )
    .unwrap();
    let (base, again) = (base.to_owned(), Arc::clone(again));
    let again = Box::new(move || {
        again.fetch_add(1, Ordering::Relaxed);
        Ok(base.clone())
    });
    snapshotter.adopt(&given, again).unwrap()
}

#[test]
fn the_same_changes_are_found_in_what_was_given_away() {
    let bench = Bench::new();
    let base = bench.base();
    let again = Arc::default();
    for case in CASES {
        let parent = |snapshotter: &dyn Snapshotter| give(snapshotter, &bench, &base, &again);
        let found = alike(&bench, case.name, parent, ParentUse::Last, case.act);
        assert_eq!(found, case.expected, "{}", case.name);
    }
    assert!(again.load(Ordering::Relaxed) > 5, "some changes can only be judged by what was there");
}

/// What nearly every step does, and what is done for a step in a chroot.
#[test]
fn nothing_is_made_again_for_what_is_usual() {
    let bench = Bench::new();
    let base = bench.base();
    let again = Arc::default();
    let parent = give(&bench.tree, &bench, &base, &again);
    let aside = bench.path().join("aside");
    let active = bench.tree.begin(&parent, ParentUse::Last).unwrap();
    active.note(Path::new("/dirlink/one")).unwrap();
    active.note(Path::new("/none")).unwrap();
    let root = path_of(active.root());
    for name in ["d/one", "closed"] {
        fs::rename(root.join(name), &aside).unwrap();
        fs::write(root.join(name), "meanwhile").unwrap();
        fs::remove_file(root.join(name)).unwrap();
        fs::rename(&aside, root.join(name)).unwrap();
    }
    for directory in ["d", "e"] {
        fs::write(root.join(directory).join("gone"), "").unwrap();
        fs::remove_file(root.join(directory).join("gone")).unwrap();
        metadata::set_mtime(CWD.as_fd(), root.join(directory).as_os_str(), LONG_AGO).unwrap();
    }
    fs::write(root.join("f"), "changed").unwrap();
    fs::remove_file(root.join("g")).unwrap();
    let (snapshot, changes) = active.commit().unwrap();
    assert_eq!(lines(&changes), ["file f", "- g"]);
    let (_, changes) = step(&bench.tree, &snapshot, ParentUse::Shared, |root| {
        drop(fs::File::options().append(true).open(root.join("f")).unwrap());
        fs::write(root.join("d/new"), "new").unwrap();
    });
    assert_eq!(lines(&changes), ["dir d", "file d/new"]);
    assert_eq!(again.load(Ordering::Relaxed), 0);
}

#[test]
fn a_root_that_cannot_be_made_again_is_an_error() {
    let bench = Bench::new();
    let given = bench.path().join("given");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("f"), "content").unwrap();
    let parent = bench.tree.adopt(&given, Box::new(|| Err("gone".into()))).unwrap();
    let active = bench.tree.begin(&parent, ParentUse::Last).unwrap();
    fs::hard_link(path_of(active.root()).join("f"), path_of(active.root()).join("g")).unwrap();
    let error = active.commit().err().unwrap();
    assert_eq!(chain(&error), "cannot make the base image's root again: gone");
}
