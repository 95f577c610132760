//! Files of the parent that have several names: overlayfs copies each name up by itself, and what
//! was one file is several.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::AsFd as _;
use rustix::fs::FileType;
use tokio_util::sync::CancellationToken;

use super::Found;
use crate::layer::entry::{Entry, Kind};
use crate::rootdir::{RootDir, names, stat_at};
use crate::snapshot::changes::{Candidate, Inode, same_content, same_metadata};
use crate::snapshot::walk::{by_level, present_at};
use crate::snapshot::{SnapshotError, cannot_inside};

/// A candidate at whose path the parent has a file with several names.
pub(super) struct Linked {
    pub path: PathBuf,
    /// The parent's.
    pub inode: Inode,
    /// How many names it has.
    pub links: u64,
}

/// Makes one file again of the names that are one in the parent, where all that are left are
/// alike: nothing in an upper directory tells what was copied up from what. Where they differ, the
/// step wrote through one name, and the others stay as they were.
///
/// Names that the upper directory does not have join as they are in the parent. Returns whether
/// there are such names.
pub(super) fn rejoin(
    upper: &RootDir,
    parent: &RootDir,
    found: &mut Found,
    cancel: &CancellationToken,
) -> Result<bool, SnapshotError> {
    let files = Files::new(found);
    if files.0.is_empty() {
        return Ok(false);
    }
    let untouched = files.untouched_names(parent, found, cancel)?;
    let mut joined: BTreeMap<Inode, Inode> = BTreeMap::new();
    for (inode, file) in &files.0 {
        let others = untouched.get(inode).map_or(0, Vec::len);
        let alone = file.names.len() + others < 2;
        if alone || !file.is_alike(upper, &found.candidates, others > 0, cancel)? {
            continue;
        }
        let own = file.names.iter().filter_map(|index| found.candidates[*index].inode);
        let own: Vec<Inode> = own.collect();
        let whole = own.iter().find_map(|own| joined.get(own)).copied().unwrap_or(*inode);
        for own in own {
            joined.entry(own).or_insert(whole);
        }
        for index in &file.names {
            found.candidates[*index].inode = Some(whole);
        }
        joined.insert(*inode, whole);
    }
    for candidate in &mut found.candidates {
        if let Some(whole) = candidate.inode.and_then(|inode| joined.get(&inode)) {
            candidate.inode = Some(*whole);
        }
    }
    let more =
        untouched.into_iter().filter_map(|(inode, entries)| Some((joined.get(&inode)?, entries)));
    let before = found.candidates.len();
    for (whole, entries) in more {
        let unchanged = |entry| Candidate { entry, inode: Some(*whole), changed: false };
        found.candidates.extend(entries.into_iter().map(unchanged));
    }
    Ok(found.candidates.len() > before)
}

/// The parent's files with several names that end up in the change set, by inode.
struct Files(BTreeMap<Inode, File>);

struct File {
    /// How many names the parent has.
    links: u64,
    /// Those of them that are candidates, as indices.
    names: Vec<usize>,
}

impl Files {
    fn new(found: &mut Found) -> Self {
        let linked = std::mem::take(&mut found.linked);
        if linked.is_empty() {
            return Self(BTreeMap::new());
        }
        let candidates = &found.candidates;
        let changed = candidates.iter().filter(|candidate| candidate.changed);
        let changed: BTreeSet<Inode> = changed.filter_map(|candidate| candidate.inode).collect();
        let places: BTreeMap<&Path, usize> = candidates
            .iter()
            .enumerate()
            .map(|(index, candidate)| (candidate.entry.path.as_path(), index))
            .collect();
        let mut files: BTreeMap<Inode, File> = BTreeMap::new();
        for Linked { path, inode, links } in linked {
            let names = &mut files.entry(inode).or_insert(File { links, names: Vec::new() }).names;
            names.extend(places.get(path.as_path()));
        }
        files.retain(|_, file| {
            file.names.iter().map(|index| &candidates[*index]).any(|candidate| {
                candidate.changed || candidate.inode.is_some_and(|inode| changed.contains(&inode))
            })
        });
        Self(files)
    }

