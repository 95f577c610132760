//! Fresh directories below one directory, each removed with its last handle.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{SnapshotError, cannot};

/// Where a snapshotter keeps its files, and what ends its work early.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    next: AtomicU64,
    cancel: CancellationToken,
}

impl Scratch {
    /// Works in a directory, which is made if it is missing.
    pub(super) fn new(path: &Path, cancel: CancellationToken) -> Result<Self, SnapshotError> {
        std::fs::create_dir_all(path).map_err(cannot("create the directory", path))?;
        // Mounts name their directories by path, from wherever the process happens to be.
        let path = path.canonicalize().map_err(cannot("find the directory", path))?;
        Ok(Self { path, next: AtomicU64::new(0), cancel })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Triggered when the build is stopped.
    pub(super) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// A new empty directory that nobody but its owner can enter: what is in it may be setuid.
    pub(super) fn dir(&self) -> Result<ScratchDir, SnapshotError> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.path.join(number.to_string());
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(ScratchDir { path }),
                // Another snapshotter works here too.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot("create the directory", &path)(error)),
            }
        }
    }

    /// What the file system's clock says: the `ctime` that a change would get now.
    pub(super) fn clock(&self) -> Result<Tick, SnapshotError> {
        let path = self.path.join("clock");
        let touch = || {
            let file =
                std::fs::File::options().create(true).truncate(false).write(true).open(&path)?;
            // Sets ctime, also when the mode is what it was.
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            let metadata = file.metadata()?;
            Ok(Tick(metadata.ctime(), metadata.ctime_nsec()))
        };
        touch().map_err(cannot::<io::Error>("read the time of", &path))
    }

    /// Waits until a change gets another `ctime` than one at `tick` would. The clock of file
    /// systems ticks every few milliseconds (Linux 6.13 and newer give a finer time to what was
    /// looked at, and do not make anyone wait).
    pub(super) fn wait_after(&self, tick: Tick) -> Result<(), SnapshotError> {
        while self.clock()? == tick {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// A point in time of a file system's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick(i64, i64);

/// A directory that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct ScratchDir {
    path: PathBuf,
}

impl ScratchDir {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // Nobody is left to tell, and a later build clears the work directory.
        crate::remove::tree(&self.path).ok();
    }
}
