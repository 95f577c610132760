//! One path of a layer with everything a file system keeps about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// One path of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the root, without leading or trailing `/` and without `.` or `..`. The empty
    /// path is the root itself.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky: at most 0o7777.
    pub mode: u32,
    /// Owner, as the root sees it.
    pub uid: u32,
    /// Group, as the root sees it.
    pub gid: u32,
    /// Time of the last change of its content.
    pub mtime: Time,
    /// Extended attributes that belong into a layer, by full name (`user.x`,
    /// `security.capability`, `system.posix_acl_access`). Overlay's own are not among them.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file; its content is read when it is archived.
    File {
        /// In bytes.
        size: u64,
    },
    /// Another name of a file that comes earlier in the same layer.
    Hardlink {
        /// That file's path, as [`Entry::path`].
        target: PathBuf,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Its text, as it is.
        target: PathBuf,
    },
    /// A character device.
    CharDevice {
        /// Major and minor number.
        device: (u32, u32),
    },
    /// A block device.
    BlockDevice {
        /// Major and minor number.
        device: (u32, u32),
    },
    /// A named pipe.
    Fifo,
    /// The path is gone: what the layers below have there does not show. Mode, owner and time of
    /// such an entry are zero (OCI image-spec, layer.md, "Whiteouts").
    Whiteout,
}

/// A point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    /// Since 1970; negative before.
    pub seconds: i64,
    /// Below 1,000,000,000.
    pub nanoseconds: u32,
}
