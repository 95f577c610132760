//! The work directory: blobs and unpacked roots by digest, and a scratch area for each build.
//!
//! ```text
//! <directory>/lock                    held while a build registers itself and sweeps
//! <directory>/ids/                    whose ids the files have, see [`StoreError::Foreign`]
//! <directory>/blobs/sha256/<hex>      verified when they were written, never changed
//! <directory>/roots/<hex>             unpacked images by chain id, whole, never changed
//! <directory>/work/<build>/lock       held as long as the build lives
//! <directory>/work/<build>/blobs/     what is being written
//! <directory>/work/<build>/scratch/   the build's own
//! <directory>/work/<build>/dead/      what dead builds left, on its way out
//! ```
//!
//! A name in `blobs` or `roots` appears by a rename, so that what a killed build leaves behind is
//! beneath its own `work` directory only, and the next build removes that. Nothing is flushed to
//! the disk: after a power failure a blob may be short, which is found out by the digests that
//! whoever unpacks or uploads it checks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ir::Digest;
use rustix::fd::AsFd as _;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

pub use blob::BlobWriter;

mod blob;

/// The work directory, as one build sees it. Cheap to clone; the last handle removes the build's
/// own part of it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    /// `work/<build>`.
    own: PathBuf,
    scratch: PathBuf,
    /// Numbers the temporary files.
    next: AtomicU64,
    gives_away: bool,
    /// Says to other builds that this one lives.
    _lock: File,
}

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The work directory cannot be used.
    #[error("cannot {verb} `{path}`")]
    Io {
        /// What was tried (`create`, `lock`, …).
        verb: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The work directory was filled where user ids mean others than here: by another user, or under
    /// another map of a user namespace. What is unpacked in it would have the wrong owners.
    #[error(
        "cannot use the work directory `{path}`: what is in it was made under other user ids than \
         this build's; name another one with `--kaniko-dir`, or remove it"
    )]
    Foreign {
        /// The work directory.
        path: PathBuf,
    },
    /// The bytes are not those that were announced.
    #[error("cannot store blob `{expected}`: the content has the digest `{got}`")]
    Digest {
        /// As announced.
        expected: Digest,
        /// Of what came.
        got: Digest,
    },
    /// There are more or fewer bytes than were announced.
    #[error("cannot store blob `{digest}`: it has {} {got} bytes instead of {expected}", if got > expected { "at least" } else { "only" })]
    Size {
        /// Which blob.
        digest: Digest,
        /// Bytes as announced.
        expected: u64,
        /// Bytes that came; where it is more than announced, those counted until then.
        got: u64,
    },
}

impl StoreError {
    fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { verb, path: path.to_owned(), source }
    }
}

impl Store {
    /// Opens the work directory, made if it is missing, registers this build in it, and removes
    /// what dead builds left.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        make_dir(directory, 0o755)?;
        make_dir(&directory.join("blobs/sha256"), 0o755)?;
        make_dir(&directory.join("roots"), 0o755)?;
        // Secrets may pass through what a build works on.
        let work = directory.join("work");
        make_dir(&work, 0o700)?;

        // A directory of a build that does not hold its lock yet looks dead: only one build at a
        // time registers or sweeps.
        let path = directory.join("lock");
        let foreign = || StoreError::Foreign { path: directory.to_owned() };
        let registration = lock_file(&path).map_err(|error| {
            let denied = error.kind() == io::ErrorKind::PermissionDenied;
            if denied { foreign() } else { StoreError::io("open", &path)(error) }
        })?;
        retry_flock(&registration, FlockOperation::LockExclusive)
            .map_err(StoreError::io("lock", &path))?;
        let (own, lock) = register(&work)?;
        let dead = own.join("dead");
        make_dir(&dead, 0o700)?;
        let owners = owners(directory, &dead).map_err(StoreError::io("compare owners in", &own))?;
        if !owners.same {
            crate::remove::tree(&own).ok();
            return Err(foreign());
        }
        collect_dead(&work, &own, &dead).map_err(StoreError::io("clean", &work))?;
        drop(registration);
        // This may take long, and nobody has to wait for it. What cannot be removed goes with this
        // build, or the next one.
        crate::remove::tree(&dead).ok();

