//! Copying a whole root: hard links, holes, devices, extended attributes, owners and times
//! included.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::changes::{Inode, shared_inode};
use super::walk::{by_level, present_at};
use super::{SnapshotError, cannot_inside};
use crate::cancel;
use crate::content::Means;
use crate::layer::entry::{Entry, Kind};
use crate::layer::metadata;
use crate::rootdir::{RootDir, names};

/// Copies everything in a root into an empty one, and gives that one the first one's attributes.
///
/// Content is shared with the source where the file system can (`FICLONE`). A device that may not
/// be made here is left out.
pub(super) fn copy_root(
    source: &RootDir,
    target: &RootDir,
    cancel: &CancellationToken,
) -> Result<(), SnapshotError> {
    copy(source, target, cancel, metadata::apply)
}

/// As [`copy_root`], but extended attributes that the file system or the kernel does not take here
/// are left out.
pub(crate) fn copy_what_is_allowed(
    source: &RootDir,
    target: &RootDir,
    cancel: &CancellationToken,
) -> Result<(), SnapshotError> {
    copy(source, target, cancel, |dir, name, entry| {
        metadata::apply_what_is_allowed(dir, name, entry).map(drop)
    })
}

/// Gives what is at a name an entry's attributes.
type Apply = fn(BorrowedFd<'_>, &OsStr, &Entry) -> io::Result<()>;

fn copy(
    source: &RootDir,
    target: &RootDir,
    cancel: &CancellationToken,
    apply: Apply,
) -> Result<(), SnapshotError> {
    let copier = Copier { source, target, apply, means: Means::new(cancel), cancel };
    let mut directories = Vec::new();
    let mut linked: BTreeMap<Inode, Vec<Entry>> = BTreeMap::new();
    for copied in by_level(cancel, PathBuf::new(), |path: PathBuf| copier.directory(&path))? {
        directories.push(copied.directory);
        for (inode, entry) in copied.linked {
            linked.entry(inode).or_default().push(entry);
        }
    }
    linked.into_par_iter().try_for_each(|(_, names)| {
        cancel::check(cancel)?;
        copier.linked(&names)
    })?;
    // Last, as every name made in a directory changes its time; and the deepest first, as a mode
    // can bar the way.
    directories.iter().rev().try_for_each(|directory| {
        cancel::check(cancel)?;
        copier.finish(directory)
    })
}

/// What copying one directory left to do.
struct Copied {
    directory: Entry,
    linked: Vec<(Inode, Entry)>,
}

struct Copier<'a> {
    source: &'a RootDir,
    target: &'a RootDir,
    apply: Apply,
    means: Means<'a>,
    cancel: &'a CancellationToken,
}

impl Copier<'_> {
    /// Copies what is in a directory, except for what is in its subdirectories, which it returns.
    fn directory(&self, path: &Path) -> Result<(Copied, Vec<PathBuf>), SnapshotError> {
        let open = || {
            let source = self.source.open_dir(path)?;
            let own = present_at(source.as_fd(), OsStr::new("."), path.to_owned())?;
            let (own, _) = own.ok_or(Errno::NOENT)?;
            io::Result::Ok((names(source.as_fd())?, source, own, self.target.open_dir(path)?))
        };
        let (names, source, directory, target) = open().map_err(cannot_inside("copy", path))?;
        let mut copied = Copied { directory, linked: Vec::new() };
        let mut subdirectories = Vec::new();
        for name in names {
            let path = path.join(&name);
            let failed = cannot_inside("copy", &path);
            let copy = || -> io::Result<()> {
                cancel::check(self.cancel)?;
                let Some((entry, stat)) = present_at(source.as_fd(), &name, path)? else {
                    return Ok(());
                };
                if let Some(inode) = shared_inode(&entry, &stat) {
                    copied.linked.push((inode, entry));
                    return Ok(());
                }
                self.one(source.as_fd(), target.as_fd(), &name, (&entry, &stat))?;
                if entry.kind == Kind::Directory {
                    subdirectories.push(entry.path);
                }
                Ok(())
            };
            copy().map_err(failed)?;
        }
        Ok((copied, subdirectories))
    }

    /// Copies what is at one name. Directories are made, and get their attributes later.
    fn one(
        &self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &OsStr,
        (entry, stat): (&Entry, &Stat),
    ) -> io::Result<()> {
        let node = |kind| match rustix::fs::mknodat(target, name, kind, Mode::RUSR, stat.st_rdev) {
            Ok(()) => Ok(true),
            // A container that may not make devices has those of the image nowhere. What is not
            // there at first is not seen as deleted later.
            Err(Errno::PERM) if kind != FileType::Fifo => Ok(false),
            Err(error) => Err(error),
        };
        let made = match &entry.kind {
            Kind::Directory => return Ok(rustix::fs::mkdirat(target, name, Mode::RWXU)?),
            Kind::File { .. } => {
                self.means.copy((source, name), (target, name))?;
                true
            }
            Kind::Symlink { target: text } => {
                rustix::fs::symlinkat(text, target, name)?;
                true
            }
            Kind::CharDevice { .. } => node(FileType::CharacterDevice)?,
            Kind::BlockDevice { .. } => node(FileType::BlockDevice)?,
            Kind::Fifo => node(FileType::Fifo)?,
            Kind::Hardlink { .. } | Kind::Whiteout => false,
        };
        if made { (self.apply)(target, name, entry) } else { Ok(()) }
    }

    /// Copies a file that has several names.
    fn linked(&self, names: &[Entry]) -> Result<(), SnapshotError> {
        let mut names = names.iter();
        let Some(first) = names.next() else { return Ok(()) };
        let copy = || {
            let (source, name) = self.source.parent(&first.path)?;
            let (target, _) = self.target.parent(&first.path)?;
            self.means.copy((source.as_fd(), &name), (target.as_fd(), &name))?;
            (self.apply)(target.as_fd(), &name, first)?;
            io::Result::Ok((target, name))
        };
        let (target, name) = copy().map_err(cannot_inside("copy", &first.path))?;
        for other in names {
            let link = || {
                let (dir, other) = self.target.parent(&other.path)?;
                Ok(rustix::fs::linkat(&target, &name, dir, other, AtFlags::empty())?)
            };
            link().map_err(cannot_inside::<io::Error>("link", &other.path))?;
        }
        Ok(())
    }

    fn finish(&self, directory: &Entry) -> Result<(), SnapshotError> {
        let apply = || {
            let dir = self.target.open_at(&directory.path, OFlags::PATH, Mode::empty())?;
            (self.apply)(dir.as_fd(), OsStr::new("."), directory)
        };
        apply().map_err(cannot_inside("set the attributes of", &directory.path))
    }
}
