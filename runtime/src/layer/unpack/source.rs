//! Where a layer's entries and the content of its files come from: an archive as it is read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread::Scope;

use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags};
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::layer::LayerError;
use crate::layer::entry::Entry;
use crate::layer::metadata::belongs_in_layer;
use crate::layer::tar_read::TarReader;
use crate::layer::unpack::failure::Failure;
use crate::layer::unpack::files::{Files, NewFile};
use crate::layer::unpack::skipped::Skipped;

/// Where entries come from, and their files.
pub(super) trait Source {
    /// The next entry, in the order of the archive. None at the end, or when a file could not be
    /// filled, which [`Source::finish`] reports.
    fn next(&mut self) -> Result<Option<Entry>, LayerError>;

    /// Gives the regular file of the entry that came last, the archive's entry `number`, a name.
    /// What is returned has to be filled.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if something stands there; it can be tried again.
    fn place(&mut self, number: u64, dir: BorrowedFd<'_>, name: &OsStr)
    -> io::Result<Option<File>>;

    /// Fills a file that was placed, and gives it its metadata, at some time before the end.
    fn fill(&mut self, file: Arc<NewFile>) -> Result<(), Failure>;

    /// Waits until all files are filled. Returns what could not be kept, or the first failure.
    fn finish(self) -> Result<Skipped, LayerError>;
}

/// An archive that is read while its entries are brought to the root.
pub(super) struct Archive<'a, 'scope, 'env, R> {
    reader: &'a mut TarReader<R>,
    files: Files<'scope, 'env>,
    cancel: &'a CancellationToken,
}

impl<'a, 'scope, 'env, R> Archive<'a, 'scope, 'env, R> {
    /// Files are filled in threads of the scope.
    pub(super) fn new(
        reader: &'a mut TarReader<R>,
        scope: &'scope Scope<'scope, 'env>,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self { reader, files: Files::new(scope), cancel }
    }
}

impl<R: Read> Source for Archive<'_, '_, '_, R> {
    fn next(&mut self) -> Result<Option<Entry>, LayerError> {
        let Some(mut entry) = self.reader.next()? else { return Ok(None) };
        cancel::check(self.cancel)?;
        if self.files.failed() {
            return Ok(None);
        }
        entry.xattrs.retain(|name, _| belongs_in_layer(name));
        Ok(Some(entry))
    }

    fn place(
        &mut self,
        _number: u64,
        dir: BorrowedFd<'_>,
        name: &OsStr,
    ) -> io::Result<Option<File>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        Ok(Some(File::from(rustix::fs::openat(dir, name, flags, mode)?)))
    }

    fn fill(&mut self, file: Arc<NewFile>) -> Result<(), Failure> {
        if self.reader.is_at_end() {
            return Ok(self.files.write(file, None)?);
        }
        let mut part = self.files.part();
        while let Some((offset, count)) = self.reader.read_content(part.space())? {
            part.take(offset, count);
            if part.space().is_empty() {
                self.files.write(Arc::clone(&file), Some(part))?;
                if self.files.failed() {
                    return Ok(());
                }
                part = self.files.part();
            }
        }
        Ok(self.files.write(file, Some(part))?)
    }

    fn finish(self) -> Result<Skipped, LayerError> {
        self.files.finish()
    }
}
