//! Directories that hold places, and whether a step changed more in one than its places.
//!
//! Mounts refuse to be removed or replaced, and so what they are on keeps its time. A place does
//! not, so that is made good afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, Timespec};
use rustix::io::Errno;

use super::{modified, set_modified};
use crate::rootdir::{RootDir, is_missing, names, stat_at};

/// The directories that hold places, by their paths (relative, without links).
#[derive(Debug, Default)]
pub(super) struct Holders(BTreeMap<PathBuf, Holder>);

/// A directory before anything was placed in it.
#[derive(Debug)]
struct Holder {
    itself: Option<Identity>,
    modified: Timespec,
    held: BTreeMap<OsString, Identity>,
}

/// Tells whether what has a name is still the same. An inode's number may be given again, but not
/// with the time it was made first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    born: Option<(i64, u32)>,
}

impl Identity {
    /// Of what stands at a name; none if nothing does.
    pub(super) fn at(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<Self>> {
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        match rustix::fs::statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
            Ok(found) => {
                let born = (found.stx_mask & StatxFlags::BTIME.bits() != 0)
                    .then_some((found.stx_btime.tv_sec, found.stx_btime.tv_nsec));
                Ok(Some(Self { inode: found.stx_ino, born }))
            }
            // A seccomp profile that does not know it.
            Err(Errno::NOSYS | Errno::PERM) => match stat_at(parent, name) {
                Ok(stat) => Ok(Some(Self { inode: stat.st_ino, born: None })),
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(error),
            },
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Holder {
    fn of(root: &RootDir, path: &Path) -> io::Result<Self> {
        let directory = root.open_at(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW,
            Mode::empty(),
        )?;
        let mut held = BTreeMap::new();
        for name in names(directory.as_fd())? {
            let identity = Identity::at(directory.as_fd(), &name)?;
            held.extend(identity.map(|identity| (name, identity)));
        }
        let itself = Identity::at(directory.as_fd(), OsStr::new("."))?;
        Ok(Self { itself, modified: modified(&rustix::fs::fstat(&directory)?), held })
    }

    /// Whether it still holds the same, but for some names.
    fn is_as(&self, before: &Self, but: &BTreeSet<&OsStr>) -> bool {
        let rest = |held: &BTreeMap<OsString, Identity>| -> BTreeMap<_, _> {
            held.iter()
                .filter(|(name, _)| !but.contains(name.as_os_str()))
                .map(|(name, identity)| (name.clone(), *identity))
                .collect()
        };
        self.itself == before.itself && rest(&self.held) == rest(&before.held)
    }
}

impl Holders {
    /// Remembers how a directory is before something is placed in it.
    pub(super) fn add(&mut self, root: &RootDir, path: &Path) -> io::Result<()> {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), Holder::of(root, path)?);
        }
        Ok(())
    }

    /// Gives the directories the time back that they had, where a step changed nothing in one but
    /// a place. `made` are all paths that were made for the step, and `places` those of them that
    /// are places, with what was put there.
    pub(super) fn restore<'a>(
        &self,
        root: &RootDir,
        made: impl Iterator<Item = &'a Path>,
        places: impl Iterator<Item = (&'a Path, Identity)>,
    ) -> io::Result<()> {
        let mut own: BTreeMap<&Path, BTreeSet<&OsStr>> = BTreeMap::new();
        for path in made {
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
                own.entry(parent).or_default().insert(name);
            }
        }
        let mut moved: BTreeSet<&Path> = BTreeSet::new();
        for (path, placed) in places {
            let found = root.parent(path).and_then(|(dir, name)| Identity::at(dir.as_fd(), &name));
            if found.ok().flatten() != Some(placed) {
                moved.extend(path.parent());
            }
        }
        let none = BTreeSet::new();
        for path in moved {
            let Some(before) = self.0.get(path) else { continue };
            // The step may have removed the directory, or put something else there.
            let Ok(now) = Holder::of(root, path) else { continue };
            if now.is_as(before, own.get(path).unwrap_or(&none)) {
                let directory =
                    root.open_at(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
                set_modified(directory.as_fd(), before.modified)?;
            }
        }
        Ok(())
    }
}
