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

use super::error::NodeError;

/// What a cache mount asks for.
pub(super) struct Request<'a> {
    /// What the directory is kept under.
    pub id: &'a str,
    /// What the directory begins as. As in BuildKit, directories of one id that begin as something
    /// else are others.
    pub base: Base<'a>,
    /// Who may use it at the same time.
    pub sharing: Sharing,
}

/// What a directory begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base<'a> {
    /// An empty one.
    Made {
        /// Its mode.
        mode: u32,
        /// Its owner and group.
        owner: (u32, u32),
    },
    /// A copy.
    Copied {
        /// The key of what is copied.
        from: ir::Digest,
        /// The path within that.
        source: &'a str,
    },
}

/// A directory in use. Dropping it lets the next one in that must not share it.
pub(super) struct CacheDirectory {
    /// Where it is on the builder's disk.
    pub path: PathBuf,
    _lock: File,
}

impl Base<'_> {
    /// What tells it from others; nothing for what a mount that asks for nothing has.
    fn name(self) -> String {
        match self {
            Self::Made { mode: 0o755, owner: (0, 0) } => String::new(),
            Self::Made { mode, owner: (uid, gid) } => format!("\0{mode:o} {uid}:{gid}"),
            Self::Copied { from, source } => format!("\0{from} {source}"),
        }
    }
}

impl Request<'_> {
    /// Opens the directory below the work directory; waits where it is `locked` and in use. A new
    /// one is there for others only when `fill` is done with it.
    ///
    /// A `private` one that is in use is passed over for the next of the same id.
    ///
    /// # Errors
    ///
    /// Those of `fill`; then there is no directory.
    pub(super) fn open(
        &self,
        work: &Path,
        cancel: &CancellationToken,
        fill: impl FnOnce(&Path) -> Result<(), NodeError>,
    ) -> Result<CacheDirectory, NodeError> {
        let name = format!("{}{}", self.id, self.base.name());
        let digest = ir::Digest::from_bytes(Sha256::digest(name).into());
        let parent = work.join("mounts").join(digest.hex());
        let failed =
            |source| NodeError::Io { action: "open the cache in", path: parent.clone(), source };
        let (path, lock) = self.free(&parent, cancel).map_err(failed)?;
        let making = File::create(parent.join("making.lock")).map_err(failed)?;
        wait_for(&making, FlockOperation::NonBlockingLockExclusive, cancel).map_err(failed)?;
        // What is mounted is followed.
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_dir()) {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        if !path.exists() {
            let fresh = parent.join("making");
            self.make(&fresh).map_err(failed)?;
            fill(&fresh)?;
            fs::rename(&fresh, &path).map_err(failed)?;
        }
        Ok(CacheDirectory { path, _lock: lock })
    }

    /// Makes the directory that is to be filled.
    fn make(&self, fresh: &Path) -> io::Result<()> {
        if fresh.exists() {
            // Left by a builder that was killed, or failed, here.
            fs::remove_dir_all(fresh)?;
        }
        fs::create_dir(fresh)?;
        if let Base::Made { mode, owner } = self.base {
            chown(fresh, Some(owner.0), Some(owner.1))?;
            fs::set_permissions(fresh, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// The directory's path, and what keeps others from it.
    fn free(&self, parent: &Path, cancel: &CancellationToken) -> io::Result<(PathBuf, File)> {
        fs::create_dir_all(parent)?;
        for number in 0_u32.. {
            let lock = File::create(parent.join(format!("{number}.lock")))?;
            let operation = match self.sharing {
                Sharing::Shared => FlockOperation::NonBlockingLockShared,
                Sharing::Locked | Sharing::Private => FlockOperation::NonBlockingLockExclusive,
            };
            match rustix::fs::flock(&lock, operation) {
                Ok(()) => return Ok((parent.join(number.to_string()), lock)),
                // In use by someone who does not share.
                Err(rustix::io::Errno::WOULDBLOCK) if self.sharing == Sharing::Private => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    wait_for(&lock, operation, cancel)?;
                    return Ok((parent.join(number.to_string()), lock));
                }
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the loop ends with a free directory or an error")
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

    const PLAIN: Base<'_> = Base::Made { mode: 0o755, owner: (0, 0) };

    fn open(work: &Path, sharing: Sharing) -> CacheDirectory {
        let request = Request { id: "pip", base: PLAIN, sharing };
        request.open(work, &CancellationToken::new(), |_| Ok(())).unwrap()
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
        assert!(third.path.join("kept").exists());
    }

    #[test]
    fn shared_ones_are_one_unless_they_begin_as_something_else() {
        let work = tempfile::tempdir().unwrap();
        let (first, second) =
            (open(work.path(), Sharing::Shared), open(work.path(), Sharing::Shared));
        assert_eq!(first.path, second.path);
        let key = |byte| ir::Digest::from_bytes([byte; 32]);
        let mut paths = vec![first.path];
        for base in [
            Base::Made { mode: 0o700, owner: (0, 0) },
            Base::Made { mode: 0o755, owner: (7, 0) },
            Base::Copied { from: key(1), source: "/a" },
            Base::Copied { from: key(1), source: "/b" },
            Base::Copied { from: key(2), source: "/a" },
        ] {
            let request = Request { id: "pip", base, sharing: Sharing::Shared };
            let opened = request.open(work.path(), &CancellationToken::new(), |_| Ok(())).unwrap();
            assert!(!paths.contains(&opened.path), "{base:?}");
            paths.push(opened.path);
        }
    }

    #[test]
    fn one_that_could_not_be_filled_is_not_there() {
        let work = tempfile::tempdir().unwrap();
        let request = Request { id: "x", base: PLAIN, sharing: Sharing::Shared };
        let half = |path: &Path| {
            fs::write(path.join("half"), "").unwrap();
            Err(NodeError::Cancelled)
        };
        assert!(request.open(work.path(), &CancellationToken::new(), half).is_err());
        let whole = |path: &Path| {
            fs::write(path.join("whole"), "").unwrap();
            Ok(())
        };
        let filled = request.open(work.path(), &CancellationToken::new(), whole).unwrap();
        assert!(filled.path.join("whole").exists() && !filled.path.join("half").exists());
    }
}
