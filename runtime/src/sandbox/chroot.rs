//! What a step's init does without namespaces.

use std::io;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};

use super::spec::{self, Failure, Stage as _};

/// Makes the root `/`. The capability to do so again is dropped with the others.
pub(super) fn enter(descriptors: &[OwnedFd]) -> Result<(), Failure> {
    rustix::process::fchdir(root(descriptors).stage("find the root")?).stage("enter the root")?;
    rustix::process::chroot(".").stage("change the root")?;
    rustix::process::chdir("/").stage("enter the root")
}

/// The root among the descriptors of a step.
pub(super) fn root(descriptors: &[OwnedFd]) -> io::Result<BorrowedFd<'_>> {
    // The socket for reports, the first of those sent, is no longer among them.
    let root = descriptors.get(spec::ROOT - 1);
    root.map(OwnedFd::as_fd).ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
}
