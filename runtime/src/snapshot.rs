//! Roots of file systems between steps, and what changed in them.

use std::sync::Arc;

use rustix::fd::OwnedFd;

use crate::layer::entry::Entry;
use crate::rootdir::RootDir;

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
/// All methods block; callers run them on a thread that may.
pub(crate) trait Snapshotter: Send + Sync {
    /// What the log calls it.
    fn name(&self) -> &'static str;

    /// An empty root.
    fn scratch(&self) -> Result<Snapshot, SnapshotError>;

    /// A root that is a directory of the store which nobody changes any more (an unpacked image).
    fn base(&self, directory: &std::path::Path) -> Result<Snapshot, SnapshotError>;

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
pub(crate) trait Active: Send {
    /// The root, for reading and writing.
    fn root(&self) -> &RootDir;

    /// The root as a mount that is attached nowhere, for `move_mount(2)` into a step's own mount
    /// namespace. None where mounting is not to be had.
    fn mount(&self) -> Result<Option<OwnedFd>, SnapshotError>;

    /// Ends the work: what changed, and the root as it is now.
    fn commit(self: Box<Self>) -> Result<(Snapshot, ChangeSet), SnapshotError>;
}

/// A root to read. Keeps the snapshot, and what was mounted for it, alive.
pub(crate) struct View {
    root: RootDir,
    _snapshot: Snapshot,
}

/// What a step changed.
#[derive(Clone)]
pub(crate) struct ChangeSet {
    /// Sorted by path bytewise, parents before children. The root itself (empty path) is in it
    /// only if its mode, owner or xattrs changed.
    pub entries: Vec<Entry>,
    /// Where the content of the entries' files is read, beneath their paths.
    pub content: Arc<RootDir>,
}

/// A root that nobody changes any more. Cheap to clone; the last handle removes its files, unless
/// they are the store's.
#[derive(Clone)]
pub(crate) enum Snapshot {}

/// Why a root could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {}
