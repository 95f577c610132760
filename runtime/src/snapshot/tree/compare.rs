//! Finding what changed in a directory since its baseline.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rustix::fd::AsFd as _;

use super::records::{Baseline, Directories, Listing, Memory, Record, find, root_entry, scan};
use crate::layer::entry::{Entry, Kind};
use crate::rootdir::RootDir;
use crate::snapshot::changes::{Candidate, Inode, assemble, same_but_time, same_metadata};
use crate::snapshot::scratch::Scratch;
use crate::snapshot::walk::present_at;
use crate::snapshot::{SnapshotError, cannot_inside};

/// What changed since `before`, and the baseline for the next step.
pub(super) fn changes(
    root: &RootDir,
    before: &Baseline,
    scratch: &Scratch,
) -> Result<(Baseline, Vec<Entry>), SnapshotError> {
    let after = scan(root, &before.directories, scratch.cancel())?;
    let differences = differences(&before.directories, &after);
    let mut deleted = Vec::new();
    let mut suspects = Vec::new();
    for difference in differences {
        deleted.extend(difference.deleted);
        suspects.push((difference.path, difference.names));
    }
    let doubtful = suspects.iter().flat_map(|(path, names)| {
        let doubtful = names.iter().filter(|(_, now, then)| is_doubtful(now, then.as_ref()));
        doubtful.map(move |(name, ..)| path.join(name))
    });
    let memory = before.memory(doubtful, scratch.cancel())?;
    let judged: Vec<Vec<Candidate>> = suspects
        .into_par_iter()
        .map(|(path, names)| {
            judge(root, &memory, &path, names).map_err(cannot_inside("find what changed in", &path))
        })
        .collect::<Result<_, _>>()?;
    let mut candidates: Vec<Candidate> = judged.into_iter().flatten().collect();
    add_other_names(root, &after, &mut candidates)?;
    let entry = root_entry(root)?;
    if !same_but_time(&entry, &before.root) {
        candidates.push(Candidate { entry, inode: None, changed: true });
    }
    let changed = candidates.iter().filter(|candidate| candidate.changed);
    let changed: Vec<Entry> = changed.map(|candidate| candidate.entry.clone()).collect();
    let baseline = before.after(after, root, &changed, scratch)?;
    Ok((baseline, assemble(candidates, deleted)))
}

/// How a directory's names differ.
struct Difference {
    path: PathBuf,
    /// New, or not as they were (then with what was there).
    names: Vec<(OsString, Record, Option<Record>)>,
    deleted: Vec<PathBuf>,
}

/// Compares the directories that there are now with what was at their paths. A directory that is
/// gone is not looked into: its own name is a difference of the directory it was in.
fn differences(before: &Directories, after: &Directories) -> Vec<Difference> {
    let empty = Arc::new(Listing::new());
    let mut differences = Vec::new();
    for (path, now) in after {
        let then = before.get(path).unwrap_or(&empty);
        if Arc::ptr_eq(then, now) {
            continue;
        }
        let names = now
            .iter()
            .map(|(name, record)| (name, record, find(then, name)))
            .filter(|(_, record, then)| *then != Some(*record))
            .map(|(name, record, then)| (name.clone(), *record, then.copied()))
            .collect();
        let deleted = then
            .iter()
            .filter(|(name, _)| find(now, name).is_none())
            .map(|(name, _)| path.join(name))
            .collect();
        differences.push(Difference { path: path.clone(), names, deleted });
    }
    differences
}

/// Whether records do not tell if something changed in a way that counts.
fn is_doubtful(now: &Record, then: Option<&Record>) -> bool {
    then.is_some_and(|then| !now.must_differ(then))
}

/// Finds out which of the names of a directory changed in a way that counts.
fn judge(
    root: &RootDir,
    before: &Memory<'_>,
    path: &Path,
    names: Vec<(OsString, Record, Option<Record>)>,
) -> io::Result<Vec<Candidate>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let dir = root.open_dir(path)?;
    let mut candidates = Vec::new();
    for (name, now, then) in names {
        let path = path.join(&name);
        before.check()?;
        let Some((entry, _)) = present_at(dir.as_fd(), &name, path)? else { continue };
        let changed = !is_doubtful(&now, then.as_ref()) || !is_as_before(root, before, &entry)?;
        candidates.push(Candidate { entry, inode: now.shared_inode(), changed });
    }
    Ok(candidates)
}

fn is_as_before(root: &RootDir, before: &Memory<'_>, entry: &Entry) -> io::Result<bool> {
    let Some(old) = before.entry(&entry.path)? else { return Ok(false) };
    if !same_metadata(entry, &old) {
        return Ok(false);
    }
    match entry.kind {
        Kind::File { .. } => before.same_content(root, &entry.path),
        Kind::Hardlink { .. }
        | Kind::Directory
        | Kind::Symlink { .. }
        | Kind::CharDevice { .. }
        | Kind::BlockDevice { .. }
        | Kind::Fifo
        | Kind::Whiteout => Ok(true),
    }
}

/// Adds the names of changed files that show no difference themselves. There are some only when a
/// directory was renamed: the files in it are new, but nothing touched their inodes.
fn add_other_names(
    root: &RootDir,
    directories: &Directories,
    candidates: &mut Vec<Candidate>,
) -> Result<(), SnapshotError> {
    let changed = candidates.iter().filter(|candidate| candidate.changed);
    let inodes: BTreeSet<Inode> = changed.filter_map(|candidate| candidate.inode).collect();
    if inodes.is_empty() {
        return Ok(());
    }
    let found: BTreeSet<PathBuf> = candidates
        .iter()
        .filter(|candidate| candidate.inode.is_some())
        .map(|candidate| candidate.entry.path.clone())
        .collect();
    for (path, listing) in directories {
        for (name, record) in listing.iter() {
            let inode = record.shared_inode().filter(|inode| inodes.contains(inode));
            if inode.is_none() {
                continue;
            }
            let path = path.join(name);
            if found.contains(&path) {
                continue;
            }
            let read = || {
                let (dir, name) = root.parent(&path)?;
                present_at(dir.as_fd(), &name, path.clone())
            };
            let entry = read().map_err(cannot_inside("read", &path))?;
            let unchanged = |(entry, _)| Candidate { entry, inode, changed: false };
            candidates.extend(entry.map(unchanged));
        }
    }
    Ok(())
}
