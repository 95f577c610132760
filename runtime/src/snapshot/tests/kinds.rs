//! Every kind of thing becomes every other.

use std::os::unix::net::UnixListener;

use super::table::node;
use super::*;

const KINDS: [&str; 10] =
    ["nothing", "file", "other", "empty", "full", "link", "pipe", "char", "block", "socket"];

/// Makes something of a kind at a path, dated as the rest of a base.
fn make(kind: &str, path: &Path) {
    match kind {
        "nothing" => return,
        "file" | "other" => fs::write(path, kind.repeat(3)).unwrap(),
        "empty" => fs::create_dir(path).unwrap(),
        "full" => {
            fs::create_dir(path).unwrap();
            fs::write(path.join("in"), "in").unwrap();
            metadata::set_mtime(CWD.as_fd(), path.join("in").as_os_str(), LONG_AGO).unwrap();
        }
        "link" => symlink("somewhere", path).unwrap(),
        "pipe" => node(path.to_owned(), FileType::Fifo, (0, 0)),
        "char" => node(path.to_owned(), FileType::CharacterDevice, (1, 3)),
        "block" => node(path.to_owned(), FileType::BlockDevice, (7, 1)),
        "socket" => drop(UnixListener::bind(path).unwrap()),
        other => panic!("no kind is called {other}"),
    }
    metadata::set_mtime(CWD.as_fd(), path.as_os_str(), LONG_AGO).unwrap();
}

fn remove(kind: &str, path: &Path) {
    match kind {
        "nothing" => {}
        // No snapshot keeps one.
        "socket" => drop(fs::remove_file(path)),
        "empty" | "full" => fs::remove_dir_all(path).unwrap(),
        _ => fs::remove_file(path).unwrap(),
    }
}

/// What a layer has at a path for the change.
fn expected(from: &str, to: &str, path: &str) -> Vec<String> {
    let absent = |kind| matches!(kind, "nothing" | "socket");
    if from == to || (absent(from) && absent(to)) {
        return Vec::new();
    }
    let (inner, deleted) = (format!("file {path}/in"), format!("- {path}/in"));
    let lines: &[String] = match (from, to) {
        ("empty", "full") => &[inner],
        ("full", "empty") => &[deleted],
        (_, to) if absent(to) => &[format!("- {path}")],
        (_, "file" | "other") => &[format!("file {path}")],
        (_, "empty") => &[format!("dir {path}")],
        (_, "full") => &[format!("dir {path}"), inner],
        (_, "link") => &[format!("symlink {path} -> somewhere")],
        (_, "pipe") => &[format!("fifo {path}")],
        _ => &[format!("device {path}")],
    };
    lines.to_vec()
}

#[test]
fn every_kind_becomes_every_other() {
    let bench = Bench::new();
    let base = bench.path().join("base");
    fs::create_dir(&base).unwrap();
    let pairs = KINDS.iter().flat_map(|from| KINDS.iter().map(move |to| (*from, *to)));
    let pairs: Vec<_> = pairs.map(|(from, to)| (from, to, format!("{from}-{to}"))).collect();
    for (from, _, name) in &pairs {
        make(from, &base.join(name));
    }
    let mut all: Vec<String> =
        pairs.iter().flat_map(|(from, to, name)| expected(from, to, name)).collect();
    // The order is that of the paths, which comes behind the first word.
    let path = |line: &String| line.split(' ').nth(1).map(str::to_owned);
    all.sort_by_key(path);
    let parent = |snapshotter: &dyn Snapshotter| snapshotter.base(&base).unwrap();
    let found = alike(&bench, "all kinds", parent, ParentUse::Last, |root| {
        for (from, to, name) in &pairs {
            remove(from, &root.join(name));
            make(to, &root.join(name));
        }
    });
    assert_eq!(found, all);
}
