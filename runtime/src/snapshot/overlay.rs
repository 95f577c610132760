//! Roots as stacks of directories: an overlay mount shows them as one, and its upper directory is
//! what a step changed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{CWD, Mode};
use tokio_util::sync::CancellationToken;

use super::copy::copy_root;
use super::scratch::{Scratch, ScratchDir};
use super::walk::present_at;
use super::{
    Active, Again, ChangeSet, ParentUse, Snapshot, SnapshotError, Snapshotter, View, cannot,
};
use crate::layer::metadata;
use crate::rootdir::RootDir;

mod mount;
mod trial;
mod upper;

pub(super) use trial::probe;

/// A stack that grew to this many directories is merged into one. Linux mounts at most 500, and a
/// lookup of a name that does not exist asks each.
const TALLEST: usize = 400;

/// Snapshots as overlays: their cost follows the change, not the root.
///
/// Two effects of the kernel's are seen in the change sets, and nowhere in those of
/// [`Tree`](super::Tree): changing one of several names of a parent's file leaves the others as
/// they were, and a parent's directory cannot be renamed (`EXDEV`; every tool then copies). The
/// kernel could keep the names together (`index=on`), but not in a user namespace, and no longer
/// than one mount lives.
#[derive(Debug)]
pub(crate) struct Overlay {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    scratch: Scratch,
    mounter: mount::Mounter,
    tallest: usize,
}

/// The directories that make up a root.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Never empty; the lowest first.
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
enum Layer {
    /// Of the store.
    Kept(Arc<Path>),
    /// Our own: [`UPPER`] in it.
    Own(Arc<ScratchDir>),
}

/// A step's own layer, within its scratch directory.
const UPPER: &str = "upper";
/// What overlayfs needs beside it, on the same file system.
const WORK: &str = "work";

impl Overlay {
    /// Works in a directory, which is made if it is missing. Whether overlays work there is for
    /// [`choose`](super::choose) to find out.
    pub(crate) fn new(scratch: &Path, cancel: CancellationToken) -> Result<Self, SnapshotError> {
        let scratch = Scratch::new(scratch, cancel)?;
        let mounter = mount::Mounter::detect(scratch.path());
        Ok(Self::with(scratch, mounter, TALLEST))
    }

    fn with(scratch: Scratch, mounter: mount::Mounter, tallest: usize) -> Self {
        let tallest = tallest.min(mounter.tallest());
        Self { shared: Arc::new(Shared { scratch, mounter, tallest }) }
    }

    fn stack<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a Arc<Stack>, SnapshotError> {
        match snapshot {
            Snapshot::Overlay(stack) => Ok(stack),
            Snapshot::Tree(_) => Err(SnapshotError::Foreign { name: self.name() }),
        }
    }
}

impl Snapshotter for Overlay {
    fn works_in_place(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        "overlay"
    }

    fn scratch(&self) -> Result<Snapshot, SnapshotError> {
        let dir = self.shared.scratch.dir()?;
        make_dir(&dir.path().join(UPPER), 0o755)?;
        Ok(Snapshot::Overlay(Arc::new(Stack { layers: vec![Layer::Own(Arc::new(dir))] })))
    }

    fn base(&self, directory: &Path) -> Result<Snapshot, SnapshotError> {
        let directory = directory.canonicalize().map_err(cannot("find", directory))?;
        Ok(Snapshot::Overlay(Arc::new(Stack { layers: vec![Layer::Kept(directory.into())] })))
    }

    fn adopt(&self, directory: &Path, _again: Again) -> Result<Snapshot, SnapshotError> {
        let dir = self.shared.scratch.dir()?;
        let path = dir.path().join(UPPER);
        std::fs::rename(directory, path).map_err(cannot("move", directory))?;
        Ok(Snapshot::Overlay(Arc::new(Stack { layers: vec![Layer::Own(Arc::new(dir))] })))
    }

    fn begin(
        &self,
        parent: &Snapshot,
        _parent_use: ParentUse,
    ) -> Result<Box<dyn Active>, SnapshotError> {
        let parent = Arc::clone(self.stack(parent)?);
        let dir = self.shared.scratch.dir()?;
        let (upper, work) = (dir.path().join(UPPER), dir.path().join(WORK));
        make_dir(&upper, 0o700)?;
        make_dir(&work, 0o700)?;
        copy_attributes(&parent.top().path(), &upper)?;
        let spec = mount::Spec { lowers: parent.paths(), own: Some((&upper, &work)) };
        let root = RootDir::from_fd(self.shared.mount(&spec)?);
        Ok(Box::new(Working { root, dir, parent, shared: Arc::clone(&self.shared) }))
    }

