//! Moves the files of a root into another one, and back.
//!
//! What the other root has of its own stays where it is: mount points cannot be moved, and neither
//! can what holds them. A directory that both have is merged; of anything else that both have, the
//! other root's own is seen, and the one that is moved in waits where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, Uid,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::super::stubs;
use crate::rootdir::{self, RootDir};

/// What a root has of its own, by path: for directories that others can be merged with, what they
/// are like. The root itself is the empty path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own(BTreeMap<PathBuf, Option<Metadata>>);

/// What is kept of a directory that others are merged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata {
    mode: u32,
    uid: u32,
    gid: u32,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
}

impl Own {
    /// Looks at everything in a root that is not behind one of some closed paths, which mount
    /// points are.
    pub(super) fn of(root: &RootDir, closed: &BTreeSet<PathBuf>) -> io::Result<Self> {
        let mut own = BTreeMap::new();
        let mut pending = vec![PathBuf::new()];
        while let Some(path) = pending.pop() {
            let stat = root.lstat(&path)?.ok_or(Errno::NOENT)?;
            if closed.contains(&path) || !is_directory(&stat) {
                own.insert(path, None);
                continue;
            }
            let directory = root.open_dir(&path)?;
            pending.extend(rootdir::names(directory.as_fd())?.iter().map(|name| path.join(name)));
            own.insert(path, Some(Metadata::of(&stat)));
        }
        Ok(Self(own))
    }

    /// Adds what is mounted by now, and the directories that hold it: a container that is started
    /// again can have other mounts.
    pub(super) fn add_mounts(
        &mut self,
        root: &RootDir,
        mounts: &BTreeSet<PathBuf>,
    ) -> io::Result<()> {
        for mount in mounts {
            self.0.insert(mount.clone(), None);
            for above in mount.ancestors().skip(1) {
                if !self.0.contains_key(above)
                    && let Some(stat) = root.lstat(above)?
                {
                    self.0.insert(above.to_owned(), Some(Metadata::of(&stat)));
                }
            }
        }
        Ok(())
    }

    /// What is no directory, or one that is closed.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter(|(_, metadata)| metadata.is_none()).map(|(path, _)| path.as_path())
    }

    fn directories(&self) -> impl DoubleEndedIterator<Item = (&Path, Metadata)> {
        let directories = self.0.iter();
        directories.filter_map(|(path, metadata)| Some((path.as_path(), (*metadata)?)))
    }

    /// Moves what is in `stage` into the root.
    pub(super) fn swap_in(&self, stage: &RootDir, root: &RootDir) -> io::Result<()> {
        for (path, _) in self.directories() {
            let Some(from) = directory(stage, path)? else { continue };
            let to = root.open_dir(path)?;
            // Of before anything is moved.
            let metadata = Metadata::of(&rustix::fs::fstat(&from)?);
            for name in rootdir::names(from.as_fd())? {
                if !self.0.contains_key(&path.join(&name)) {
                    let flags = RenameFlags::NOREPLACE;
                    rustix::fs::renameat_with(&from, &name, &to, &name, flags)?;
                }
            }
            metadata.set(to.as_fd())?;
        }
        Ok(())
    }

    /// Moves everything that is not the root's own into `stage`, and makes the root what it was.
    /// Can be done again after it was interrupted, and after [`Own::swap_in`] was.
    ///
    /// Does as much as can be done, and returns the first error.
    pub(super) fn swap_out(&self, stage: &RootDir, root: &RootDir) -> io::Result<()> {
        let mut result = Ok(());
        for (path, metadata) in self.directories() {
            result = result.and(self.empty(path, metadata, stage, root));
        }
        for (path, metadata) in self.directories().rev() {
            let restored = root.open_dir(path).and_then(|opened| metadata.set(opened.as_fd()));
            result = result.and(restored);
        }
        result
    }

    /// Moves what is in one of the directories out.
    fn empty(
        &self,
        path: &Path,
        metadata: Metadata,
        stage: &RootDir,
        root: &RootDir,
    ) -> io::Result<()> {
        let counterpart = directory(stage, path)?;
        let Some(from) = directory(root, path)? else {
            // The step has removed it, and perhaps put something in its place.
            if counterpart.is_some() {
                remove(stage, path)?;
            }
            if root.lstat(path)?.is_some() {
                move_out(root, stage, path)?;
            }
            return make(root, path, metadata);
        };
        let after = Metadata::of(&rustix::fs::fstat(&from)?);
        for name in rootdir::names(from.as_fd())? {
            let path = path.join(name);
            if !self.0.contains_key(&path) {
                move_out(root, stage, &path)?;
            }
        }
        match counterpart {
            Some(to) => after.set(to.as_fd()),
            None => Ok(()),
        }
    }
}

