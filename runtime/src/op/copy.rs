//! `COPY` and `ADD`: where each source goes. How a tree gets there is [`tree`]'s business.
//!
//! The rules are BuildKit's (tonistiigi/fsutil, `copy`): the content of a directory is copied, not
//! the directory; anything else goes into the destination if that is a directory or ends in `/`,
//! and replaces it otherwise. Links on the way to the destination are followed within the root.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use ir::NodeId;
use ir::op::{CopyOp, CopySource, Mode};
use rustix::fs::FileType;

use crate::cancel;
use crate::context::source::{Found, Lookup, Tree, cleaned};
use crate::layer::entry::Time;
use crate::layer::metadata::mtime;
use crate::layer::{ARCHIVE_HEAD, Bounds, is_archive};
use crate::op::chmod::Change;
use crate::op::directories::Plain;
use crate::op::glob::{GlobError, Selected, expand};
use crate::rootdir::RootDir;
use ir::pattern::Ignore;
use ir::pattern::{DoubleStar, Wildcard, is_pattern};

mod error;
mod item;
mod selection;
mod tree;

pub use error::CopyError;
use item::Look;
use selection::Selection;
use tree::{Copier, InTheWay};

/// What copies and directories are dated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    /// Directories that have to be made on the way.
    pub made: Time,
    /// What is copied; none is as its source. What comes out of an archive is as that says.
    pub copied: Option<Time>,
}

/// Copies an operation's sources into a root.
///
/// What is copied belongs to `--chown`'s owner, else to the source's. Directories that have to be
/// made on the way are 0755 (or what `--chmod` has as a number, but for setuid and its like) and as
/// of `dates.made`. Returns what the file system or the kernel does not take here and was left out, for
/// people to read.
pub(crate) fn copy(
    copy: &CopyOp,
    root: &RootDir,
    source_of: &dyn Fn(NodeId) -> Tree,
    dates: Dates,
    bounds: Bounds<'_>,
) -> Result<Vec<String>, CopyError> {
    let owner = copy.owner.as_deref().map(|spec| crate::users::owner(root, spec)).transpose()?;
    let mode = copy.mode.as_ref().map(Change::new).transpose()?;
    let look = Look { owner, mode, mtime: dates.copied };
    let mut copier = Copier::new(root, look, InTheWay::Refused, bounds);
    let exclude = Ignore::new(&copy.exclude)?;
    let (uid, gid) = owner.unwrap_or_default();
    let mode = match &copy.mode {
        Some(Mode::Octal(mode)) => mode & 0o777,
        Some(Mode::Symbolic(_)) | None => 0o755,
    };
    let mut step = Step {
        copier: &mut copier,
        destination: Destination::new(&copy.destination),
        exclude,
        parents: Plain { mode, uid, gid, mtime: dates.made },
        copied: dates.copied,
        left_out: Vec::new(),
    };
    for source in &copy.sources {
        let tree = source_of(source.from);
        if copy.parents {
            step.copy_with_parents(&tree, source)?;
        } else {
            step.copy_source(&tree, source)?;
        }
    }
    let mut left_out = step.left_out;
    left_out.extend(copier.finish()?);
    Ok(left_out)
}

/// Puts a tree on a root: its files replace what is in their way. Directories that are in both
/// become as those of the tree.
pub(crate) fn merge(tree: &Tree, root: &RootDir, bounds: Bounds<'_>) -> Result<(), CopyError> {
    let look = Look { owner: None, mode: None, mtime: None };
    let mut copier = Copier::new(root, look, InTheWay::Replaced, bounds);
    copier.copy_tree(&Selection {
        tree,
        base: PathBuf::new(),
        target: PathBuf::new(),
        exclude: &Ignore::default(),
        wanted: None,
    })?;
    // The copy that the tree was made by has told what could not be kept.
    copier.finish().map(drop)
}

/// Where the copies go.
struct Destination {
    /// Relative to the root, cleaned; links in it are not followed yet.
    path: PathBuf,
    /// Whether it is a directory by the way it is written.
    is_directory: bool,
}

impl Destination {
    fn new(text: &str) -> Self {
        let last = text.rsplit('/').next().unwrap_or(text);
        Self { path: cleaned(Path::new(text)), is_directory: matches!(last, "" | "." | "..") }
    }
}

/// One operation while it runs.
struct Step<'c, 'a> {
    copier: &'c mut Copier<'a>,
    destination: Destination,
    exclude: Ignore,
    /// What directories look like that are made on the way.
    parents: Plain,
    /// The time that copies get; none is their source's.
    copied: Option<Time>,
    /// What was left out of archives.
    left_out: Vec<String>,
}

impl Step<'_, '_> {
    fn copy_source(&mut self, tree: &Tree, source: &CopySource) -> Result<(), CopyError> {
        let selected = self.select(tree, &source.path)?;
        let (base, paths) = match &selected {
            Selected::Plain(path) => (path.parent().unwrap_or(path), std::slice::from_ref(path)),
            Selected::Matches { base, paths } => (base.as_path(), paths.as_slice()),
        };
        for path in paths {
            let found = self.look_up(tree, path)?;
            let name = path.strip_prefix(base).unwrap_or(path);
            let named = found.is_directory() && matches!(selected, Selected::Plain(_));
            if !named && self.exclude.excluded(name) {
                continue;
            }
            if source.unpack && self.unpack(tree, path)? {
                continue;
            }
            self.destination_directory()?;
            self.copier.next_source();
            if found.is_directory() {
                self.copy_directory(tree, &found, None)?;
            } else {
                let name = path.file_name().map(OsString::from).unwrap_or_default();
                self.copy_file(tree, &found, name)?;
            }
        }
        Ok(())
    }

