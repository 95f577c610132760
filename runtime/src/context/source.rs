//! What a copy reads from: a directory tree, as much of it as its `.dockerignore` shows.

use std::any::Any;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Stat};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::context::error::ContextError;
use crate::rootdir::{RootDir, names, stat_at};
use ir::pattern::Ignore;

/// A tree to read. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tree {
    root: Arc<RootDir>,
    owners: Owners,
    ignore: Option<Arc<Ignore>>,
    /// The builder's own directory, where it lies in the tree: copying it would never end.
    own: Option<Arc<Path>>,
    /// Whatever must live as long as the tree: a snapshot, a directory of downloaded files.
    _keep: Option<Arc<dyn Any + Send + Sync>>,
}

/// Whose the files of a tree are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owners {
    /// Root's: who owns a build context on the builder's disk means nothing in an image.
    Root,
    /// As the file system says: the tree is another image's or stage's.
    Kept,
}

/// A path of a tree that exists.
pub(crate) struct Found {
    /// Where it is: relative, no links in it.
    pub path: PathBuf,
    /// What it is.
    pub stat: Stat,
}

/// What a path of a tree leads to.
pub(crate) enum Lookup {
    /// Something to read.
    Found(Found),
    /// Nothing.
    Missing,
    /// Something that the `.dockerignore` hides.
    Ignored,
}

/// A build context on the builder's disk. The patterns are those of its `.dockerignore`; `own` is
/// the builder's directory, which is not shown.
pub(crate) fn local(
    directory: &Path,
    patterns: &[String],
    own: &Path,
) -> Result<Tree, ContextError> {
    let open = |source| ContextError::Open { path: directory.to_owned(), source };
    let root = RootDir::open(directory).map_err(open)?;
    let (context, own) = (directory.canonicalize().map_err(open)?, own.canonicalize());
    let own = own.ok().and_then(|own| own.strip_prefix(&context).ok().map(Arc::from));
    let ignore = Ignore::new(patterns)?;
    let ignore = (!ignore.is_empty()).then(|| Arc::new(ignore));
    Ok(Tree { root: Arc::new(root), owners: Owners::Root, ignore, own, _keep: None })
}

impl Tree {
    /// A directory all of whose content is shown, for as long as `keep` lives.
    pub(crate) fn new(
        root: Arc<RootDir>,
        owners: Owners,
        keep: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Self {
        Self { root, owners, ignore: None, own: None, _keep: keep }
    }

    /// The directory. What it holds may be hidden: [`Tree::shows`].
    pub(crate) fn root(&self) -> &RootDir {
        &self.root
    }

    /// Whether the directory may hold something that is not shown.
    pub(crate) fn hides(&self) -> bool {
        self.ignore.is_some() || self.own.is_some()
    }

    /// Whose the files are.
    pub(crate) fn owners(&self) -> Owners {
        self.owners
    }

    /// Whether something that a path leads to belongs to somebody else than it does in an image.
    pub(crate) fn shows_owners(&self, path: &Path) -> io::Result<bool> {
        use rustix::fd::AsFd as _;
        let of_another = |stat: &Stat| (stat.st_uid, stat.st_gid) != (0, 0);
        let is_directory =
            |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if self.owners == Owners::Kept {
            return Ok(false);
        }
        let Some(stat) = self.root.stat(path)? else { return Ok(false) };
        if !is_directory(&stat) || of_another(&stat) {
            return Ok(of_another(&stat));
        }
        let mut pending = vec![self.root.resolve(path)?];
        while let Some(directory) = pending.pop() {
            let fd = self.root.open_dir(&directory)?;
            for name in names(fd.as_fd())? {
                let stat = stat_at(fd.as_fd(), &name)?;
                if of_another(&stat) {
                    return Ok(true);
                }
                if is_directory(&stat) {
                    pending.push(directory.join(&name));
                }
            }
        }
        Ok(false)
    }

    /// Whether a path without links in it is shown, if it exists. A directory that is not may
    /// still hold something that is: [`Tree::may_show_below`].
    pub(crate) fn shows(&self, path: &Path) -> bool {
        !self.is_own(path) && self.ignore.as_ref().is_none_or(|ignore| !ignore.excluded(path))
    }

    /// Whether a directory could hold something that is shown.
    pub(crate) fn may_show_below(&self, directory: &Path) -> bool {
        !self.is_own(directory)
            && self.ignore.as_ref().is_none_or(|ignore| {
                !ignore.excluded(directory) || ignore.may_hold_included(directory)
            })
    }

    fn is_own(&self, path: &Path) -> bool {
        self.own.as_ref().is_some_and(|own| path.starts_with(own))
    }

    /// What a path leads to, every link in it followed.
    pub(crate) fn look_up(&self, path: &Path, cancel: &CancellationToken) -> io::Result<Lookup> {
        let Some(stat) = self.root.stat(path)? else { return Ok(Lookup::Missing) };
        let found = Found { path: self.root.resolve(path)?, stat };
        let is_directory = found.is_directory();
        // A link that is hidden leads nowhere, and a link to something hidden neither.
        for path in [cleaned(path), found.path.clone()] {
            let shown =
                self.shows(&path) || is_directory && self.shows_something_in(&path, cancel)?;
            if !shown {
                return Ok(Lookup::Ignored);
            }
        }
        Ok(Lookup::Found(found))
    }

    /// The names in a directory, sorted, hidden ones included.
    pub(crate) fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        use rustix::fd::AsFd as _;
        names(self.root.open_dir(directory)?.as_fd())
    }

    fn shows_something_in(&self, directory: &Path, cancel: &CancellationToken) -> io::Result<bool> {
        use rustix::fd::AsFd as _;
        let mut pending = vec![directory.to_owned()];
        while let Some(directory) = pending.pop() {
            if !self.may_show_below(&directory) {
                continue;
            }
            cancel::check(cancel)?;
            let fd = self.root.open_dir(&directory)?;
            for name in names(fd.as_fd())? {
                let path = directory.join(&name);
                if self.shows(&path) {
                    return Ok(true);
                }
                let mode = stat_at(fd.as_fd(), &name)?.st_mode;
                if FileType::from_raw_mode(mode) == FileType::Directory {
                    pending.push(path);
                }
            }
        }
        Ok(false)
    }
}

impl Found {
    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        FileType::from_raw_mode(self.stat.st_mode) == FileType::Directory
    }
}

/// A path made relative to the root that it cannot leave: no `/` at the start, no `.`, and every
/// `..` taken with the name before it, whatever that name is.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => drop(cleaned.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    cleaned
}
