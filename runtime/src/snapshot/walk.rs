//! Walking the directories of a root in parallel.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rustix::fd::BorrowedFd;
use rustix::fs::Stat;
use tokio_util::sync::CancellationToken;

use crate::cancel::{self, Cancelled};
use crate::layer::entry::Entry;
use crate::layer::metadata::{entry_at, is_absent};
use crate::rootdir::{is_missing, stat_at};

/// Visits directories level by level, those of one level in parallel. A visit returns what it
/// found and the directories to visit next. Nothing more is visited once `cancel` is triggered.
///
/// Levels instead of recursion: neither the stack nor the number of open descriptors grows with
/// the depth of the tree.
pub(super) fn by_level<Node, Found, Error>(
    cancel: &CancellationToken,
    start: Node,
    visit: impl Fn(Node) -> Result<(Found, Vec<Node>), Error> + Sync,
) -> Result<Vec<Found>, Error>
where
    Node: Send,
    Found: Send,
    Error: Send + From<Cancelled>,
{
    let visit = |node| {
        cancel::check(cancel)?;
        visit(node)
    };
    let mut all = Vec::new();
    let mut level = vec![start];
    while !level.is_empty() {
        let visited = level.into_par_iter().map(&visit).collect::<Result<Vec<_>, _>>()?;
        level = Vec::new();
        for (found, next) in visited {
            all.push(found);
            level.extend(next);
        }
    }
    Ok(all)
}

/// The entry at a name of a directory, and its `stat`. None if nothing is there that counts.
pub(super) fn present_at(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    path: PathBuf,
) -> io::Result<Option<(Entry, Stat)>> {
    let stat = match stat_at(dir, name) {
        Ok(stat) if is_absent(&stat) => return Ok(None),
        Ok(stat) => stat,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(entry_at(dir, name, path)?.map(|entry| (entry, stat)))
}