    /// `--parents`: the names behind the pivot `/./`, or all of them, are kept.
    fn copy_with_parents(&mut self, tree: &Tree, source: &CopySource) -> Result<(), CopyError> {
        let (pivot, pattern) = source.path.split_once("/./").unwrap_or(("", &source.path));
        let pattern = cleaned(Path::new(pattern));
        let pattern = pattern.to_str().expect("made of a string");
        if !is_pattern(pivot)
            && !is_pattern(pattern)
            && let Selected::Plain(path) = self.select(tree, &format!("{pivot}/{pattern}"))?
        {
            self.look_up(tree, &path)?;
        }
        let selected = self.select(tree, pivot)?;
        let paths = match &selected {
            Selected::Plain(path) => std::slice::from_ref(path),
            Selected::Matches { paths, .. } => paths.as_slice(),
        };
        for path in paths {
            let found = self.look_up(tree, path)?;
            if found.is_directory() {
                self.copier.next_source();
                let wanted = (!pattern.is_empty())
                    .then(|| Wildcard::parse(pattern, DoubleStar::Directories))
                    .transpose()?;
                self.copy_directory(tree, &found, wanted.as_ref())?;
            } else if matches!(selected, Selected::Plain(_)) {
                return Err(CopyError::Missing { path: shown(path) });
            }
        }
        Ok(())
    }

    /// Makes the destination if it is written as a directory.
    fn destination_directory(&mut self) -> Result<(), CopyError> {
        if self.destination.is_directory {
            let target = self.resolved()?;
            self.make_all(&target)?;
        }
        Ok(())
    }

    fn copy_directory(
        &mut self,
        tree: &Tree,
        found: &Found,
        wanted: Option<&Wildcard>,
    ) -> Result<(), CopyError> {
        let target = self.resolved()?;
        match self.make_all(&target) {
            Err(CopyError::Write { source, .. })
                if source.kind() == io::ErrorKind::NotADirectory =>
            {
                let (from, to) = (shown(&found.path), shown(&target));
                return Err(CopyError::NotDirectory { from, to });
            }
            other => other?,
        }
        let mtime = self.copied.unwrap_or_else(|| mtime(&found.stat));
        self.copier.directories().set_time(&target, mtime);
        let selection =
            Selection { tree, base: found.path.clone(), target, exclude: &self.exclude, wanted };
        self.copier.copy_tree(&selection)
    }

    fn copy_file(&mut self, tree: &Tree, found: &Found, name: OsString) -> Result<(), CopyError> {
        let target = self.resolved()?;
        let into = self.destination.is_directory || self.copier.is_directory(&target)?;
        let target = if into { target.join(name) } else { target };
        let parent = target.parent().unwrap_or(Path::new(""));
        self.make_all(parent)?;
        self.copier.copy_one(tree, &found.path, &target)
    }

    /// Unpacks a source into the destination if it is an archive, by its content. A link to one
    /// is not.
    fn unpack(&mut self, tree: &Tree, path: &Path) -> Result<bool, CopyError> {
        let Some(archive) = archive(tree.root(), path)
            .map_err(|source| CopyError::Read { path: shown(path), source })?
        else {
            return Ok(false);
        };
        let target = self.resolved()?;
        // `--chmod` is for copies, and here are none.
        self.make_all_like(&target, Plain { mode: 0o755, ..self.parents })?;
        self.left_out.extend(self.copier.unpack(archive, path, &target)?);
        Ok(true)
    }

    fn make_all(&mut self, path: &Path) -> Result<(), CopyError> {
        self.make_all_like(path, self.parents)
    }

    fn make_all_like(&mut self, path: &Path, like: Plain) -> Result<(), CopyError> {
        let made = self.copier.make_all(path, like);
        made.map_err(|source| CopyError::Write { path: shown(path), source })
    }

    /// Where the destination is, links in it followed.
    fn resolved(&self) -> Result<PathBuf, CopyError> {
        let path = &self.destination.path;
        let resolved = self.copier.root().resolve(path);
        resolved.map_err(|source| CopyError::Write { path: shown(path), source })
    }

    fn select(&self, tree: &Tree, path: &str) -> Result<Selected, CopyError> {
        expand(tree, path, self.copier.cancel()).map_err(|error| match error {
            GlobError::Pattern(error) => error.into(),
            GlobError::Io(source) => unread(Path::new(path), source),
        })
    }

    fn look_up(&self, tree: &Tree, path: &Path) -> Result<Found, CopyError> {
        match tree.look_up(path, self.copier.cancel()) {
            Ok(Lookup::Found(found)) => Ok(found),
            Ok(Lookup::Missing) => Err(CopyError::Missing { path: shown(path) }),
            Ok(Lookup::Ignored) => Err(CopyError::Ignored { path: shown(path) }),
            Err(source) => Err(unread(path, source)),
        }
    }
}

/// Opens a regular file that is an archive.
fn archive(root: &RootDir, path: &Path) -> io::Result<Option<File>> {
    let regular = |mode| FileType::from_raw_mode(mode) == FileType::RegularFile;
    if !root.lstat(path)?.is_some_and(|stat| regular(stat.st_mode)) {
        return Ok(None);
    }
    let mut file = root.open_file(path)?;
    let mut head = Vec::new();
    file.by_ref().take(ARCHIVE_HEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(is_archive(&head).then_some(file))
}

/// The error of a source that could not be looked up.
fn unread(path: &Path, source: io::Error) -> CopyError {
    if cancel::is_cancelled(&source) {
        return CopyError::Cancelled;
    }
    CopyError::Read { path: shown(path), source }
}

/// A path of a tree or a root as its user knows it.
fn shown(path: &Path) -> PathBuf {
    Path::new("/").join(path)
}

#[cfg(test)]
mod tests;
