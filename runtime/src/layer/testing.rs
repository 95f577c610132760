//! What the tests of layers and snapshots share: other programs, and trees as lists of entries.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rustix::fd::AsFd as _;

use crate::layer::entry::{Entry, Kind, Time};
use crate::layer::metadata::entry_at;
use crate::layer::tar_read::{TarError, TarReader};
use crate::layer::tar_write::TarWriter;
use crate::rootdir::{RootDir, names};
use crate::snapshot::ChangeSet;

/// Runs a program with an input. Returns its output; fails the test if the program fails.
#[expect(clippy::disallowed_methods, reason = "tests compare with other programs")]
pub(crate) fn run(program: &str, arguments: &[&str], at: &Path, input: &[u8]) -> Vec<u8> {
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, &input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    output.stdout
}

/// An entry without anything special.
pub(crate) fn entry(path: &str, kind: Kind) -> Entry {
    let mode = match kind {
        Kind::Directory => 0o755,
        Kind::Symlink { .. } => 0o777,
        Kind::Whiteout => 0,
        Kind::File { .. }
        | Kind::Hardlink { .. }
        | Kind::CharDevice { .. }
        | Kind::BlockDevice { .. }
        | Kind::Fifo => 0o644,
    };
    let mtime = if kind == Kind::Whiteout { Time::default() } else { time(1_000_000_000) };
    let (path, xattrs) = (path.into(), BTreeMap::new());
    Entry { path, kind, mode, uid: 0, gid: 0, mtime, xattrs }
}

pub(crate) fn time(seconds: i64) -> Time {
    Time { seconds, nanoseconds: 0 }
}

pub(crate) fn file(path: &str, content: &str) -> (Entry, Vec<u8>) {
    (entry(path, Kind::File { size: content.len() as u64 }), content.into())
}

pub(crate) fn other(path: &str, kind: Kind) -> (Entry, Vec<u8>) {
    (entry(path, kind), Vec::new())
}

pub(crate) fn symlink(path: &str, target: &str) -> (Entry, Vec<u8>) {
    other(path, Kind::Symlink { target: target.into() })
}

/// An archive of our own writer.
pub(crate) fn archive(entries: &[(Entry, Vec<u8>)]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new());
    for (entry, content) in entries {
        tar.append(entry, &mut &**content).unwrap();
    }
    tar.finish().unwrap()
}

/// What our own reader finds in an archive, holes filled.
pub(crate) fn read(archive: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, TarError> {
    let mut reader = TarReader::new(archive);
    let mut entries = Vec::new();
    let mut buffer = [0; 700];
    while let Some(entry) = reader.next()? {
        let mut content = Vec::new();
        while let Some((offset, count)) = reader.read_content(&mut buffer)? {
            content.resize(usize::try_from(offset).unwrap(), 0);
            content.extend_from_slice(&buffer[..count]);
        }
        if let Kind::File { size } = entry.kind {
            content.resize(usize::try_from(size).unwrap(), 0);
        }
        entries.push((entry, content));
    }
    Ok(entries)
}

/// Everything in a directory, sorted, the root first; links of one file in one group.
pub(crate) fn tree(root: &RootDir) -> Vec<(Entry, Vec<u8>)> {
    let mut found = Vec::new();
    let mut firsts = BTreeMap::new();
    walk(root, Path::new(""), &mut found, &mut firsts);
    found
}

fn walk(
    root: &RootDir,
    path: &Path,
    found: &mut Vec<(Entry, Vec<u8>)>,
    firsts: &mut BTreeMap<u64, PathBuf>,
) {
    let (dir, name) = match root.parent(path) {
        Ok((dir, name)) => (dir, name),
        Err(_) => (root.fd().try_clone_to_owned().unwrap(), ".".into()),
    };
    let mut entry = entry_at(dir.as_fd(), &name, path.to_owned()).unwrap().unwrap();
    let mut content = Vec::new();
    let stat = crate::rootdir::stat_at(dir.as_fd(), &name).unwrap();
    if let Kind::File { .. } = entry.kind {
        if let Some(first) = firsts.get(&stat.st_ino) {
            entry.kind = Kind::Hardlink { target: first.clone() };
        } else {
            firsts.insert(stat.st_ino, path.to_owned());
            std::io::Read::read_to_end(&mut root.open_file(path).unwrap(), &mut content).unwrap();
        }
    }
    let is_directory = entry.kind == Kind::Directory;
    found.push((entry, content));
    if is_directory {
        for name in names(root.open_dir(path).unwrap().as_fd()).unwrap() {
            walk(root, &path.join(name), found, firsts);
        }
    }
}

/// The paths of a tree without its root, with what is in files: `a/b=content`.
pub(crate) fn listing(root: &RootDir) -> Vec<String> {
    tree(root)
        .into_iter()
        .skip(1)
        .map(|(entry, content)| {
            let path = entry.path.display();
            match entry.kind {
                Kind::Directory => format!("{path}/"),
                Kind::Symlink { target } => format!("{path}->{}", target.display()),
                Kind::File { .. }
                | Kind::Hardlink { .. }
                | Kind::CharDevice { .. }
                | Kind::BlockDevice { .. }
                | Kind::Fifo
                | Kind::Whiteout => format!("{path}={}", OsStr::from_bytes(&content).display()),
            }
        })
        .collect()
}

/// A whole tree as a change set.
pub(crate) fn changes(root: &Path) -> ChangeSet {
    let root = RootDir::open(root).unwrap();
    let entries = tree(&root).into_iter().map(|(entry, _)| entry).collect();
    ChangeSet { entries, content: Arc::new(root) }
}
