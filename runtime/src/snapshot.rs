//! Roots of file systems between steps, and what changed in them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::OwnedFd;
use tokio_util::sync::CancellationToken;

use crate::cancel::{self, Cancelled};
use crate::layer::entry::Entry;
use crate::rootdir::RootDir;

mod changes;
mod copy;
mod ignored;
mod overlay;
mod scratch;
mod tree;
mod walk;

pub(crate) use copy::copy_what_is_allowed;
pub use ignored::{Ignored, IgnoredError};
pub(crate) use overlay::Overlay;
pub(crate) use tree::{Again, Tree};

/// Makes roots, and finds what a step changed in one.
///
/// A [`Snapshot`] is read-only. A step works in an [`Active`] root on top of it, and commits it:
///
/// ```text
/// parent --begin--> Active --commit--> Snapshot + ChangeSet
///                     \----drop------> nothing
/// ```
///
/// What every implementation promises, and `contract` in the tests checks for each:
/// - **isolation**: what is written in an active root is invisible elsewhere;
/// - **identity**: the same changes on the same parent give the same change set, entry by entry,
///   whichever implementation finds them;
/// - **cleanliness**: nothing of the machinery (overlay's whiteouts, opaque marks and attributes)
///   is in a change set, and dropping the last handle of a snapshot removes its files;
/// - **concurrency**: any number of active roots may be open at once, also on one parent.
///
/// All methods block; callers run them on a thread that may. What takes long ends with
/// [`SnapshotError::Cancelled`] soon after the token is triggered that the snapshotter was made with.
pub(crate) trait Snapshotter: Send + Sync {
    /// What the log calls it.
    fn name(&self) -> &'static str;

    /// Whether a root that is begun with [`ParentUse::Last`] changes the parent's own files, so
    /// that the parent's change set must have been archived before.
    fn works_in_place(&self) -> bool;

    /// An empty root.
    fn scratch(&self) -> Result<Snapshot, SnapshotError>;

    /// A root that is a directory of the store which nobody changes any more (an unpacked image).
    fn base(&self, directory: &Path) -> Result<Snapshot, SnapshotError>;

    /// A root that is a directory which is given away, on the file system of this one's own. A step
    /// may change its files; `again` makes the same once more, for whoever has to know how it was.
    fn adopt(&self, directory: &Path, again: Again) -> Result<Snapshot, SnapshotError>;

    /// Opens a writable root that starts as `parent`.
    ///
    /// With [`ParentUse::Last`] nobody looks at `parent` afterwards (its change set excepted, which
    /// was archived before), so its files may be changed in place.
    fn begin(
        &self,
        parent: &Snapshot,
        parent_use: ParentUse,
    ) -> Result<Box<dyn Active>, SnapshotError>;

    /// A snapshot's root, for reading. Valid as long as the result lives.
    fn view(&self, snapshot: &Snapshot) -> Result<View, SnapshotError>;
}

/// Whether a parent is needed after a root was begun on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParentUse {
    /// Someone else reads it, or builds on it too.
    Shared,
    /// Nobody does.
    Last,
}

/// A root that a step works in. Dropping it discards it; only [`Active::commit`] keeps it.
pub(crate) trait Active: Send + Sync {
    /// The root, for reading and writing.
    fn root(&self) -> &RootDir;

    /// The root as a mount that is attached nowhere, for `move_mount(2)` into a step's own mount
    /// namespace. None where mounting is not to be had.
    fn mount(&self) -> Result<Option<OwnedFd>, SnapshotError>;

    /// Says of a path that what is there will be moved away and back, and is no change for that.
    fn note(&self, path: &Path) -> Result<(), SnapshotError>;

    /// Ends the work: what changed, and the root as it is now.
    fn commit(self: Box<Self>) -> Result<(Snapshot, ChangeSet), SnapshotError>;
}

/// A root to read. Keeps the snapshot, and what was mounted for it, alive.
pub(crate) struct View {
    root: RootDir,
    _snapshot: Snapshot,
}

impl View {
    /// The root. Writing to it is an error where the system can see to that (an overlay of several
    /// directories), and a mistake everywhere.
    pub(crate) fn root(&self) -> &RootDir {
        &self.root
    }
}

