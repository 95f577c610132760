//! Fills files with content and metadata in threads of its own, while the archive is read on.
//!
//! A file is given away when it has its name, as a descriptor: what becomes of the name afterwards
//! (a second link, a file in its place) does not matter to it, so that nothing has to wait.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Scope, ScopedJoinHandle};

use rustix::fd::AsFd as _;

use crate::layer::LayerError;
use crate::layer::entry::{Entry, Kind};
use crate::layer::metadata::{RefusedXattr, apply_to_new_file};
use crate::layer::unpack::skipped::Skipped;

/// Bytes that a part holds.
const PART: usize = 128 << 10;
/// Parts that exist at most; their number bounds the memory.
const PARTS: usize = 32;
/// What waits at most, files without content among it; bounds the descriptors.
const WAITING: usize = 64;
/// More threads would wait for each other in the file system.
const MOST_THREADS: usize = 8;
/// How many jobs may wait for each thread before there is another.
const BUSY: usize = 4;

/// The files of an archive that are being filled.
pub(super) struct Files<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
    most_threads: usize,
    jobs: SyncSender<Job>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    spare: Receiver<Vec<u8>>,
    give_back: Sender<Vec<u8>>,
    /// Parts that were made.
    parts: usize,
    shared: Arc<Shared>,
}

/// What the threads have to say.
struct Shared {
    /// Jobs that are not done.
    pending: AtomicUsize,
    /// The first entry in the archive that failed.
    failed_at: AtomicU64,
    failure: Mutex<Option<(u64, LayerError)>>,
    skipped: Mutex<Skipped>,
}

/// A file that is being filled. Whoever lets go of it last gives it its metadata.
pub(super) struct NewFile {
    file: File,
    entry: Entry,
    /// The entry's place in the archive.
    number: u64,
    /// Where what was written ends; what follows up to the file's size is a hole.
    end: AtomicU64,
}

/// Pieces of a file's content.
pub(super) struct Part {
    bytes: Vec<u8>,
    filled: usize,
    /// Place in the file and length of each piece.
    pieces: Vec<(u64, usize)>,
}

struct Job {
    file: Arc<NewFile>,
    part: Option<Part>,
}

impl NewFile {
    pub(super) fn new(file: File, entry: Entry, number: u64) -> Arc<Self> {
        Arc::new(Self { file, entry, number, end: AtomicU64::new(0) })
    }
}

impl Part {
    /// What can still be filled; nothing if it is full.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Takes so many bytes at the beginning of the space, whose place in the file is `offset`.
    pub(super) fn take(&mut self, offset: u64, count: usize) {
        self.filled += count;
        match self.pieces.last_mut() {
            Some((start, length)) if *start + *length as u64 == offset => *length += count,
            Some(_) | None => self.pieces.push((offset, count)),
        }
    }
}

