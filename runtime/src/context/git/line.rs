//! A connection to a server, as code that blocks sees it: it ends when the build is stopped or the
//! server is silent, and remembers why.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::{GitError, shown, shown_end};

/// How long a server may take to say anything. It says something every few seconds while it works.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a program that ended may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Told how many bytes came so far.
pub(crate) type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// What all parts of a fetch share.
pub(super) struct Line {
    handle: Handle,
    cancel: CancellationToken,
    progress: Progress,
    /// For errors.
    pub(super) url: String,
    received: AtomicU64,
    /// Set when the build is stopped.
    pub(super) stopped: Arc<AtomicBool>,
    watcher: JoinHandle<()>,
    /// What the libraries between here and the caller would turn into a text.
    trouble: Mutex<Option<GitError>>,
    /// What the program that is spoken through has to say about its failure.
    last_words: Mutex<Option<JoinHandle<String>>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Line {
    /// A line that nobody speaks on yet. `handle` must be of a runtime whose worker this is not.
    pub(super) fn new(
        handle: Handle,
        cancel: CancellationToken,
        progress: Progress,
        url: String,
    ) -> Arc<Self> {
        let stopped = Arc::new(AtomicBool::new(cancel.is_cancelled()));
        let (watched, flag) = (cancel.clone(), Arc::clone(&stopped));
        let watcher = handle.spawn(async move {
            watched.cancelled().await;
            flag.store(true, Ordering::Relaxed);
        });
        let (received, trouble) = (AtomicU64::new(0), Mutex::default());
        let last_words = Mutex::default();
        Arc::new(Self {
            handle,
            cancel,
            progress,
            url,
            received,
            stopped,
            watcher,
            trouble,
            last_words,
        })
    }

    /// The runtime that the connection lives in.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for the server.
    pub(super) fn wait<T, E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> io::Result<T> {
        let url = || self.url.clone();
        let done = self.handle.block_on(async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(GitError::Cancelled { url: url() }),
                done = tokio::time::timeout(PATIENCE, work) => match done {
                    Ok(Ok(done)) => Ok(done),
                    Ok(Err(source)) => Err(GitError::Transfer { url: url(), source: source.into() }),
                    Err(_) => Err(GitError::Silent { url: url(), patience: PATIENCE }),
                },
            }
        });
        done.map_err(|error| self.fail(error))
    }

    /// Waits as long as it takes, unless the build is stopped before.
    pub(super) fn pause(&self, time: Duration) -> Result<(), GitError> {
        self.handle.block_on(async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(GitError::Cancelled { url: self.url.clone() }),
                () = tokio::time::sleep(time) => Ok(()),
            }
        })
    }

    /// Remembers an error, and makes one that says nothing to pass on in its place.
    pub(super) fn fail(&self, error: GitError) -> io::Error {
        // The first is the reason for those that follow.
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        io::Error::other("the connection failed")
    }

    /// Counts bytes of the answer.
    pub(super) fn count(&self, bytes: usize) {
        let bytes = bytes as u64;
        (self.progress)(self.received.fetch_add(bytes, Ordering::Relaxed) + bytes);
    }

    /// Keeps what a program writes to its standard error, for [`Line::reason`].
    pub(super) fn listen(&self, stderr: impl AsyncRead + Send + Unpin + 'static) {
        const LIMIT: u64 = 4096;
        let said = self.handle.spawn(async move {
            let mut text = Vec::new();
            let mut stderr = stderr.take(LIMIT);
            // What came before an error is all there is.
            stderr.read_to_end(&mut text).await.ok();
            // A program must not wait for someone who reads.
            tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await.ok();
            String::from_utf8_lossy(&text).into_owned()
        });
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// Why something failed that a library told us of.
    pub(super) fn reason(&self, error: &gix_error::Error) -> GitError {
        if let Some(trouble) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return trouble;
        }
        let url = self.url.clone();
        if self.cancel.is_cancelled() {
            return GitError::Cancelled { url };
        }
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).take();
        let said = words.and_then(|words| {
            let waited = async { tokio::time::timeout(LAST_WORDS, words).await };
            self.handle.block_on(waited).ok().and_then(Result::ok)
        });
        let said = said.map(|said| shown_end(&said)).filter(|said| !said.is_empty());
        let message = said.unwrap_or_else(|| {
            shown(
                &error.iter_errors().last().map_or_else(|| error.to_string(), ToString::to_string),
            )
        });
        GitError::Protocol { url, message }
    }
}

/// What comes over a connection.
pub(super) struct Reader<R> {
    pub(super) line: Arc<Line>,
    pub(super) from: R,
}

impl<R: AsyncRead + Unpin> io::Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.line.wait(self.from.read(buffer))?;
        self.line.count(read);
        Ok(read)
    }
}

/// What goes over a connection, and what must live as long as it.
pub(super) struct Writer<W, K> {
    pub(super) line: Arc<Line>,
    pub(super) to: W,
    pub(super) _keep: K,
}

impl<W: AsyncWrite + Unpin, K> io::Write for Writer<W, K> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.wait(self.to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.wait(self.to.flush())
    }
}
