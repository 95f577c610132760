//! Pseudo terminals: made by the builder's multiplexer, as none can be mounted.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Uid;

use super::super::devices;
use super::super::sys::caller as sys;
use super::skeleton::Skeleton;

/// The terminals that a step has made.
#[derive(Debug)]
pub(super) struct Terminals {
    /// The builder's `/dev/pts`; it may have none.
    builders: Option<OwnedFd>,
    /// `/dev/pts` of the root.
    stubs: OwnedFd,
    /// Their own ends, `O_PATH`, by their numbers: what gets the number later is another file.
    made: BTreeMap<u32, OwnedFd>,
}

impl Terminals {
    /// With the builder's `/dev/pts`, in the root that this process has.
    pub(super) fn new(builders: Option<OwnedFd>, skeleton: &mut Skeleton) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let stubs = rustix::fs::open("/dev/pts", flags, Mode::empty())?;
        skeleton.adopt(&rustix::fs::fstat(&stubs)?);
        skeleton.adopt(&rustix::fs::statat(&stubs, "ptmx", AtFlags::SYMLINK_NOFOLLOW)?);
        Ok(Self { builders, stubs, made: BTreeMap::new() })
    }

    /// Makes a terminal for a user and returns its master. Wants the rights of root.
    pub(super) fn make(
        &mut self,
        flags: OFlags,
        uid: u32,
        skeleton: &mut Skeleton,
    ) -> Result<OwnedFd, Errno> {
        self.forget_closed(skeleton);
        let builders = self.builders.as_ref().ok_or(Errno::NODEV)?;
        let kept = flags & (OFlags::RWMODE | OFlags::NONBLOCK);
        let kept = kept | OFlags::NOCTTY | OFlags::CLOEXEC;
        let master = rustix::fs::openat(builders, "ptmx", kept, Mode::empty())?;
        let number = sys::terminal_number(master.as_fd())?;
        let name = number.to_string();
        let path = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let terminal = rustix::fs::openat(builders, &name, path, Mode::empty())?;
        let owner = Some(Uid::from_raw(uid));
        rustix::fs::chownat(&terminal, "", owner, None, AtFlags::EMPTY_PATH)?;
        devices::stand_in(self.stubs.as_fd(), OsStr::new(&name))?;
        skeleton.adopt(&rustix::fs::statat(&self.stubs, &name, AtFlags::SYMLINK_NOFOLLOW)?);
        self.made.insert(number, terminal);
        Ok(master)
    }

    /// A terminal of the step's own.
    pub(super) fn get(&self, number: u32) -> Result<BorrowedFd<'_>, Errno> {
        let terminal = self.made.get(&number).ok_or(Errno::NOENT)?;
        Ok(terminal.as_fd())
    }

    /// Forgets those that have no master any more. Wants the rights of root.
    pub(super) fn forget_closed(&mut self, skeleton: &mut Skeleton) {
        let stubs = &self.stubs;
        self.made.retain(|number, terminal| {
            let open = rustix::fs::fstat(&*terminal).is_ok_and(|stat| stat.st_nlink > 0);
            if !open {
                skeleton.discard(stubs.as_fd(), &number.to_string());
            }
            open
        });
    }
}
