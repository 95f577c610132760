//! Everything that a file system says about a tree, one line a path: seen from inside, by commands
//! of a build, and from outside.
#![expect(clippy::disallowed_methods, reason = "the lines are sorted")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::layout::hex;

/// A command that writes down the tree it runs in, with nothing but busybox. It leaves nothing
/// behind. May stand behind `RUN`.
pub const LISTING: &str = r#"all() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /etc/hosts -o -path /etc/resolv.conf -o -path /etc/hostname \) -prune -o "$@" -print0; }; \
    all | xargs -0 stat -c 'STAT|%f|%u|%g|%Y|%y|%s|%h|%t|%T|%n' && \
    all -type f | xargs -0 sha256sum | sed 's/^/HASH|/; s/  /|/' && \
    all -type l | xargs -0 -n 1 sh -c 'echo "LINK|$(readlink "$0")|$0"'
"#;

/// What kaniko, as any builder, puts into the tree of a running command.
const NOT_OF_THE_IMAGE: [&str; 6] =
    ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname"];

/// One line for each path, by the path.
pub type Tree = BTreeMap<String, String>;

/// Reads what [`LISTING`] wrote.
pub fn listed<'a>(lines: impl Iterator<Item = &'a str>) -> Tree {
    let mut tree = Tree::new();
    for line in lines {
        let fields: Vec<&str> = line.split('|').collect();
        match fields[..] {
            ["STAT", mode, uid, gid, seconds, time, size, links, major, minor, path] => {
                let mode = u32::from_str_radix(mode, 16).expect("stat writes it so");
                let fraction = &time.split_once('.').expect("stat writes it so").1[..9];
                let device = [major, minor]
                    .map(|part| u32::from_str_radix(part, 16).expect("stat writes it so"));
                let stat = Stat {
                    mode,
                    owner: (uid, gid),
                    time: (seconds, fraction),
                    size,
                    links,
                    device: (device[0], device[1]),
                };
                tree.insert(path.to_owned(), stat.line(path));
            }
            ["HASH" | "LINK", text, path] => {
                let known = tree.get_mut(path).expect("every path has its first line before");
                known.extend([" ", text]);
            }
            _ => {}
        }
    }
    assert!(!tree.is_empty(), "the listing was not written");
    tree
}

/// Reads a directory.
pub fn of(root: &Path) -> Tree {
    let mut tree = Tree::new();
    walk(root, "/", &mut tree);
    tree
}

/// Names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it is a directory");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("tests use UTF-8");
    let mut names: Vec<String> = entries.flatten().map(name).collect();
    names.sort();
    names
}

/// Fails, with the lines in question, unless two trees are the same.
#[track_caller]
pub fn assert_same(left: &Tree, right: &Tree) {
    let only = |a: &Tree, b: &Tree| -> Vec<String> {
        a.iter()
            .filter(|(path, line)| b.get(*path) != Some(*line))
            .map(|(_, l)| l.clone())
            .collect()
    };
    let (left, right) = (only(left, right), only(right, left));
    assert!(left.is_empty() && right.is_empty(), "left: {left:#?}\nright: {right:#?}");
}

struct Stat<'a> {
    mode: u32,
    owner: (&'a str, &'a str),
    time: (&'a str, &'a str),
    size: &'a str,
    links: &'a str,
    device: (u32, u32),
}

impl Stat<'_> {
    fn line(&self, path: &str) -> String {
        let directory = self.mode & 0o170_000 == 0o040_000;
        let device = matches!(self.mode & 0o170_000, 0o020_000 | 0o060_000);
        // Size and links of a directory are the file system's own business. The times of what a
        // mount point was made in are the builder's.
        let (size, links) = if directory { ("-", "-") } else { (self.size, self.links) };
        let time = match path {
            "/" | "/etc" => "-".to_owned(),
            _ => format!("{}.{}", self.time.0, self.time.1),
        };
        let device = if device { self.device } else { (0, 0) };
        let (uid, gid) = self.owner;
        format!("{path} {:o} {uid}:{gid} {time} {size} {links} {device:?}", self.mode)
    }
}

fn walk(at: &Path, name: &str, tree: &mut Tree) {
    if NOT_OF_THE_IMAGE.contains(&name) {
        return;
    }
    let known = fs::symlink_metadata(at).expect("nobody changes the tree");
    let text = [u64::from(known.uid()), known.gid().into(), known.size(), known.nlink()]
        .map(|number| number.to_string());
    let time = (known.mtime().to_string(), format!("{:09}", known.mtime_nsec()));
    let device = known.rdev();
    let stat = Stat {
        mode: known.mode(),
        owner: (&text[0], &text[1]),
        time: (&time.0, &time.1),
        size: &text[2],
        links: &text[3],
        device: (rustix::fs::major(device), rustix::fs::minor(device)),
    };
    let mut line = stat.line(name);
    if known.is_file() {
        let content = fs::read(at).expect("nobody changes the tree");
        line.extend([" ", &hex(&content)]);
    } else if known.is_symlink() {
        let target = fs::read_link(at).expect("nobody changes the tree");
        line.extend([" ", &target.display().to_string()]);
    }
    tree.insert(name.to_owned(), line);
    if known.is_dir() {
        for entry in fs::read_dir(at).expect("nobody changes the tree") {
            let entry = entry.expect("nobody changes the tree");
            let parent = name.strip_suffix('/').unwrap_or(name);
            let file_name = entry.file_name();
            let child = format!("{parent}/{}", file_name.to_str().expect("tests use UTF-8"));
            walk(&entry.path(), &child, tree);
        }
    }
}
