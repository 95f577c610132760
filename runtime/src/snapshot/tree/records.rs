//! What the file system says about every path of a root at one point in time.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use rustix::fd::AsFd as _;
use rustix::fs::{FileType, Stat};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::pristine::Pristine;
use crate::cancel;
use crate::layer::entry::{Entry, Kind};
use crate::layer::metadata::is_absent;
use crate::rootdir::{RootDir, names, stat_at};
use crate::snapshot::changes::{Inode, open_file, same_content};
use crate::snapshot::scratch::{Scratch, Tick};
use crate::snapshot::walk::{by_level, present_at};
use crate::snapshot::{SnapshotError, cannot_inside};

/// What is known about a root as a step finds it.
#[derive(Debug)]
pub(super) struct Baseline {
    pub(super) directories: Directories,
    /// The root directory itself.
    pub(super) root: Entry,
    /// What the root began as.
    pristine: Pristine,
    /// What changed since, and more. A path of the root that is not among them is in `pristine`,
    /// and alike. (Paths that are gone may be among them; `directories` says what is there.)
    known: BTreeMap<PathBuf, Arc<Known>>,
    /// What will be moved away and back, as [`Baseline::note`] was told.
    noted: Mutex<BTreeMap<PathBuf, Arc<Known>>>,
    taken: Tick,
}

/// The names in every directory of a root, sorted. Directories that did not change are shared
/// between baselines.
pub(super) type Directories = BTreeMap<PathBuf, Arc<Listing>>;
pub(super) type Listing = Vec<(OsString, Record)>;

/// What changes when anything about a path does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Kind and permission bits, as in `st_mode`.
    mode: u32,
    uid: u32,
    gid: u32,
    device: u64,
    size: i64,
    mtime: (i64, u64),
    /// Cannot be set, other than by changing something.
    ctime: (i64, u64),
    inode: Inode,
    links: u64,
}

/// An entry that is not as in the pristine directory.
#[derive(Debug)]
pub(super) struct Known {
    entry: Entry,
    /// Of a file's content; found out before a step may change the file in place.
    sha256: OnceLock<[u8; 32]>,
}

impl Record {
    fn new(stat: &Stat) -> Self {
        /// Some of the types differ between architectures.
        fn number(number: impl Into<u64>) -> u64 {
            number.into()
        }
        Self {
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
            device: number(stat.st_rdev),
            size: stat.st_size,
            mtime: (stat.st_mtime, number(stat.st_mtime_nsec)),
            ctime: (stat.st_ctime, number(stat.st_ctime_nsec)),
            inode: (stat.st_dev, stat.st_ino),
            links: number(stat.st_nlink),
        }
    }

    fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }

    /// The inode, of a file with several names.
    pub(super) fn shared_inode(&self) -> Option<Inode> {
        (self.links > 1 && self.kind() == FileType::RegularFile).then_some(self.inode)
    }

    /// Whether these can only be of entries that differ, whatever their content is.
    pub(super) fn must_differ(&self, other: &Self) -> bool {
        (self.mode, self.uid, self.gid, self.device, self.mtime)
            != (other.mode, other.uid, other.gid, other.device, other.mtime)
            || (self.kind() == FileType::RegularFile && self.size != other.size)
    }
}

impl Baseline {
    /// Looks at a root that begins as `pristine`.
    pub(super) fn take(
        root: &RootDir,
        pristine: Pristine,
        scratch: &Scratch,
    ) -> Result<Self, SnapshotError> {
        let directories = scan(root, &Directories::new(), scratch.cancel())?;
        // Much is done to directories that leaves no trace in the end. It costs little to know
        // them, and much to make the root again.
        let known = if pristine.is_at_hand() {
            BTreeMap::new()
        } else {
            all_but_files(root, &directories, scratch.cancel())?
        };
        let (root, noted) = (root_entry(root)?, Mutex::default());
        Ok(Self { directories, root, pristine, known, noted, taken: scratch.clock()? })
    }

    /// The same for a copy of the root that this is the baseline of.
    pub(super) fn taken_again(
        &self,
        copy: &RootDir,
        scratch: &Scratch,
    ) -> Result<Self, SnapshotError> {
        let directories = scan(copy, &Directories::new(), scratch.cancel())?;
        self.after(directories, copy, &[], scratch)
    }

