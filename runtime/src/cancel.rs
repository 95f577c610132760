//! How long work notices that its build was cancelled.
//!
//! Whoever works long is handed the build's token, and calls [`check`] for each directory, file,
//! or part of a file's content. What that says passes through whatever error the work has.

use std::io::{self, Read};

use tokio_util::sync::CancellationToken;

/// Why work ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the build was cancelled")]
pub(crate) struct Cancelled;

/// Whether work may go on.
pub(crate) fn check(cancel: &CancellationToken) -> Result<(), Cancelled> {
    if cancel.is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

/// Whether this is what became of [`Cancelled`] on its way through reading and writing.
pub(crate) fn is_cancelled(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Cancelled>)
}

impl From<Cancelled> for io::Error {
    fn from(cancelled: Cancelled) -> Self {
        Self::other(cancelled)
    }
}

/// Reads until its build is cancelled.
pub(crate) struct Checked<'a, R> {
    inner: R,
    cancel: &'a CancellationToken,
}

impl<'a, R> Checked<'a, R> {
    pub(crate) fn new(inner: R, cancel: &'a CancellationToken) -> Self {
        Self { inner, cancel }
    }
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check(self.cancel)?;
        self.inner.read(buffer)
    }
}
