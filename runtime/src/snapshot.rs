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
    fn begin(&self, parent: &Snapshot, parent_use: ParentUse)
    -> Result<Box<dyn Active>, SnapshotError>;

    /// A snapshot's root, for reading. Valid as long as the result lives.
    fn view(&self, snapshot: &Snapshot) -> Result<View, SnapshotError>;
}
