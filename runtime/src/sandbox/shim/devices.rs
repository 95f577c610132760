//! Devices: the builder's, where none can be made.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::devices;
use super::skeleton::Skeleton;

/// Those of the builder that can be lent.
#[derive(Debug)]
pub(super) struct Devices(Vec<(&'static str, OwnedFd)>);

impl Devices {
    /// Finds them, while this process still has the builder's root.
    pub(super) fn open() -> Self {
        let open = |name: &'static str| {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let fd = rustix::fs::open(format!("/dev/{name}"), flags, Mode::empty()).ok()?;
            Some((name, fd))
        };
        let names = devices::DEVICES.iter().map(|(name, ..)| *name);
        let names = names.filter(|name| *name != devices::TERMINAL).chain([devices::MULTIPLEXER]);
        Self(names.filter_map(open).collect())
    }

    /// Finds what stands for devices in the root that this process has now: where they could be
    /// made, nothing does.
    pub(super) fn adopt(skeleton: &mut Skeleton) {
        for (name, ..) in devices::DEVICES {
            let stat = rustix::fs::lstat(format!("/dev/{name}"));
            if let Ok(stat) = stat
                && FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice
            {
                skeleton.adopt(&stat);
            }
        }
    }

    /// One of them, `O_PATH`.
    pub(super) fn get(&self, name: &str) -> Result<BorrowedFd<'_>, Errno> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, fd)| fd.as_fd()).ok_or(Errno::NXIO)
    }
}
