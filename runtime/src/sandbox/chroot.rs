//! What a step's init does without namespaces.

use rustix::fd::OwnedFd;

use super::spec::{self, Failure, Stage as _};

/// Makes the root `/`. The capability to do so again is dropped with the others.
pub(super) fn enter(descriptors: Vec<OwnedFd>) -> Result<(), Failure> {
    // The socket for reports, the first of those sent, is no longer among them.
    let root = descriptors.into_iter().nth(spec::ROOT - 1);
    let missing = std::io::Error::from_raw_os_error(libc::EBADF);
    let root = root.ok_or(missing).stage("find the root")?;
    rustix::process::fchdir(&root).stage("enter the root")?;
    rustix::process::chroot(".").stage("change the root")?;
    rustix::process::chdir("/").stage("enter the root")
}