        let scratch = own.join("scratch");
        let inner = Inner {
            directory: directory.to_owned(),
            own,
            scratch,
            next: AtomicU64::new(0),
            gives_away: owners.given,
            _lock: lock,
        };
        make_dir(&inner.scratch, 0o700)?;
        make_dir(&inner.own.join("blobs"), 0o700)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Where a blob lies, if it is here. It was whole and verified when it was written; one that a
    /// power failure has shortened since does not have its `size` (bytes) and is not here.
    pub fn blob(&self, digest: &Digest, size: u64) -> Option<PathBuf> {
        let path = self.blob_path(digest);
        let whole = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == size);
        whole.then_some(path)
    }

    /// Drops a blob that turned out to be damaged, so that the next one who needs it gets it anew.
    pub fn forget(&self, digest: &Digest) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Begins to write a blob whose digest and size (bytes) are known. Any number of writers may
    /// write the same blob at once, also in different builds.
    pub fn writer(&self, digest: Digest, size: u64) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(self, digest, size)
    }

    /// This build's own directory, on the store's file system. It goes with the last handle.
    pub fn scratch(&self) -> &Path {
        &self.0.scratch
    }

    /// Where the unpacked image with a chain id lies, or will lie.
    pub fn root(&self, chain_id: &Digest) -> PathBuf {
        self.0.directory.join("roots").join(chain_id.hex())
    }

    /// Whether the unpacked image with a chain id is here, whole.
    pub fn has_root(&self, chain_id: &Digest) -> bool {
        self.root(chain_id).is_dir()
    }

    /// Makes a finished directory, made beneath [`Store::scratch`], the root of a chain id. If
    /// another build was faster, its root stays and `unpacked` is removed.
    pub fn publish_root(&self, chain_id: &Digest, unpacked: &Path) -> Result<PathBuf, StoreError> {
        let root = self.root(chain_id);
        match rustix::fs::rename(unpacked, &root) {
            Ok(()) => Ok(root),
            Err(Errno::EXIST | Errno::NOTEMPTY) => {
                crate::remove::tree(unpacked).map_err(StoreError::io("remove", unpacked))?;
                Ok(root)
            }
            Err(error) => Err(StoreError::io("publish", unpacked)(error.into())),
        }
    }

    /// Whether files in it can be given to other users, as everything needs that unpacks an image.
    pub fn gives_files_away(&self) -> bool {
        self.0.gives_away
    }

    /// The work directory.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.0.directory.join("blobs/sha256").join(digest.hex())
    }

    /// A path that no other writer has.
    fn temporary(&self) -> PathBuf {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.own.join("blobs").join(number.to_string())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next build. The lock goes afterwards.
        crate::remove::tree(&self.own).ok();
    }
}

/// Makes a directory for this build, and takes its lock.
fn register(work: &Path) -> Result<(PathBuf, File), StoreError> {
    let process = std::process::id();
    // Builds in different containers may have the same process id.
    for number in 0_u64.. {
        let own = work.join(format!("{process}-{number}"));
        match DirBuilder::new().mode(0o700).create(&own) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(StoreError::io("create", &own)(error)),
        }
        let path = own.join("lock");
        let lock = lock_file(&path).map_err(StoreError::io("create", &path))?;
        retry_flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(StoreError::io("lock", &path))?;
        return Ok((own, lock));
    }
    unreachable!("there are not 2^64 builds")
}

/// Owners by which maps of user ids are told from each other.
const OWNERS: [(&str, u32, u32); 2] = [("root-daemon", 0, 1), ("daemon-root", 1, 0)];

/// What came of giving files away.
struct Owners {
    /// Whether files of this build get the owners on the disk that those of the builds before it
    /// have.
    same: bool,
    /// Whether they could be given away.
    given: bool,
}

/// Finds out what owners mean here, by doing: a directory keeps files with some owners (those that
/// it can have, where owners cannot be chosen), and a build has to see there what it would make
/// itself. `trial` is a directory for what goes away.
fn owners(directory: &Path, trial: &Path) -> io::Result<Owners> {
    let fresh = trial.join("ids");
    DirBuilder::new().mode(0o755).create(&fresh)?;
    let mut given = true;
    for (name, uid, gid) in OWNERS {
        let path = fresh.join(name);
        File::create_new(&path)?;
        given &= std::os::unix::fs::chown(&path, Some(uid), Some(gid)).is_ok();
    }
    let kept = directory.join("ids");
    let mut same = true;
    match rustix::fs::rename(&fresh, &kept) {
        Ok(()) => return Ok(Owners { same, given }),
        Err(Errno::EXIST | Errno::NOTEMPTY) => {}
        Err(error) => return Err(error.into()),
    }
    for (name, ..) in OWNERS {
        let owner = |directory: &Path| -> io::Result<(u32, u32)> {
            let metadata = fs::symlink_metadata(directory.join(name))?;
            Ok((metadata.uid(), metadata.gid()))
        };
        same &= owner(&fresh)? == owner(&kept)?;
    }
    Ok(Owners { same, given })
}

/// Moves the directories of builds that do not hold their lock to `dead`. What cannot be moved (it
/// may be another user's) stays.
fn collect_dead(work: &Path, own: &Path, dead: &Path) -> io::Result<()> {
    for name in crate::rootdir::names(File::open(work)?.as_fd())? {
        let build = work.join(&name);
        if build == own {
            continue;
        }
        let lives = match File::open(build.join("lock")) {
            Ok(lock) => retry_flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        if !lives {
            std::fs::rename(&build, dead.join(&name)).ok();
        }
    }
    Ok(())
}

fn make_dir(path: &Path, mode: u32) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(StoreError::io("create", path))
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn retry_flock(file: &File, operation: FlockOperation) -> io::Result<()> {
    Ok(rustix::io::retry_on_intr(|| rustix::fs::flock(file, operation))?)
}

#[cfg(test)]
mod tests;
