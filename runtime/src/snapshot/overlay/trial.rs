//! Finding out whether overlays work in a directory, by using one.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use tokio_util::sync::CancellationToken;

use super::Overlay;
use crate::layer::entry::{Entry, Kind};
use crate::rootdir::RootDir;
use crate::snapshot::{Active, ParentUse, SnapshotError, Snapshotter as _, cannot_inside};

/// Tries in a directory, and in this process' namespaces, all that a step makes overlayfs do:
/// write, delete, and replace a directory.
pub(crate) fn probe(scratch: &Path) -> Result<(), SnapshotError> {
    let tried = try_out(scratch);
    let nested =
        || rustix::fs::statfs(scratch).is_ok_and(|fs| fs.f_type == libc::OVERLAYFS_SUPER_MAGIC);
    if tried.is_err() && nested() {
        return Err(SnapshotError::Nested { scratch: scratch.to_owned() });
    }
    tried
}

fn try_out(scratch: &Path) -> Result<(), SnapshotError> {
    let overlay = Overlay::new(scratch, CancellationToken::new())?;
    let on = |active: &dyn Active, act: fn(&RootDir) -> io::Result<()>| {
        act(active.root()).map_err(cannot_inside("use the overlay's", Path::new("")))
    };
    let base = overlay.begin(&overlay.scratch()?, ParentUse::Last)?;
    on(base.as_ref(), prepare)?;
    let (base, _) = base.commit()?;
    let step = overlay.begin(&base, ParentUse::Last)?;
    on(step.as_ref(), change)?;
    let (_, changes) = step.commit()?;
    let found: Vec<String> = changes.entries.iter().map(describe).collect();
    if found == EXPECTED {
        return Ok(());
    }
    let found = if found.is_empty() { "nothing".into() } else { found.join(", ") };
    Err(SnapshotError::Unreliable { scratch: scratch.to_owned(), found })
}

/// What [`change`] changes in what [`prepare`] made.
const EXPECTED: [&str; 5] = ["directory", "directory/new", "- directory/old", "- gone", "written"];

fn prepare(root: &RootDir) -> io::Result<()> {
    let dir = make_directory(root, Mode::RWXU)?;
    write(&dir, "old")?;
    let top = root.open_dir(Path::new(""))?;
    write(&top, "gone")?;
    write(&top, "written")
}

fn change(root: &RootDir) -> io::Result<()> {
    let top = root.open_dir(Path::new(""))?;
    write(&top, "written")?;
    rustix::fs::unlinkat(&top, "gone", AtFlags::empty())?;
    let dir = root.open_dir(Path::new("directory"))?;
    rustix::fs::unlinkat(&dir, "old", AtFlags::empty())?;
    rustix::fs::unlinkat(&top, "directory", AtFlags::REMOVEDIR)?;
    // With another mode, as its time may be the same within a tick of the clock.
    write(&make_directory(root, Mode::RWXU | Mode::RWXG)?, "new")
}

fn make_directory(root: &RootDir, mode: Mode) -> io::Result<OwnedFd> {
    rustix::fs::mkdirat(root.fd(), "directory", mode)?;
    rustix::fs::chmodat(root.fd(), "directory", mode, AtFlags::empty())?;
    root.open_dir(Path::new("directory"))
}

/// Appends to a file, and so changes it even within a tick of the clock.
fn write(dir: &OwnedFd, name: &str) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir.as_fd(), OsStr::new(name), flags, Mode::RUSR | Mode::WUSR)?;
    io::Write::write_all(&mut std::fs::File::from(file), b"line\n")
}

fn describe(entry: &Entry) -> String {
    let deleted = if entry.kind == Kind::Whiteout { "- " } else { "" };
    format!("{deleted}{}", entry.path.display())
}
