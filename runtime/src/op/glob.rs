//! Sources of a copy that hold wildcards: Go's `filepath.Match`, name by name.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::context::source::{Lookup, Tree};
use ir::pattern::{DoubleStar, PatternError, Wildcard, is_pattern, unescape};

/// What the path of a source selects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// One path, which must exist.
    Plain(PathBuf),
    /// What a wildcard found, sorted by name within each directory.
    Matches {
        /// The directory before the first wildcard.
        base: PathBuf,
        /// Relative to the tree's root.
        paths: Vec<PathBuf>,
    },
}

/// Why wildcards could not be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GlobError {
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Expands a path of a tree, cleaned against the tree's root.
///
/// Links before the first wildcard are followed; behind it, as in BuildKit, only the last name of a
/// match may be one. Hidden files match nothing.
pub(crate) fn expand(
    tree: &Tree,
    path: &str,
    cancel: &CancellationToken,
) -> Result<Selected, GlobError> {
    let names = clean_names(path);
    let Some(first) = names.iter().position(|name| is_pattern(name)) else {
        return Ok(Selected::Plain(plain(tree, &names)?));
    };
    let base = plain(tree, &names[..first])?;
    let search = Search { tree, cancel };
    let mut paths = vec![base.clone()];
    for (index, name) in names.iter().enumerate().skip(first) {
        let wildcard = Wildcard::parse(name, DoubleStar::Stars)?;
        let last = index + 1 == names.len();
        let mut matches = Vec::new();
        for directory in &paths {
            search.collect(directory, &wildcard, last, &mut matches)?;
        }
        paths = matches;
    }
    Ok(Selected::Matches { base, paths })
}

/// Where names are looked for.
struct Search<'a> {
    tree: &'a Tree,
    cancel: &'a CancellationToken,
}

impl Search<'_> {
    /// Adds the names in a directory that match; if they are not the `last` ones of the pattern, only
    /// directories.
    fn collect(
        &self,
        directory: &Path,
        wildcard: &Wildcard,
        last: bool,
        matches: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        match self.tree.look_up(directory, self.cancel)? {
            Lookup::Found(found) if found.is_directory() => {}
            Lookup::Found(_) | Lookup::Missing | Lookup::Ignored => return Ok(()),
        }
        for name in self.tree.names(directory)? {
            cancel::check(self.cancel)?;
            if !wildcard.matches(name.as_bytes()) {
                continue;
            }
            let path = directory.join(name);
            let keep = match self.tree.look_up(&path, self.cancel)? {
                Lookup::Found(_) if last => true,
                Lookup::Found(_) => {
                    self.tree.root().lstat(&path)?.is_some_and(|stat| is_directory(&stat))
                }
                // A dangling link matches, so that the copy can say what is wrong with it.
                Lookup::Missing => last && self.tree.shows(&path),
                Lookup::Ignored => false,
            };
            if keep {
                matches.push(path);
            }
        }
        Ok(())
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Joins names without wildcards. A `\` in one is itself if such a file exists, else it escapes
/// what follows.
fn plain(tree: &Tree, names: &[&str]) -> io::Result<PathBuf> {
    let mut path = PathBuf::new();
    for name in names {
        if name.contains('\\') && tree.root().lstat(&path.join(name))?.is_none() {
            path.push(unescape(name));
        } else {
            path.push(name);
        }
    }
    Ok(path)
}

/// The names of a path that cannot leave its root.
fn clean_names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names
}

#[cfg(test)]
mod tests;
