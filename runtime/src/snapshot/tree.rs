//! Roots as plain directories: what a step changed is found by comparing what the file system
//! says about every path before and after it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::Mode;
use tokio_util::sync::CancellationToken;

use super::copy::copy_root;
use super::scratch::{Scratch, ScratchDir};
use super::{Active, ChangeSet, ParentUse, Snapshot, SnapshotError, Snapshotter, View, cannot};
use crate::rootdir::RootDir;

mod compare;
mod pristine;
mod records;

pub(crate) use pristine::Again;
use pristine::Pristine;
use records::Baseline;

/// Snapshots as plain directories, for where overlays are not to be had: finding a change costs a
/// walk of the whole root, and a second root a copy of it.
#[derive(Debug)]
pub(crate) struct Tree {
    scratch: Arc<Scratch>,
}

/// A root in a plain directory.
#[derive(Debug)]
pub(crate) struct Plain {
    files: Files,
    /// Whether a later step was allowed to change the files.
    handed_over: AtomicBool,
}

#[derive(Debug)]
enum Files {
    /// The store's, which are never changed.
    Kept(PathBuf),
    /// Our own: [`ROOT`] in the directory.
    Own { dir: Arc<ScratchDir>, baseline: Arc<Baseline> },
}

/// The root's directory, within a scratch directory.
const ROOT: &str = "root";

impl Tree {
    /// Works in a directory, which is made if it is missing.
    pub(crate) fn new(scratch: &Path, cancel: CancellationToken) -> Result<Self, SnapshotError> {
        Ok(Self { scratch: Arc::new(Scratch::new(scratch, cancel)?) })
    }

    fn plain<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a Plain, SnapshotError> {
        match snapshot {
            Snapshot::Tree(plain) => plain.untouched(),
            Snapshot::Overlay(_) => Err(SnapshotError::Foreign { name: self.name() }),
        }
    }

    /// An empty directory for a root.
    fn fresh(&self) -> Result<(Arc<ScratchDir>, RootDir), SnapshotError> {
        let dir = Arc::new(self.scratch.dir()?);
        let path = dir.path().join(ROOT);
        let mode = Mode::from_raw_mode(0o755);
        let make = || {
            rustix::fs::mkdir(&path, mode)?;
            // Whatever the umask is.
            rustix::fs::chmod(&path, mode)
        };
        make().map_err(cannot("create the directory", &path))?;
        let root = open(&path)?;
        Ok((dir, root))
    }

    fn working(
        &self,
        dir: Arc<ScratchDir>,
        root: RootDir,
        baseline: Arc<Baseline>,
    ) -> Box<dyn Active> {
        Box::new(Working { root, dir, baseline, scratch: Arc::clone(&self.scratch) })
    }
}

impl Plain {
    fn snapshot(files: Files) -> Snapshot {
        Snapshot::Tree(Arc::new(Self { files, handed_over: AtomicBool::new(false) }))
    }

    fn path(&self) -> PathBuf {
        match &self.files {
            Files::Kept(path) => path.clone(),
            Files::Own { dir, .. } => dir.path().join(ROOT),
        }
    }

    /// Itself, unless a later step changes it.
    fn untouched(&self) -> Result<&Self, SnapshotError> {
        if self.handed_over.load(Ordering::Acquire) {
            return Err(SnapshotError::HandedOver { path: self.path() });
        }
        Ok(self)
    }
}

impl Snapshotter for Tree {
    fn works_in_place(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "tree"
    }

    fn scratch(&self) -> Result<Snapshot, SnapshotError> {
        let (dir, root) = self.fresh()?;
        let baseline = Arc::new(Baseline::take(&root, Pristine::Empty, &self.scratch)?);
        Ok(Plain::snapshot(Files::Own { dir, baseline }))
    }

    fn base(&self, directory: &Path) -> Result<Snapshot, SnapshotError> {
        let directory = directory.canonicalize().map_err(cannot("find", directory))?;
        Ok(Plain::snapshot(Files::Kept(directory)))
    }

    fn adopt(&self, directory: &Path, again: Again) -> Result<Snapshot, SnapshotError> {
        let dir = Arc::new(self.scratch.dir()?);
        let path = dir.path().join(ROOT);
        std::fs::rename(directory, &path).map_err(cannot("move", directory))?;
        let root = open(&path)?;
        let baseline = Baseline::take(&root, Pristine::given(again), &self.scratch)?;
        Ok(Plain::snapshot(Files::Own { dir, baseline: Arc::new(baseline) }))
    }

    fn begin(
        &self,
        parent: &Snapshot,
        parent_use: ParentUse,
    ) -> Result<Box<dyn Active>, SnapshotError> {
        let parent = self.plain(parent)?;
        let source = open(&parent.path())?;
        if let (ParentUse::Last, Files::Own { dir, baseline }) = (parent_use, &parent.files) {
            baseline.remember_content(&source, self.scratch.cancel())?;
            if parent.handed_over.swap(true, Ordering::AcqRel) {
                return Err(SnapshotError::HandedOver { path: parent.path() });
            }
            self.scratch.wait_after(baseline.taken())?;
            return Ok(self.working(Arc::clone(dir), source, Arc::clone(baseline)));
        }
        let (dir, root) = self.fresh()?;
        copy_root(&source, &root, self.scratch.cancel())?;
        let baseline = match &parent.files {
            Files::Kept(path) => {
                let pristine = Pristine::Kept(Arc::new(open(path)?));
                Baseline::take(&root, pristine, &self.scratch)?
            }
            Files::Own { baseline, .. } => {
                baseline.remember_content(&source, self.scratch.cancel())?;
                baseline.taken_again(&root, &self.scratch)?
            }
        };
        self.scratch.wait_after(baseline.taken())?;
        Ok(self.working(dir, root, Arc::new(baseline)))
    }

    fn view(&self, snapshot: &Snapshot) -> Result<View, SnapshotError> {
        let root = open(&self.plain(snapshot)?.path())?;
        Ok(View { root, _snapshot: snapshot.clone() })
    }
}

/// A directory that a step changes.
struct Working {
    root: RootDir,
    dir: Arc<ScratchDir>,
    baseline: Arc<Baseline>,
    scratch: Arc<Scratch>,
}

impl Active for Working {
    fn root(&self) -> &RootDir {
        &self.root
    }

    fn mount(&self) -> Result<Option<OwnedFd>, SnapshotError> {
        // Refused with various errors, and whatever the reason is: chroot(2) needs no mount.
        Ok(self.root.detached().ok())
    }

    fn note(&self, path: &Path) -> Result<(), SnapshotError> {
        self.baseline.note(&self.root, path, self.scratch.cancel())
    }

    fn commit(self: Box<Self>) -> Result<(Snapshot, ChangeSet), SnapshotError> {
        let (baseline, entries) = compare::changes(&self.root, &self.baseline, &self.scratch)?;
        let files = Files::Own { dir: self.dir, baseline: Arc::new(baseline) };
        Ok((Plain::snapshot(files), ChangeSet { entries, content: Arc::new(self.root) }))
    }
}

fn open(path: &Path) -> Result<RootDir, SnapshotError> {
    RootDir::open(path).map_err(cannot("open", path))
}