    fn view(&self, snapshot: &Snapshot) -> Result<View, SnapshotError> {
        let root = self.shared.open(self.stack(snapshot)?)?;
        Ok(View { root, _snapshot: snapshot.clone() })
    }
}

impl Shared {
    fn mount(&self, spec: &mount::Spec<'_>) -> Result<OwnedFd, SnapshotError> {
        self.mounter.mount(spec, &self.scratch)
    }

    /// A stack's root, for reading.
    fn open(&self, stack: &Stack) -> Result<RootDir, SnapshotError> {
        if let [only] = stack.layers.as_slice() {
            let path = only.path();
            return RootDir::open(&path).map_err(cannot("open", &path));
        }
        let spec = mount::Spec { lowers: stack.paths(), own: None };
        Ok(RootDir::from_fd(self.mount(&spec)?))
    }

    /// The same root as one directory.
    fn flatten(&self, stack: &Stack) -> Result<Stack, SnapshotError> {
        let dir = self.scratch.dir()?;
        let upper = dir.path().join(UPPER);
        make_dir(&upper, 0o700)?;
        let target = RootDir::open(&upper).map_err(cannot("open", &upper))?;
        copy_root(&self.open(stack)?, &target, self.scratch.cancel())?;
        Ok(Stack { layers: vec![Layer::Own(Arc::new(dir))] })
    }
}

impl Stack {
    fn top(&self) -> &Layer {
        self.layers.last().expect("a stack is made with a layer, and only grows")
    }

    /// The lowest first.
    fn paths(&self) -> Vec<PathBuf> {
        self.layers.iter().map(Layer::path).collect()
    }
}

impl Layer {
    fn path(&self) -> PathBuf {
        match self {
            Self::Kept(path) => path.to_path_buf(),
            Self::Own(dir) => dir.path().join(UPPER),
        }
    }
}

/// A mounted overlay with its own upper directory. The fields are dropped in this order: the mount
/// first, then what it is made of.
struct Working {
    root: RootDir,
    dir: ScratchDir,
    parent: Arc<Stack>,
    shared: Arc<Shared>,
}

impl Active for Working {
    fn root(&self) -> &RootDir {
        &self.root
    }

    fn mount(&self) -> Result<Option<OwnedFd>, SnapshotError> {
        if let Ok(clone) = self.root.detached() {
            return Ok(Some(clone));
        }
        // Linux before 6.15 does not clone what is not attached. Moving the mount itself leaves
        // our descriptor of it as good as before; only that it can be done just once.
        let own = self.root.fd().try_clone_to_owned();
        own.map(Some).map_err(cannot("open", self.dir.path()))
    }

    fn note(&self, _path: &Path) -> Result<(), SnapshotError> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(Snapshot, ChangeSet), SnapshotError> {
        let Self { root, dir, parent, shared } = *self;
        drop(root);
        let work = dir.path().join(WORK);
        crate::remove::tree(&work).map_err(cannot("remove", &work))?;
        let upper = dir.path().join(UPPER);
        let content = RootDir::open(&upper).map_err(cannot("open", &upper))?;
        let changes = upper::changes(&content, &shared.open(&parent)?, shared.scratch.cancel())?;
        let mut layers = parent.layers.clone();
        layers.push(Layer::Own(Arc::new(dir)));
        let mut stack = Stack { layers };
        let mut content = content;
        if stack.layers.len() >= shared.tallest {
            stack = shared.flatten(&stack)?;
            // The step's own directory goes with the stack that was merged.
            let merged = stack.top().path();
            content = RootDir::open(&merged).map_err(cannot("open", &merged))?;
        } else if changes.below {
            content = shared.open(&stack)?;
        }
        let (entries, content) = (changes.entries, Arc::new(content));
        Ok((Snapshot::Overlay(Arc::new(stack)), ChangeSet { entries, content }))
    }
}

/// Makes a directory with exactly this mode.
fn make_dir(path: &Path, mode: u32) -> Result<(), SnapshotError> {
    let mode = Mode::from_raw_mode(mode);
    let make = || {
        rustix::fs::mkdir(path, mode)?;
        rustix::fs::chmod(path, mode)
    };
    make().map_err(cannot("create the directory", path))
}

/// Gives a directory the attributes of another: the root of an overlay has those of its topmost
/// directory.
fn copy_attributes(from: &Path, to: &Path) -> Result<(), SnapshotError> {
    let copy = || -> std::io::Result<()> {
        let source = RootDir::open(from)?;
        let here = OsStr::new(".");
        if let Some((entry, _)) = present_at(source.fd(), here, PathBuf::new())? {
            metadata::apply(CWD.as_fd(), to.as_os_str(), &entry)?;
        }
        Ok(())
    };
    copy().map_err(cannot("copy the attributes of", from))
}

#[cfg(test)]
mod tests;