    /// The names that the step left as they are in the parent: looked for all over it, as a file
    /// does not know its names.
    fn untouched_names(
        &self,
        parent: &RootDir,
        found: &Found,
        cancel: &CancellationToken,
    ) -> Result<BTreeMap<Inode, Vec<Entry>>, SnapshotError> {
        let partly = self.0.iter().filter(|(_, file)| file.links > file.names.len() as u64);
        let partly: BTreeSet<Inode> = partly.map(|(inode, _)| *inode).collect();
        let mut untouched: BTreeMap<Inode, Vec<Entry>> = BTreeMap::new();
        if partly.is_empty() {
            return Ok(untouched);
        }
        let gone: BTreeSet<&Path> = found.deleted.iter().map(PathBuf::as_path).collect();
        let there: BTreeMap<&Path, bool> = found
            .candidates
            .iter()
            .map(|Candidate { entry, .. }| (entry.path.as_path(), entry.kind == Kind::Directory))
            .collect();
        for (inode, entry) in names_of(parent, &partly, cancel)? {
            let mut above = entry.path.ancestors().skip(1);
            let stays = !there.contains_key(entry.path.as_path())
                && !gone.contains(entry.path.as_path())
                && !above.any(|at| gone.contains(at) || there.get(at) == Some(&false));
            if stays {
                untouched.entry(inode).or_default().push(entry);
            }
        }
        Ok(untouched)
    }
}

impl File {
    /// Whether all names are alike; `untouched` says whether there are more, which are as in the
    /// parent.
    fn is_alike(
        &self,
        upper: &RootDir,
        candidates: &[Candidate],
        untouched: bool,
        cancel: &CancellationToken,
    ) -> Result<bool, SnapshotError> {
        let mut names = self.names.iter().map(|index| &candidates[*index]);
        if untouched {
            return Ok(names.all(|name| !name.changed));
        }
        let Some(first) = names.next() else { return Ok(true) };
        for other in names {
            let one = first.inode.is_some() && first.inode == other.inode;
            if one || !(first.changed || other.changed) {
                continue;
            }
            if !same_metadata(&first.entry, &other.entry)
                || !content_is_same(upper, &first.entry.path, &other.entry.path, cancel)
                    .map_err(cannot_inside("read", &other.entry.path))?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn content_is_same(
    root: &RootDir,
    a: &Path,
    b: &Path,
    cancel: &CancellationToken,
) -> io::Result<bool> {
    let ((a, a_name), (b, b_name)) = (root.parent(a)?, root.parent(b)?);
    same_content((a.as_fd(), &a_name), (b.as_fd(), &b_name), cancel)
}

/// All names of some files.
fn names_of(
    root: &RootDir,
    inodes: &BTreeSet<Inode>,
    cancel: &CancellationToken,
) -> Result<Vec<Name>, SnapshotError> {
    let found = by_level(cancel, PathBuf::new(), |path| {
        names_in(root, &path, inodes).map_err(cannot_inside("read", &path))
    })?;
    Ok(found.into_iter().flatten().collect())
}

type Name = (Inode, Entry);

fn names_in(
    root: &RootDir,
    path: &Path,
    inodes: &BTreeSet<Inode>,
) -> io::Result<(Vec<Name>, Vec<PathBuf>)> {
    let dir = root.open_dir(path)?;
    let (mut found, mut subdirectories) = (Vec::new(), Vec::new());
    for name in names(dir.as_fd())? {
        let stat = stat_at(dir.as_fd(), &name)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let inode = (stat.st_dev, stat.st_ino);
        if kind == FileType::Directory {
            subdirectories.push(path.join(&name));
        } else if kind == FileType::RegularFile && inodes.contains(&inode) {
            let entry = present_at(dir.as_fd(), &name, path.join(&name))?;
            found.extend(entry.map(|(entry, _)| (inode, entry)));
        }
    }
    Ok((found, subdirectories))
}