    /// The baseline after a step that changed `entries`; files with several names are
    /// [`Kind::File`] under each.
    pub(super) fn after(
        &self,
        directories: Directories,
        root: &RootDir,
        entries: &[Entry],
        scratch: &Scratch,
    ) -> Result<Self, SnapshotError> {
        let mut known = self.known.clone();
        known.extend(self.noted().iter().map(|(path, noted)| (path.clone(), Arc::clone(noted))));
        for entry in entries {
            let fresh = Known { entry: entry.clone(), sha256: OnceLock::new() };
            known.insert(entry.path.clone(), Arc::new(fresh));
        }
        let (root, pristine, noted) = (root_entry(root)?, self.pristine.clone(), Mutex::default());
        Ok(Self { directories, root, pristine, known, noted, taken: scratch.clock()? })
    }

    /// Looks closely at a file that will be moved away and back, which the file system takes for a
    /// change.
    pub(super) fn note(
        &self,
        root: &RootDir,
        path: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), SnapshotError> {
        let failed = |source| cannot_inside("read", path)(source);
        let resolved = root.resolve(path).map_err(failed)?;
        if self.pristine.is_at_hand()
            || self.known.contains_key(&resolved)
            || !self.holds(&resolved)
        {
            return Ok(());
        }
        let read = || {
            let (dir, name) = root.parent(&resolved)?;
            let Some((entry, _)) = present_at(dir.as_fd(), &name, resolved.clone())? else {
                return Ok(());
            };
            let known = Known { entry, sha256: hash(root, &resolved, cancel)?.into() };
            self.noted().insert(resolved.clone(), Arc::new(known));
            Ok(())
        };
        read().map_err(failed)
    }

    fn noted(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<Known>>> {
        self.noted.lock().expect("nobody panics while holding the lock")
    }

    /// What is known of how the root was. `doubtful` are the paths that will be asked for: only if
    /// one of them is not known otherwise, a root that was given away is made again.
    pub(super) fn memory<'a>(
        &'a self,
        mut doubtful: impl Iterator<Item = PathBuf>,
        cancel: &'a CancellationToken,
    ) -> Result<Memory<'a>, SnapshotError> {
        let noted = self.noted();
        let unknown = |path: &PathBuf| !self.known.contains_key(path) && !noted.contains_key(path);
        let needed = self.pristine.is_at_hand() || doubtful.any(|path| unknown(&path));
        let pristine = if needed { self.pristine.root()? } else { None };
        Ok(Memory { known: &self.known, noted: noted.clone(), pristine, cancel })
    }

    /// When it was taken: what changes in the same tick may look unchanged.
    pub(super) fn taken(&self) -> Tick {
        self.taken
    }

    /// Hashes the files that are not as in the pristine directory, so that a later step which
    /// writes to one in place and leaves its size and time as they were can be told from one that
    /// did nothing.
    pub(super) fn remember_content(
        &self,
        root: &RootDir,
        cancel: &CancellationToken,
    ) -> Result<(), SnapshotError> {
        let unhashed: Vec<&Arc<Known>> = self
            .known
            .values()
            .filter(|known| matches!(known.entry.kind, Kind::File { .. }))
            .filter(|known| known.sha256.get().is_none() && self.holds(&known.entry.path))
            .collect();
        unhashed.into_par_iter().try_for_each(|known| {
            let path = &known.entry.path;
            let hash = hash(root, path, cancel).map_err(cannot_inside("read", path))?;
            known.sha256.get_or_init(|| hash);
            Ok(())
        })
    }

    /// Whether there is a regular file at a path.
    fn holds(&self, path: &Path) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let record = self.directories.get(parent).and_then(|listing| find(listing, name));
        record.is_some_and(|record| record.kind() == FileType::RegularFile)
    }
}

/// How a root was when its baseline was taken.
pub(super) struct Memory<'a> {
    known: &'a BTreeMap<PathBuf, Arc<Known>>,
    noted: BTreeMap<PathBuf, Arc<Known>>,
    pristine: Option<Arc<RootDir>>,
    cancel: &'a CancellationToken,
}

