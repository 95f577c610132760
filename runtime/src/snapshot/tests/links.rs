//! Hard links: made, broken, followed by a change.

use super::*;

/// A base in which `m/a`, `m/b` and `o` are one file.
fn base(bench: &Bench) -> PathBuf {
    let base = bench.base();
    fs::create_dir(base.join("m")).unwrap();
    fs::write(base.join("m/a"), "linked\n").unwrap();
    for name in ["m/b", "o"] {
        fs::hard_link(base.join("m/a"), base.join(name)).unwrap();
    }
    age(&base);
    base
}

struct Case {
    name: &'static str,
    act: fn(&Path),
    expected: &'static [&'static str],
}

fn link(root: &Path, from: &str, to: &str) {
    fs::hard_link(root.join(from), root.join(to)).unwrap();
}

fn chown(root: &Path, names: &[&str]) {
    for name in names {
        std::os::unix::fs::lchown(root.join(name), Some(7), Some(7)).unwrap();
    }
}

const CASES: &[Case] = &[
    Case {
        name: "link",
        act: |r| link(r, "f", "e/linked"),
        expected: &["dir e", "file e/linked", "link f = e/linked"],
    },
    Case {
        name: "link and delete the old name",
        act: |r| {
            link(r, "f", "linked");
            fs::remove_file(r.join("f")).unwrap();
        },
        expected: &["- f", "file linked"],
    },
    Case {
        name: "link and delete the new name",
        act: |r| {
            link(r, "f", "linked");
            fs::remove_file(r.join("linked")).unwrap();
        },
        expected: &[],
    },
    Case {
        name: "new links",
        act: |r| {
            fs::write(r.join("z"), "z").unwrap();
            link(r, "z", "y");
            link(r, "z", "y-");
        },
        expected: &["file y", "link y- = y", "link z = y"],
    },
    Case {
        name: "change every name of a file",
        act: |r| chown(r, &["m/a", "m/b", "o"]),
        expected: &["file m/a", "link m/b = m/a", "link o = m/a"],
    },
    Case {
        name: "change what is left of a file",
        act: |r| {
            fs::remove_file(r.join("m/a")).unwrap();
            chown(r, &["m/b", "o"]);
        },
        expected: &["dir m", "- m/a", "file m/b", "link o = m/b"],
    },
    Case {
        name: "change what a deleted directory leaves of a file",
        act: |r| {
            fs::remove_dir_all(r.join("m")).unwrap();
            chown(r, &["o"]);
        },
        expected: &["- m", "file o"],
    },
    Case {
        name: "change every name there and back",
        act: |r| {
            chown(r, &["m/a", "m/b", "o"]);
            for name in ["m/a", "m/b", "o"] {
                std::os::unix::fs::lchown(r.join(name), Some(0), Some(0)).unwrap();
            }
        },
        expected: &[],
    },
    Case {
        name: "link what has several names",
        act: |r| link(r, "m/b", "new"),
        expected: &["file m/a", "link m/b = m/a", "link new = m/a", "link o = m/a"],
    },
    Case {
        name: "link what has several names, and a new name to it",
        act: |r| {
            link(r, "m/b", "new");
            link(r, "new", "b");
            fs::remove_file(r.join("m/a")).unwrap();
        },
        expected: &["file b", "dir m", "- m/a", "link m/b = b", "link new = b", "link o = b"],
    },
    Case {
        name: "delete a name",
        act: |r| fs::remove_file(r.join("m/b")).unwrap(),
        expected: &["dir m", "- m/b"],
    },
    Case {
        name: "replace a name by a file of its own",
        act: |r| {
            fs::write(r.join("m/new"), "other\n").unwrap();
            fs::rename(r.join("m/new"), r.join("m/b")).unwrap();
        },
        expected: &["dir m", "file m/b"],
    },
    Case {
        name: "replace every name by a file of its own",
        act: |r| {
            for name in ["m/a", "m/b", "o"] {
                fs::remove_file(r.join(name)).unwrap();
                fs::write(r.join(name), name).unwrap();
            }
        },
        expected: &["dir m", "file m/a", "file m/b", "file o"],
    },
    Case {
        name: "link over a name of another file",
        act: |r| {
            fs::remove_file(r.join("o")).unwrap();
            link(r, "f", "o");
        },
        expected: &["file f", "link o = f"],
    },
];

#[test]
fn links_are_found_alike() {
    let bench = Bench::new();
    let base = base(&bench);
    for case in CASES {
        let parent = |snapshotter: &dyn Snapshotter| snapshotter.base(&base).unwrap();
        let found = alike(&bench, case.name, parent, ParentUse::Last, case.act);
        assert_eq!(found, case.expected, "{}", case.name);
    }
}

/// The kernel's difference, which Docker has too: a copy-up breaks links to what is below.
#[test]
fn changing_one_name_of_a_linked_file() {
    let bench = Bench::new();
    let base = base(&bench);
    let [overlay, tree] = bench.snapshotters().map(|snapshotter| {
        let parent = snapshotter.base(&base).unwrap();
        let (_, changes) = step(snapshotter, &parent, ParentUse::Last, |root| {
            fs::write(root.join("o"), "changed").unwrap();
        });
        lines(&changes)
    });
    assert_eq!(overlay, ["file o"]);
    assert_eq!(tree, ["file m/a", "link m/b = m/a", "link o = m/a"]);
}
