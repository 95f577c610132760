//! Directories of `RUN --mount=type=cache`: kept in the work directory, shared between builds.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ir::op::Sharing;
use rustix::fs::FlockOperation;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::cancel;

/// What a cache mount asks for.
pub(super) struct Request<'a> {
    /// What the directory is kept under.
    pub id: &'a str,
    /// Who may use it at the same time.
    pub sharing: Sharing,
    /// Mode of a new directory.
    pub mode: u32,
    /// Owner and group of a new directory.
    pub owner: (u32, u32),
}

/// A directory in use. Dropping it lets the next one in that must not share it.
pub(super) struct CacheDirectory {
    /// Where it is on the builder's disk.
    pub path: PathBuf,
    /// Whether it was made just now.
    pub fresh: bool,
    _lock: File,
}

impl Request<'_> {
    /// Opens the directory below the work directory; waits where it is `locked` and in use.
    ///
    /// A `private` one that is in use is passed over for the next of the same id.
    pub(super) fn open(
        &self,
        work: &Path,
        cancel: &CancellationToken,
    ) -> io::Result<CacheDirectory> {
        let digest = ir::Digest::from_bytes(Sha256::digest(self.id).into());
        let parent = work.join("mounts").join(digest.hex());
        fs::create_dir_all(&parent)?;
        for number in 0_u32.. {
            let lock = File::create(parent.join(format!("{number}.lock")))?;
            let operation = match self.sharing {
                Sharing::Shared => FlockOperation::NonBlockingLockShared,
                Sharing::Locked | Sharing::Private => FlockOperation::NonBlockingLockExclusive,
            };
            match rustix::fs::flock(&lock, operation) {
                Ok(()) => return self.directory(parent.join(number.to_string()), lock),
                // In use by someone who does not share.
                Err(rustix::io::Errno::WOULDBLOCK) if self.sharing == Sharing::Private => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    wait_for(&lock, operation, cancel)?;
                    return self.directory(parent.join(number.to_string()), lock);
                }
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the loop ends with a free directory or an error")
    }

    fn directory(&self, path: PathBuf, lock: File) -> io::Result<CacheDirectory> {
        let fresh = match fs::create_dir(&path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error),
        };
        // What is mounted is followed.
        if !fs::symlink_metadata(&path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if fresh {
            chown(&path, Some(self.owner.0), Some(self.owner.1))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(self.mode))?;
        }
        Ok(CacheDirectory { path, fresh, _lock: lock })
    }
}

/// Waits for a lock by asking again and again: a wait in the kernel could not be ended when the
/// build is cancelled.
fn wait_for(lock: &File, operation: FlockOperation, cancel: &CancellationToken) -> io::Result<()> {
    loop {
        cancel::check(cancel)?;
        match rustix::fs::flock(lock, operation) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(Duration::from_millis(20)),
            done => return Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(work: &Path, sharing: Sharing) -> CacheDirectory {
        Request { id: "pip", sharing, mode: 0o755, owner: (0, 0) }
            .open(work, &CancellationToken::new())
            .unwrap()
    }

    #[test]
    fn private_ones_in_use_are_apart_and_free_ones_are_used_again() {
        let work = tempfile::tempdir().unwrap();
        let first = open(work.path(), Sharing::Private);
        let second = open(work.path(), Sharing::Private);
        assert_ne!(first.path, second.path);
        let path = first.path.clone();
        fs::write(path.join("kept"), "x").unwrap();
        drop(first);
        let third = open(work.path(), Sharing::Private);
        assert_eq!(third.path, path);
        assert!(!third.fresh && third.path.join("kept").exists());
    }

    #[test]
    fn shared_ones_are_one() {
        let work = tempfile::tempdir().unwrap();
        let (first, second) =
            (open(work.path(), Sharing::Shared), open(work.path(), Sharing::Shared));
        assert_eq!(first.path, second.path);
        assert!(first.fresh && !second.fresh);
    }
}