impl Memory<'_> {
    fn known(&self, path: &Path) -> Option<&Known> {
        self.known.get(path).or_else(|| self.noted.get(path)).map(|known| &**known)
    }

    /// Whether to go on asking.
    pub(super) fn check(&self) -> Result<(), cancel::Cancelled> {
        cancel::check(self.cancel)
    }

    /// What was at a path that a listing has.
    pub(super) fn entry(&self, path: &Path) -> io::Result<Option<Entry>> {
        if let Some(known) = self.known(path) {
            return Ok(Some(known.entry.clone()));
        }
        let Some(pristine) = &self.pristine else { return Ok(None) };
        let (dir, name) = pristine.parent(path)?;
        let entry = present_at(dir.as_fd(), &name, path.to_owned())?;
        Ok(entry.map(|(entry, _)| entry))
    }

    /// Whether a file still has the content that it had. Its size is the same.
    pub(super) fn same_content(&self, root: &RootDir, path: &Path) -> io::Result<bool> {
        if let Some(known) = self.known(path) {
            return Ok(known.sha256.get() == Some(&hash(root, path, self.cancel)?));
        }
        let Some(pristine) = &self.pristine else { return Ok(false) };
        let (before, name) = pristine.parent(path)?;
        let (dir, _) = root.parent(path)?;
        same_content((before.as_fd(), &name), (dir.as_fd(), &name), self.cancel)
    }
}

/// Everything in a root that is no regular file.
fn all_but_files(
    root: &RootDir,
    directories: &Directories,
    cancel: &CancellationToken,
) -> Result<BTreeMap<PathBuf, Arc<Known>>, SnapshotError> {
    let of = |path: &PathBuf, listing: &Listing| -> io::Result<Vec<(PathBuf, Arc<Known>)>> {
        cancel::check(cancel)?;
        let mut others =
            listing.iter().filter(|(_, record)| record.kind() != FileType::RegularFile).peekable();
        if others.peek().is_none() {
            return Ok(Vec::new());
        }
        let dir = root.open_dir(path)?;
        let mut known = Vec::new();
        for (name, _) in others {
            if let Some((entry, _)) = present_at(dir.as_fd(), name, path.join(name))? {
                let sha256 = OnceLock::new();
                known.push((entry.path.clone(), Arc::new(Known { entry, sha256 })));
            }
        }
        Ok(known)
    };
    let known: Vec<_> = directories
        .par_iter()
        .map(|(path, listing)| of(path, listing).map_err(cannot_inside("read", path)))
        .collect::<Result<_, _>>()?;
    Ok(known.into_iter().flatten().collect())
}

/// Looks at every path of a root. Directories in which nothing changed are taken from `before`.
pub(super) fn scan(
    root: &RootDir,
    before: &Directories,
    cancel: &CancellationToken,
) -> Result<Directories, SnapshotError> {
    let visit = |path: PathBuf| match list(root, &path) {
        Ok((listing, next)) => {
            let listing = match before.get(&path) {
                Some(before) if **before == listing => Arc::clone(before),
                _ => Arc::new(listing),
            };
            Ok(((path, listing), next))
        }
        Err(error) => Err(cannot_inside("read", &path)(error)),
    };
    Ok(by_level(cancel, PathBuf::new(), visit)?.into_iter().collect())
}

fn list(root: &RootDir, path: &Path) -> io::Result<(Listing, Vec<PathBuf>)> {
    let dir = root.open_dir(path)?;
    let mut listing = Listing::new();
    let mut subdirectories = Vec::new();
    for name in names(dir.as_fd())? {
        let stat = stat_at(dir.as_fd(), &name)?;
        if is_absent(&stat) {
            continue;
        }
        let record = Record::new(&stat);
        if record.kind() == FileType::Directory {
            subdirectories.push(path.join(&name));
        }
        listing.push((name, record));
    }
    Ok((listing, subdirectories))
}

/// Finds a name in a listing.
pub(super) fn find<'a>(listing: &'a Listing, name: &OsStr) -> Option<&'a Record> {
    let index = listing.binary_search_by(|(other, _)| other.as_os_str().cmp(name)).ok()?;
    Some(&listing[index].1)
}

/// The root directory's own entry.
pub(super) fn root_entry(root: &RootDir) -> Result<Entry, SnapshotError> {
    let entry = present_at(root.fd(), OsStr::new("."), PathBuf::new())
        .and_then(|entry| entry.ok_or_else(|| rustix::io::Errno::NOENT.into()));
    Ok(entry.map_err(cannot_inside::<io::Error>("read", Path::new("")))?.0)
}

fn hash(root: &RootDir, path: &Path, cancel: &CancellationToken) -> io::Result<[u8; 32]> {
    let (dir, name) = root.parent(path)?;
    let mut file = open_file(dir.as_fd(), &name)?;
    let mut sha256 = Sha256::new();
    crate::snapshot::changes::each_block(&mut file, cancel, |block| sha256.update(block))?;
    Ok(sha256.finalize().into())
}
