//! Mounting overlays without attaching them anywhere.

use std::ffi::CString;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, OpenTreeFlags, UnmountFlags,
};

use crate::snapshot::scratch::Scratch;
use crate::snapshot::{SnapshotError, cannot};

/// What to mount.
pub(super) struct Spec<'a> {
    /// The directories below, the lowest first.
    pub lowers: Vec<PathBuf>,
    /// Upper and work directory; without them the overlay is read-only.
    pub own: Option<(&'a Path, &'a Path)>,
}

/// How overlays are mounted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mounter {
    /// Directory by directory through `fsopen(2)`: Linux 6.5 and newer.
    Configured,
    /// With one string of options through `mount(2)`.
    Joined,
}

/// Switched off whatever the kernel's defaults are: upper directories hold whole files, and the
/// same changes give the same upper directory. `userxattr` keeps overlayfs' marks in attributes
/// that a user namespace may write.
const OPTIONS: [(&str, &str); 3] = [("index", "off"), ("metacopy", "off"), ("xino", "off")];

/// Longest string that `fsconfig(2)` takes (its 256 with the final null).
const LONGEST_VALUE: usize = 255;

impl Mounter {
    /// Finds what this kernel can, by naming a directory as one that overlays will be made of.
    pub(super) fn detect(directory: &Path) -> Self {
        let mut handles = Vec::new();
        let mut known = || -> io::Result<()> {
            let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
            let name = short(directory, &mut handles)?;
            Ok(rustix::mount::fsconfig_set_string(fs.as_fd(), "lowerdir+", name)?)
        };
        if known().is_ok() { Self::Configured } else { Self::Joined }
    }

    /// The most directories that can be below an upper directory.
    pub(super) fn tallest(self) -> usize {
        match self {
            Self::Configured => 500,
            // `mount(2)` takes a page of options; each directory is up to 20 bytes in it.
            Self::Joined => 180,
        }
    }

    /// Mounts an overlay; its root is attached nowhere, and gone with the last descriptor.
    pub(super) fn mount(
        self,
        spec: &Spec<'_>,
        scratch: &Scratch,
    ) -> Result<OwnedFd, SnapshotError> {
        match self {
            Self::Configured => configured(spec, scratch),
            Self::Joined => joined(spec, scratch),
        }
    }
}

fn configured(spec: &Spec<'_>, scratch: &Scratch) -> Result<OwnedFd, SnapshotError> {
    let refused = |explanation: String| {
        |source: Errno| SnapshotError::Mount {
            scratch: scratch.path().to_owned(),
            explanation,
            source: source.into(),
        }
    };
    let fs = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(refused(String::new()))?;
    let fs = fs.as_fd();
    let mut handles = Vec::new();
    let mut set_path = |key: &str, path: &Path| {
        let name = short(path, &mut handles)?;
        Ok(rustix::mount::fsconfig_set_string(fs, key, name)?)
    };
    // The topmost comes first.
    for lower in spec.lowers.iter().rev() {
        set_path("lowerdir+", lower).map_err(cannot::<io::Error>("use as a layer", lower))?;
    }
    if let Some((upper, work)) = spec.own {
        set_path("upperdir", upper).map_err(cannot::<io::Error>("write a layer to", upper))?;
        set_path("workdir", work).map_err(cannot::<io::Error>("work in", work))?;
    }
    let create = || {
        // What `mount` and `df` call it.
        rustix::mount::fsconfig_set_string(fs, "source", "overlay")?;
        for (key, value) in OPTIONS {
            rustix::mount::fsconfig_set_string(fs, key, value)?;
        }
        rustix::mount::fsconfig_set_flag(fs, "userxattr")?;
        let attributes = if spec.own.is_some() {
            rustix::mount::fsconfig_set_flag(fs, "volatile")?;
            MountAttrFlags::empty()
        } else {
            MountAttrFlags::MOUNT_ATTR_RDONLY
        };
        rustix::mount::fsconfig_create(fs)?;
        rustix::mount::fsmount(fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    create().map_err(|source| refused(explanation(fs))(source))
}

/// A name for a directory that `fsconfig(2)` takes, and that no version of overlayfs misreads as
/// a list or an escape.
fn short(path: &Path, handles: &mut Vec<OwnedFd>) -> io::Result<PathBuf> {
    let bytes = path.as_os_str().as_bytes();
    let plain = bytes.len() <= LONGEST_VALUE && !bytes.iter().any(|byte| b":,\\".contains(byte));
    if plain { Ok(path.to_owned()) } else { by_descriptor(path, handles) }
}

fn by_descriptor(path: &Path, handles: &mut Vec<OwnedFd>) -> io::Result<PathBuf> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = rustix::fs::open(path, flags, Mode::empty())?;
    let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    handles.push(handle);
    Ok(name.into())
}

/// What the file system has to say about a refusal: lines of a letter, a blank and a message.
fn explanation(fs: rustix::fd::BorrowedFd<'_>) -> String {
    let mut explanation = String::new();
    let mut line = [0; 512];
    while let Ok(length) = rustix::io::read(fs, &mut line) {
        let line = String::from_utf8_lossy(&line[..length]);
        explanation.push_str(": ");
        explanation.push_str(line.trim_end().trim_start_matches(['e', 'w', 'i']).trim_start());
    }
    explanation
}

fn joined(spec: &Spec<'_>, scratch: &Scratch) -> Result<OwnedFd, SnapshotError> {
    let mut handles = Vec::new();
    let mut name = |path: &Path| {
        let name = by_descriptor(path, &mut handles).map_err(cannot("open", path))?;
        Ok(name.to_string_lossy().into_owned())
    };
    let lowers = spec.lowers.iter().rev().map(|lower| name(lower));
    let lowers = lowers.collect::<Result<Vec<_>, SnapshotError>>()?.join(":");
    let mut options = format!("lowerdir={lowers},userxattr");
    for (key, value) in OPTIONS {
        options.extend([",", key, "=", value]);
    }
    let mut flags = MountFlags::empty();
    match spec.own {
        Some((upper, work)) => {
            let (upper, work) = (name(upper)?, name(work)?);
            options.extend([",upperdir=", &upper, ",workdir=", &work, ",volatile"]);
        }
        None => flags |= MountFlags::RDONLY,
    }
    let options = CString::new(options).expect("numbers and option names hold no null");
    let point = scratch.dir()?;
    let mount = || {
        rustix::mount::mount("overlay", point.path(), "overlay", flags, options.as_c_str())?;
        // A clone, attached nowhere, outlives the mount it was made from.
        let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let clone = rustix::mount::open_tree(CWD, point.path(), clone);
        rustix::mount::unmount(point.path(), UnmountFlags::DETACH)?;
        clone
    };
    mount().map_err(|source| SnapshotError::Mount {
        scratch: scratch.path().to_owned(),
        explanation: String::new(),
        source: source.into(),
    })
}