impl<'scope, 'env> Files<'scope, 'env> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        let (jobs, waiting) = sync_channel(WAITING);
        let (give_back, spare) = channel();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let shared = Shared {
            pending: AtomicUsize::new(0),
            failed_at: AtomicU64::new(u64::MAX),
            failure: Mutex::default(),
            skipped: Mutex::default(),
        };
        Self {
            scope,
            threads: Vec::new(),
            most_threads: cores.min(MOST_THREADS),
            jobs,
            waiting: Arc::new(Mutex::new(waiting)),
            spare,
            give_back,
            parts: 0,
            shared: Arc::new(shared),
        }
    }

    /// An empty part. Waits while too many are being written.
    pub(super) fn part(&mut self) -> Part {
        let bytes = self.spare.try_recv().unwrap_or_else(|_| {
            if self.parts < PARTS {
                self.parts += 1;
                return vec![0; PART];
            }
            self.spare.recv().expect("this side holds a sender as well")
        });
        Part { bytes, filled: 0, pieces: Vec::new() }
    }

    /// Writes a part of a file's content, or lets go of a file that has nothing more.
    pub(super) fn write(&mut self, file: Arc<NewFile>, part: Option<Part>) -> io::Result<()> {
        let pending = self.shared.pending.fetch_add(1, Ordering::Relaxed);
        if pending >= BUSY * self.threads.len() && self.threads.len() < self.most_threads {
            self.start_thread()?;
        }
        let ended = |_| io::Error::other("the threads that write files ended early");
        self.jobs.send(Job { file, part }).map_err(ended)
    }

    fn start_thread(&mut self) -> io::Result<()> {
        let (waiting, give_back) = (Arc::clone(&self.waiting), self.give_back.clone());
        let shared = Arc::clone(&self.shared);
        let work = move || {
            while let Some(job) = next(&waiting) {
                shared.work(job, &give_back);
                shared.pending.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let thread = std::thread::Builder::new().name("write".into());
        match thread.spawn_scoped(self.scope, work) {
            Ok(thread) => self.threads.push(thread),
            // Those that are there will do.
            Err(_) if !self.threads.is_empty() => self.most_threads = self.threads.len(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether a file could not be filled: nothing more is needed then.
    pub(super) fn failed(&self) -> bool {
        self.shared.failed_at.load(Ordering::Relaxed) < u64::MAX
    }

    /// Waits until all files are filled. Returns what could not be kept, or the first failure.
    pub(super) fn finish(self) -> Result<Skipped, LayerError> {
        drop(self.jobs);
        for thread in self.threads {
            // A panic goes on in this thread.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        let failure = self.shared.failure.lock().expect(UNBROKEN).take();
        match failure {
            Some((_, error)) => Err(error),
            None => Ok(std::mem::take(&mut *self.shared.skipped.lock().expect(UNBROKEN))),
        }
    }
}

/// Why locks can be taken.
const UNBROKEN: &str = "nobody panics while holding the lock";

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    waiting.lock().expect(UNBROKEN).recv().ok()
}

impl Shared {
    fn work(&self, Job { file, part }: Job, give_back: &Sender<Vec<u8>>) {
        let (number, path) = (file.number, file.entry.path.clone());
        // What comes before the first failure may still be the first one.
        let wanted = number <= self.failed_at.load(Ordering::Relaxed);
        if let Some(part) = part {
            if wanted && let Err(error) = write(&file, &part) {
                self.fail(number, path.clone(), error);
            }
            // Nobody takes it when the archive has been read.
            give_back.send(part.bytes).ok();
        }
        if let Some(file) = Arc::into_inner(file)
            && wanted
        {
            match finish(&file) {
                Ok(refused) if refused.is_empty() => {}
                Ok(refused) => {
                    let mut skipped = self.skipped.lock().expect(UNBROKEN);
                    for refused in &refused {
                        skipped.xattr(number, &path, refused);
                    }
                }
                Err(error) => self.fail(number, path, error),
            }
        }
    }

    fn fail(&self, number: u64, entry: PathBuf, source: io::Error) {
        self.failed_at.fetch_min(number, Ordering::Relaxed);
        let mut failure = self.failure.lock().expect(UNBROKEN);
        if failure.as_ref().is_none_or(|(first, _)| number < *first) {
            *failure = Some((number, LayerError::Extract { entry, source }));
        }
    }
}

fn write(file: &NewFile, part: &Part) -> io::Result<()> {
    let mut at = 0;
    for (offset, length) in &part.pieces {
        let bytes = &part.bytes[at..at + length];
        at += length;
        // Zeros become holes, as they may have been.
        if bytes.iter().any(|byte| *byte != 0) {
            file.file.write_all_at(bytes, *offset)?;
            file.end.fetch_max(offset + *length as u64, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn finish(file: &NewFile) -> io::Result<Vec<RefusedXattr>> {
    if let Kind::File { size } = file.entry.kind
        && file.end.load(Ordering::Relaxed) < size
    {
        file.file.set_len(size)?;
    }
    apply_to_new_file(file.file.as_fd(), &file.entry)
}