/// What a step changed.
#[derive(Clone)]
pub(crate) struct ChangeSet {
    /// Sorted by path bytewise, parents before children. The root itself (empty path) is in it
    /// only if its mode, owner or xattrs changed.
    ///
    /// An entry is in it if anything that [`Entry`] keeps, or a file's content, is not as in the
    /// parent: what was written, but is as before, is not. Of a file with several names either
    /// all names are in it (the first as [`Kind::File`], the others as [`Kind::Hardlink`]) or
    /// none. What replaces a directory, or a directory that replaces something else, stands for
    /// the deletion of what was there.
    ///
    /// Sockets, and character devices 0:0 (which is how overlays write a deletion), count as
    /// absent.
    ///
    /// [`Kind::File`]: crate::layer::entry::Kind::File
    /// [`Kind::Hardlink`]: crate::layer::entry::Kind::Hardlink
    pub entries: Vec<Entry>,
    /// Where the content of the entries' files is read, beneath their paths. Readable as long as
    /// the snapshot lives that came with it.
    pub content: Arc<RootDir>,
}

/// A root that nobody changes any more. Cheap to clone; the last handle removes its files, unless
/// they are the store's.
#[derive(Clone)]
pub(crate) enum Snapshot {
    /// A stack of directories.
    Overlay(Arc<overlay::Stack>),
    /// One plain directory.
    Tree(Arc<tree::Plain>),
}

/// Which snapshotter someone wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best that works.
    Auto,
    /// A stack of directories, or an error.
    Overlay,
    /// One plain directory, or an error.
    Tree,
}

/// A snapshotter that works in a directory, which is made if it is missing, and why better ones
/// do not. `cancel` ends what it does early.
pub(crate) fn choose(
    choice: Choice,
    scratch: &Path,
    cancel: &CancellationToken,
) -> Result<(Box<dyn Snapshotter>, Vec<String>), SnapshotError> {
    match choice {
        Choice::Overlay => {
            overlay::probe(scratch)?;
            Ok((Box::new(Overlay::new(scratch, cancel.clone())?), Vec::new()))
        }
        Choice::Tree => Ok((Box::new(Tree::new(scratch, cancel.clone())?), Vec::new())),
        Choice::Auto => match choose(Choice::Overlay, scratch, cancel) {
            Ok(chosen) => Ok(chosen),
            Err(error) => Ok((
                Box::new(Tree::new(scratch, cancel.clone())?),
                vec![format!("overlay: {}", chain(&error))],
            )),
        },
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Why a root could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused something.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// A verb, and what of the path it is about.
        action: &'static str,
        /// Of the builder's file system, or absolute within a root.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The kernel refused an overlay.
    #[error("cannot mount an overlay in {}{explanation}", scratch.display())]
    Mount {
        /// Where its upper directory is.
        scratch: PathBuf,
        /// What the file system said about it, after `: `; empty if it kept silent.
        explanation: String,
        /// What the system call said.
        source: io::Error,
    },
    /// An overlay cannot be written to an overlay.
    #[error(
        "{} lies on an overlay itself, as the root of a container does; a volume does not",
        scratch.display()
    )]
    Nested {
        /// Where it was tried.
        scratch: PathBuf,
    },
    /// An overlay could be mounted, but does not do what it should.
    #[error("cannot rely on overlays in {}: found {found}", scratch.display())]
    Unreliable {
        /// Where it was tried.
        scratch: PathBuf,
        /// What came out of the trial.
        found: String,
    },
    /// A base that a step was allowed to change could not be made again.
    #[error("cannot make the base image's root again")]
    Again(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A snapshot was given to a snapshotter that did not make it.
    #[error("cannot use a root of another snapshotter as {name}")]
    Foreign {
        /// The snapshotter that was given it.
        name: &'static str,
    },
    /// A snapshot was used after a step had been allowed to change its files in place.
    #[error("cannot read {}, which was handed over to a later step", path.display())]
    HandedOver {
        /// Its directory.
        path: PathBuf,
    },
    /// The build was cancelled.
    #[error("cannot go on: the build was cancelled")]
    Cancelled,
}

impl From<Cancelled> for SnapshotError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Turns a refusal of the file system into an error that says what was tried on which path.
fn cannot<E: Into<io::Error>>(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> SnapshotError + use<E> {
    let path = path.to_owned();
    move |source| {
        let source = source.into();
        if cancel::is_cancelled(&source) {
            return SnapshotError::Cancelled;
        }
        SnapshotError::Io { action, path, source }
    }
}

/// As [`cannot`], for a path within a root.
fn cannot_inside<E: Into<io::Error>>(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> SnapshotError + use<E> {
    cannot(action, &Path::new("/").join(path))
}

#[cfg(test)]
mod tests;