/// Moves an entry of the root to the same path of the stage.
fn move_out(root: &RootDir, stage: &RootDir, path: &Path) -> io::Result<()> {
    let mut pending = vec![path.to_owned()];
    let mut emptied = Vec::new();
    while let Some(path) = pending.pop() {
        let (from, name) = root.parent(&path)?;
        let (to, to_name) = match place(root, stage, &path) {
            Ok(place) => place,
            // Where the image has no directory there is no place for what is in one.
            Err(error) if leads_nowhere(&error) => {
                stubs::remove_tree(from.as_fd(), &name)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&from, &name, &to, &to_name, flags) {
            Ok(()) => {}
            // Through a link of the image, something can be there already.
            Err(Errno::EXIST) => {
                let directories = [(&from, &name), (&to, &to_name)].map(|(parent, name)| {
                    rootdir::stat_at(parent.as_fd(), name).is_ok_and(|stat| is_directory(&stat))
                });
                if directories == [true, true] {
                    let opened = root.open_dir(&path)?;
                    let names = rootdir::names(opened.as_fd())?;
                    pending.extend(names.iter().map(|name| path.join(name)));
                    emptied.push(path);
                } else {
                    stubs::remove_tree(to.as_fd(), &to_name)?;
                    rustix::fs::renameat(&from, &name, &to, &to_name)?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    for path in emptied.into_iter().rev() {
        remove(root, &path)?;
    }
    Ok(())
}

/// Where an entry of the root goes in the stage. Missing directories are made like those of the root.
fn place(
    root: &RootDir,
    stage: &RootDir,
    path: &Path,
) -> io::Result<(OwnedFd, std::ffi::OsString)> {
    let parent = path.parent().unwrap_or(Path::new(""));
    stage.create_dir_all(parent, |made, opened| match root.lstat(made)? {
        Some(stat) => Metadata::of(&stat).set(opened),
        None => Ok(()),
    })?;
    stage.parent(path)
}

/// A directory that is one itself, and no link to one.
fn directory(root: &RootDir, path: &Path) -> io::Result<Option<OwnedFd>> {
    let found = match root.lstat(path) {
        Err(error) if leads_nowhere(&error) => return Ok(None),
        other => other?,
    };
    match found {
        Some(stat) if is_directory(&stat) => {
            let resolved = root.resolve(path)?;
            // Through a link in its path it would be another one.
            if resolved == path { root.open_dir(path).map(Some) } else { Ok(None) }
        }
        _ => Ok(None),
    }
}

fn make(root: &RootDir, path: &Path, metadata: Metadata) -> io::Result<()> {
    let (parent, name) = root.parent(path)?;
    rustix::fs::mkdirat(&parent, &name, Mode::from_raw_mode(0o700))?;
    metadata.set(root.open_dir(path)?.as_fd())
}

fn remove(root: &RootDir, path: &Path) -> io::Result<()> {
    let (parent, name): (OwnedFd, _) = root.parent(path)?;
    stubs::remove_tree(parent.as_fd(), OsStr::new(&name))
}

/// Whether something on the way is no directory, and no link to one.
fn leads_nowhere(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [Errno::NOTDIR, Errno::LOOP].iter().any(|errno| number == Some(errno.raw_os_error()))
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

impl Metadata {
    fn of(stat: &Stat) -> Self {
        let modified = stubs::modified(stat);
        Self {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            modified: (modified.tv_sec, modified.tv_nsec),
        }
    }

    fn set(self, directory: BorrowedFd<'_>) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::fs::chownat(directory, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
        let opened =
            rustix::fs::openat(directory, ".", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fchmod(&opened, Mode::from_raw_mode(self.mode))?;
        let (tv_sec, tv_nsec) = self.modified;
        let last_access = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let times = Timestamps { last_access, last_modification: Timespec { tv_sec, tv_nsec } };
        Ok(rustix::fs::futimens(&opened, &times)?)
    }
}

#[cfg(test)]
mod tests;
