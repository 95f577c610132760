//! What counts as a change: the rules that every snapshotter shares.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags, Stat};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::layer::entry::{Entry, Kind, Time};

/// Identifies a file that has several names: device and inode number.
pub(super) type Inode = (u64, u64);

/// A path of the new root that may have changed.
pub(super) struct Candidate {
    /// What is there now; every regular file is a [`Kind::File`].
    pub entry: Entry,
    /// Only of regular files with more than one name.
    pub inode: Option<Inode>,
    /// Whether it is new or differs from what the parent has there.
    pub changed: bool,
}

/// The inode of a file with several names.
pub(super) fn shared_inode(entry: &Entry, stat: &Stat) -> Option<Inode> {
    let shared = matches!(entry.kind, Kind::File { .. }) && stat.st_nlink > 1;
    shared.then_some((stat.st_dev, stat.st_ino))
}

/// Makes the entries of a change set: drops what did not change, unless it is another name of
/// what did, and finds which names are hard links.
pub(super) fn assemble(candidates: Vec<Candidate>, deleted: Vec<PathBuf>) -> Vec<Entry> {
    let changed_inodes: BTreeSet<Inode> = candidates
        .iter()
        .filter(|candidate| candidate.changed)
        .filter_map(|candidate| candidate.inode)
        .collect();
    let mut kept: Vec<(Entry, Option<Inode>)> = candidates
        .into_iter()
        .filter(|candidate| {
            candidate.changed
                || candidate.inode.is_some_and(|inode| changed_inodes.contains(&inode))
        })
        .map(|candidate| (candidate.entry, candidate.inode))
        .chain(deleted.into_iter().map(|path| (whiteout(path), None)))
        .collect();
    kept.sort_unstable_by(|(a, _), (b, _)| bytes(&a.path).cmp(bytes(&b.path)));
    let mut first_names: BTreeMap<Inode, PathBuf> = BTreeMap::new();
    kept.into_iter()
        .map(|(mut entry, inode)| {
            if let Some(inode) = inode {
                match first_names.get(&inode) {
                    Some(first) => entry.kind = Kind::Hardlink { target: first.clone() },
                    None => drop(first_names.insert(inode, entry.path.clone())),
                }
            }
            entry
        })
        .collect()
}

/// Whether two entries are alike in all but their path, and their files' content.
pub(super) fn same_metadata(a: &Entry, b: &Entry) -> bool {
    a.mtime == b.mtime && same_but_time(a, b)
}

/// Whether the roots of two file systems count as alike: every step that makes something in them
/// changes their time.
pub(super) fn same_but_time(a: &Entry, b: &Entry) -> bool {
    a.kind == b.kind && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.xattrs == b.xattrs
}

/// Whether two files hold the same bytes.
pub(super) fn same_content(
    a: (BorrowedFd<'_>, &OsStr),
    b: (BorrowedFd<'_>, &OsStr),
    cancel: &CancellationToken,
) -> io::Result<bool> {
    let mut files = (open_file(a.0, a.1)?, open_file(b.0, b.1)?);
    let mut blocks = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        cancel::check(cancel)?;
        let first = fill(&mut files.0, &mut blocks.0)?;
        let second = fill(&mut files.1, &mut blocks.1)?;
        if blocks.0[..first] != blocks.1[..second] {
            return Ok(false);
        }
        if first < BLOCK {
            return Ok(true);
        }
    }
}

/// Opens a regular file for reading.
pub(super) fn open_file(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?.into())
}

/// Reads a file to its end.
pub(super) fn each_block(
    file: &mut File,
    cancel: &CancellationToken,
    mut use_block: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        cancel::check(cancel)?;
        let length = fill(file, &mut block)?;
        use_block(&block[..length]);
        if length < BLOCK {
            return Ok(());
        }
    }
}

const BLOCK: usize = 64 * 1024;

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn whiteout(path: PathBuf) -> Entry {
    Entry {
        path,
        kind: Kind::Whiteout,
        mode: 0,
        uid: 0,
        gid: 0,
        mtime: Time::default(),
        xattrs: BTreeMap::new(),
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
