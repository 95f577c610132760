//! A layer whose turn has not come: its files are made and filled aside, and have only to get their
//! names when the layers below it are there.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ir::Digest;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::AtFlags;
use tokio_util::sync::CancellationToken;

use crate::cancel;
use crate::layer::LayerError;
use crate::layer::entry::{Entry, Kind};
use crate::layer::limits::Bounds;
use crate::layer::pipe::Joined;
use crate::layer::unpack::extract::{Extractor, Rules};
use crate::layer::unpack::failure::Failure;
use crate::layer::unpack::files::NewFile;
use crate::layer::unpack::skipped::Skipped;
use crate::layer::unpack::source::Source;
use crate::layer::unpack::{Decompression, unreadable};
use crate::rootdir::RootDir;

/// Entries that wait for the layer's turn at most.
const WAITING: usize = 1 << 16;
/// What those may hold, in bytes, beside the one that comes next: names and attributes may be long.
const HELD: usize = 16 << 20;
/// Time between two looks at whether there is room.
const PAUSE: Duration = Duration::from_millis(5);

/// A layer that is unpacked as far as that goes without those below it. When it is dropped it
/// stops, and what it made goes.
pub(crate) struct Ahead {
    /// Holds each regular file by its entry's place in the archive.
    path: PathBuf,
    directory: OwnedFd,
    /// None when all have come.
    entries: Option<Receiver<Entry>>,
    /// Bytes that the entries hold which wait.
    held: Arc<AtomicUsize>,
    /// What the files came to, and the archive's digest. None when it has ended.
    thread: Option<Joined<Result<(Skipped, Digest), LayerError>>>,
    digest: Option<Digest>,
    stop: CancellationToken,
}

impl Ahead {
    /// Starts. The directory at `path` is empty, of the file system that the root is on, and
    /// belongs to the layer from now on.
    pub(crate) fn start(
        blob: Decompression,
        path: PathBuf,
        bounds: Bounds<'_>,
    ) -> Result<Self, LayerError> {
        let open = || File::open(&path).and_then(|dir| Ok((OwnedFd::from(dir.try_clone()?), dir)));
        let (directory, dir) =
            open().map_err(|source| LayerError::Extract { entry: PathBuf::new(), source })?;
        let (sender, entries) = sync_channel(WAITING);
        let (stop, limit) = (bounds.cancel.child_token(), bounds.limits.entries);
        let (cancel, held) = (stop.clone(), Arc::<AtomicUsize>::default());
        let queue = Queue { entries: sender, held: Arc::clone(&held), stop: stop.clone() };
        let work = move || blob.read(&cancel, |archive| make_files(archive, &dir, limit, &queue));
        let thread = Joined::spawn("ahead", work).map_err(unreadable)?;
        let (entries, thread) = (Some(entries), Some(thread));
        Ok(Self { path, directory, entries, held, thread, digest: None, stop })
    }

    /// As [`super::unpack`].
    pub(super) fn unpack(
        mut self,
        root: &RootDir,
        bounds: Bounds<'_>,
    ) -> Result<(Vec<String>, Digest), LayerError> {
        let extractor = Extractor::new(root, Path::new(""), Rules::LAYER, bounds)?;
        let skipped = extractor.run(&mut self)?;
        Ok((skipped, self.digest.ok_or(LayerError::Cancelled)?))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.cancel();
        self.entries = None;
        self.thread = None;
        // What cannot be removed goes with the build.
        crate::remove::tree(&self.path).ok();
    }
}

impl Source for &mut Ahead {
    fn next(&mut self) -> Result<Option<Entry>, LayerError> {
        cancel::check(&self.stop)?;
        let entry = self.entries.as_ref().and_then(|entries| entries.recv().ok());
        match &entry {
            Some(entry) => drop(self.held.fetch_sub(size(entry), Ordering::Relaxed)),
            None => self.entries = None,
        }
        Ok(entry)
    }

    fn place(
        &mut self,
        number: u64,
        dir: BorrowedFd<'_>,
        name: &OsStr,
    ) -> io::Result<Option<File>> {
        let made = file_name(number);
        rustix::fs::linkat(self.directory.as_fd(), made, dir, name, AtFlags::empty())?;
        Ok(None)
    }

