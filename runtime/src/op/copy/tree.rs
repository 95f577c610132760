//! The content of a directory, copied into another.
//!
//! Names are visited in sorted order by one thread, which makes the directories; files are
//! copied by many, a batch at a time. Files with several names wait for the end of the tree, as
//! which of their names is copied and which are linked to it must not depend on who was faster.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, FileType, Stat};
use tokio_util::sync::CancellationToken;

use super::error::CopyError;
use super::item::{Item, Look, Pair};
use super::selection::Selection;
use super::shown;
use crate::cancel;
use crate::content::Means;
use crate::context::source::Tree;
use crate::layer::entry::{Entry, Kind};
use crate::layer::metadata::is_absent;
use crate::layer::{Bounds, Decompression, UnpackLimits, unpack_archive};
use crate::op::directories::{Directories, Plain};
use crate::op::refused::Refused;
use crate::rootdir::{RootDir, names, stat_at};

/// Files copied at once; bounds the descriptors held (two for each directory they are in).
const BATCH: usize = 64;

/// Copies into a root.
pub(super) struct Copier<'a> {
    directories: Directories<'a>,
    look: Look,
    in_the_way: InTheWay,
    means: Means<'a>,
    batch: Vec<Item>,
    /// Files with several names, with the device and inode they are.
    linked: Vec<(Inode, Item)>,
    /// Where the first name of such a file went.
    copied: BTreeMap<Inode, PathBuf>,
    refused: Arc<Refused>,
    /// Of archives.
    limits: UnpackLimits,
    cancel: &'a CancellationToken,
}

/// What becomes of a directory where a file is to go, and of anything else where a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// That is an error.
    Refused,
    /// It is removed.
    Replaced,
}

/// Device and inode.
type Inode = (u64, u64);

impl<'a> Copier<'a> {
    /// Copies nothing yet.
    pub(super) fn new(
        root: &'a RootDir,
        look: Look,
        in_the_way: InTheWay,
        bounds: Bounds<'a>,
    ) -> Self {
        let refused = Arc::<Refused>::default();
        Self {
            directories: Directories::new(root, Arc::clone(&refused)),
            look,
            in_the_way,
            means: Means::new(bounds.cancel),
            batch: Vec::new(),
            linked: Vec::new(),
            copied: BTreeMap::new(),
            refused,
            limits: bounds.limits,
            cancel: bounds.cancel,
        }
    }

    /// The root it copies into.
    pub(super) fn root(&self) -> &'a RootDir {
        self.directories.root()
    }

    /// The directories it has made and changed.
    pub(super) fn directories(&mut self) -> &mut Directories<'a> {
        &mut self.directories
    }

    /// Triggered when the build is stopped.
    pub(super) fn cancel(&self) -> &'a CancellationToken {
        self.cancel
    }

    /// Whether a path is a directory.
    pub(super) fn is_directory(&self, path: &Path) -> Result<bool, CopyError> {
        let stat = self.root().lstat(path);
        let stat = stat.map_err(|source| CopyError::Write { path: shown(path), source })?;
        Ok(stat.is_some_and(|stat| is_directory(&stat)))
    }

    /// Makes a directory and its missing parents.
    pub(super) fn make_all(&mut self, path: &Path, like: Plain) -> io::Result<()> {
        self.directories.make_all(path, like)
    }

    /// Says that what follows is another source: what it has in common with those before is copied
    /// anew, so that nobody who writes to one copy changes the other.
    pub(super) fn next_source(&mut self) {
        self.copied.clear();
    }

    /// Copies one thing that is no directory. The directory it goes to exists.
    pub(super) fn copy_one(
        &mut self,
        tree: &Tree,
        from: &Path,
        to: &Path,
    ) -> Result<(), CopyError> {
        let item = self.item(tree, from, to)?;
        let name = from.file_name().expect("a tree's root is a directory");
        let stat = stat_at(item.pair.source.as_fd(), name);
        let stat = stat.map_err(|source| CopyError::Read { path: shown(from), source })?;
        self.queue(item, &stat)?;
        self.flush()
    }

    fn item(&mut self, tree: &Tree, from: &Path, to: &Path) -> Result<Item, CopyError> {
        let (from_parent, to_parent) =
            (from.parent().unwrap_or(Path::new("")), to.parent().unwrap_or(Path::new("")));
        let source = tree.root().open_dir(from_parent);
        let source =
            source.map_err(|source| CopyError::Read { path: shown(from_parent), source })?;
        let pair = self.pair(tree, source, to_parent)?;
        Ok(Item { pair, from: from.to_owned(), to: to.to_owned() })
    }

    fn pair(
        &mut self,
        tree: &Tree,
        source: OwnedFd,
        target: &Path,
    ) -> Result<Arc<Pair>, CopyError> {
        let failed = |source| CopyError::Write { path: shown(target), source };
        self.directories.touch(target).map_err(failed)?;
        let target = self.directories.open(target).map_err(failed)?;
        Ok(Arc::new(Pair { source, target, owners: tree.owners() }))
    }

    /// Copies what is selected of a directory.
    pub(super) fn copy_tree(&mut self, selection: &Selection<'_>) -> Result<(), CopyError> {
        let mut pending = vec![PathBuf::new()];
        while let Some(relative) = pending.pop() {
            cancel::check(self.cancel)?;
            let mut below = self.copy_directory(selection, &relative)?;
            below.reverse();
            pending.append(&mut below);
        }
        self.flush()
    }

    /// Copies the names in a directory. Returns the directories among them to go into.
    fn copy_directory(
        &mut self,
        selection: &Selection<'_>,
        relative: &Path,
    ) -> Result<Vec<PathBuf>, CopyError> {
        let path = selection.base.join(relative);
        let failed = |source| CopyError::Read { path: shown(&path), source };
        let source = selection.tree.root().open_dir(&path).map_err(failed)?;
        let names = names(source.as_fd()).map_err(failed)?;
        let mut source = Some(source);
        let mut pair = None;
        let mut below = Vec::new();
        for name in names {
            cancel::check(self.cancel)?;
            let relative_name = relative.join(&name);
            let taken = selection.takes(&relative_name);
            if taken && pair.is_none() {
                self.make_parents(selection, relative)?;
                let source = source.take().expect("taken once, when the pair is made");
                pair = Some(self.pair(selection.tree, source, &selection.target.join(relative))?);
            }
            let from = path.join(&name);
            let stat = match (&pair, &source) {
                (Some(pair), _) => stat_at(pair.source.as_fd(), &name),
                (None, Some(source)) => stat_at(source.as_fd(), &name),
                (None, None) => unreachable!("one of them holds the directory"),
            };
            let stat = stat.map_err(|source| CopyError::Read { path: shown(&from), source })?;
            if is_directory(&stat) {
                if taken {
                    self.copy_directory_itself(selection, &relative_name)?;
                }
                if taken || selection.may_take_below(&relative_name) {
                    below.push(relative_name);
                }
            } else if taken && let Some(pair) = &pair {
                let to = selection.target.join(&relative_name);
                self.queue(Item { pair: Arc::clone(pair), from, to }, &stat)?;
            }
        }
        Ok(below)
    }

    /// Makes the directories above something that is taken, where they are not taken themselves.
    fn make_parents(
        &mut self,
        selection: &Selection<'_>,
        relative: &Path,
    ) -> Result<(), CopyError> {
        let mut at = PathBuf::new();
        for name in relative {
            at.push(name);
            let target = selection.target.join(&at);
            if !self.directories.knows(&target) && !self.is_directory(&target)? {
                self.copy_directory_itself(selection, &at)?;
            }
        }
        Ok(())
    }

    /// Makes a directory as it is in the tree. One that is there already becomes so too.
    fn copy_directory_itself(
        &mut self,
        selection: &Selection<'_>,
        relative: &Path,
    ) -> Result<(), CopyError> {
        let from = selection.base.join(relative);
        let to = selection.target.join(relative);
        let read = |source| CopyError::Read { path: shown(&from), source };
        let source = selection.tree.root().open_dir(&from).map_err(read)?;
        let owners = selection.tree.owners();
        let entry = self.look.entry(source.as_fd(), OsStr::new("."), owners, to.clone());
        let entry = entry.map_err(read)?.expect("a directory is no socket");
        self.merge(entry).map_err(|source| {
            if source.kind() == io::ErrorKind::NotADirectory {
                CopyError::NotDirectory { from: shown(&from), to: shown(&to) }
            } else {
                CopyError::Write { path: shown(&to), source }
            }
        })
    }

    /// Makes a directory, or makes one that exists look like it.
    fn merge(&mut self, entry: Entry) -> io::Result<()> {
        debug_assert_eq!(entry.kind, Kind::Directory, "only directories are merged");
        match self.root().lstat(&entry.path)? {
            None => self.directories.make(entry),
            Some(stat) if is_directory(&stat) => {
                self.directories.become_like(entry);
                Ok(())
            }
            Some(_) if self.in_the_way == InTheWay::Replaced => {
                let (parent, name) = self.root().parent(&entry.path)?;
                self.directories.touch(entry.path.parent().unwrap_or(Path::new("")))?;
                rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
                self.directories.make(entry)
            }
            Some(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Clears an item's target and sees that it is copied, now or with others.
    fn queue(&mut self, item: Item, stat: &Stat) -> Result<(), CopyError> {
        if is_absent(stat) {
            return Ok(());
        }
        self.clear(&item)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1 {
            self.linked.push((inode(stat), item));
        } else {
            self.batch.push(item);
        }
        if self.batch.len() < BATCH { Ok(()) } else { self.copy_batch() }
    }

    /// Removes what stands at an item's target: a file that is replaced gets a new inode, as
    /// writing into the old one would change its other names too.
    fn clear(&mut self, item: &Item) -> Result<(), CopyError> {
        let target = item.pair.target.as_fd();
        match stat_at(target, item.name()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(item.failed(error)),
            Ok(stat) if is_directory(&stat) && self.in_the_way == InTheWay::Refused => {
                Err(CopyError::IsDirectory { from: shown(&item.from), to: shown(&item.to) })
            }
            Ok(stat) => {
                if is_directory(&stat) {
                    self.directories.forget(&item.to);
                }
                crate::remove::at(target, item.name()).map_err(|error| item.failed(error))
            }
        }
    }

    fn copy_batch(&mut self) -> Result<(), CopyError> {
        cancel::check(self.cancel)?;
        let batch = std::mem::take(&mut self.batch);
        let copy = |item: &Item| item.copy(&self.look, &self.means, &self.refused);
        // All of them first: of several errors the first in order is reported.
        let copied: Vec<_> = batch.par_iter().map(copy).collect();
        copied.into_iter().collect()
    }

    fn flush(&mut self) -> Result<(), CopyError> {
        self.copy_batch()?;
        for (inode, item) in std::mem::take(&mut self.linked) {
            cancel::check(self.cancel)?;
            if !self.link(inode, &item) {
                item.copy(&self.look, &self.means, &self.refused)?;
                self.copied.insert(inode, item.to);
            }
        }
        Ok(())
    }

    /// Makes an item a further name of a file that was copied before. False if there is no such
    /// file, or it takes no further name.
    fn link(&self, inode: Inode, item: &Item) -> bool {
        let Some(path) = self.copied.get(&inode) else { return false };
        let Ok((parent, name)) = self.root().parent(path) else { return false };
        rustix::fs::linkat(&parent, &name, &item.pair.target, item.name(), AtFlags::empty()).is_ok()
    }

    /// Unpacks an archive into a directory that exists. Returns what was left out.
    pub(super) fn unpack(
        &mut self,
        archive: std::fs::File,
        from: &Path,
        to: &Path,
    ) -> Result<Vec<String>, CopyError> {
        // The archive may have a say about directories that were made or changed here.
        self.settle()?;
        let bounds = Bounds { limits: self.limits, cancel: self.cancel };
        Decompression::start(archive, self.limits)
            .and_then(|archive| unpack_archive(archive, self.root(), to, self.look.owner, bounds))
            .map_err(|source| CopyError::Unpack { path: shown(from), source })
    }

    /// Gives the directories their final look. Returns what could not be kept, for people.
    pub(super) fn finish(mut self) -> Result<Vec<String>, CopyError> {
        self.settle()?;
        Ok(self.refused.lines())
    }

    fn settle(&mut self) -> Result<(), CopyError> {
        let settled = self.directories.settle();
        settled.map_err(|(path, source)| CopyError::Write { path: shown(&path), source })
    }
}

fn inode(stat: &Stat) -> Inode {
    (stat.st_dev, stat.st_ino)
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