    fn fill(&mut self, _file: Arc<NewFile>) -> Result<(), Failure> {
        unreachable!("what is placed is filled elsewhere")
    }

    fn finish(self) -> Result<Skipped, LayerError> {
        if self.entries.take().is_some() {
            self.stop.cancel();
        }
        let Some(thread) = self.thread.take() else { return Err(LayerError::Cancelled) };
        let ended = || unreadable(io::Error::other("the thread that makes files ended early"));
        let (skipped, digest) = thread.join().ok_or_else(ended)??;
        self.digest = Some(digest);
        Ok(skipped)
    }
}

/// Where entries wait.
struct Queue {
    entries: SyncSender<Entry>,
    held: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Queue {
    /// Waits for room.
    fn send(&self, entry: Entry) -> Result<(), LayerError> {
        while self.held.load(Ordering::Relaxed) > HELD {
            cancel::check(&self.stop)?;
            std::thread::sleep(PAUSE);
        }
        self.held.fetch_add(size(&entry), Ordering::Relaxed);
        self.entries.send(entry).map_err(|_| LayerError::Cancelled)
    }
}

/// Bytes that an entry holds, about.
fn size(entry: &Entry) -> usize {
    let attributes = entry.xattrs.iter().map(|(name, value)| name.len() + value.len());
    let target = if let Kind::Hardlink { target } | Kind::Symlink { target } = &entry.kind {
        target.as_os_str().len()
    } else {
        0
    };
    size_of::<Entry>() + entry.path.as_os_str().len() + target + attributes.sum::<usize>()
}

/// Makes the files of an archive, and hands on its entries.
fn make_files(
    mut archive: impl Source,
    dir: &File,
    limit: u64,
    queue: &Queue,
) -> Result<Skipped, LayerError> {
    let mut number = 0;
    let mut step = || {
        let Some(entry) = archive.next()? else { return Ok(false) };
        number += 1;
        // What comes behind the limit is refused when the layer has its turn.
        if matches!(entry.kind, Kind::File { .. }) && number <= limit {
            let made = make_file(&mut archive, entry.clone(), number, dir);
            made.map_err(|failure| failure.named(&entry.path))?;
        }
        queue.send(entry).map(|()| true)
    };
    let read = loop {
        match step() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    super::extract::ended(read, archive.finish())
}

fn make_file(
    archive: &mut impl Source,
    entry: Entry,
    number: u64,
    dir: &File,
) -> Result<(), Failure> {
    match archive.place(number, dir.as_fd(), &file_name(number))? {
        Some(file) => archive.fill(NewFile::new(file, entry, number)),
        None => Ok(()),
    }
}

fn file_name(number: u64) -> OsString {
    number.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::limits::UnpackLimits;
    use crate::layer::testing::{archive, other};

    #[test]
    fn what_waits_is_bounded_by_what_it_holds() {
        const VALUE: usize = 60_000;
        let count = 2 * HELD / VALUE;
        let entries: Vec<_> = (0..count)
            .map(|number| {
                let (mut entry, content) = other(&number.to_string(), Kind::Directory);
                entry.xattrs.insert(b"user.long".to_vec(), vec![b'x'; VALUE]);
                (entry, content)
            })
            .collect();
        let (limits, cancel) = (UnpackLimits::default(), CancellationToken::new());
        let blob = Decompression::start(io::Cursor::new(archive(&entries)), limits).unwrap();
        let aside = tempfile::tempdir().unwrap();
        let path = aside.path().join("layer");
        std::fs::create_dir(&path).unwrap();
        let mut ahead = Ahead::start(blob, path, Bounds { limits, cancel: &cancel }).unwrap();
        while ahead.held.load(Ordering::Relaxed) <= HELD {
            std::thread::yield_now();
        }
        let mut source = &mut ahead;
        for (expected, _) in &entries {
            assert!(source.held.load(Ordering::Relaxed) <= HELD + 2 * VALUE);
            assert_eq!(source.next().unwrap().as_ref(), Some(expected));
        }
        assert_eq!(source.next().unwrap(), None);
        source.finish().unwrap();
        assert_eq!(ahead.held.load(Ordering::Relaxed), 0);
    }
}
