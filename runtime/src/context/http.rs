//! Files from URLs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ir::Digest;
use ir::op::HttpOp;
use reqwest::header::LAST_MODIFIED;
use reqwest::{Client, Response, StatusCode, Url};
use rustix::fd::AsFd as _;
use rustix::fs::{Mode, OFlags};
use sha2::Digest as _;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use super::error::ContextError;
use super::http_date;
use super::source::{Owners, Tree};
use crate::layer::entry::Time;
use crate::layer::metadata::set_mtime;
use crate::rootdir::RootDir;

/// How often a file is asked for in all.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// Downloads a file into a directory of the caller's, which must live as long as the tree: 0600,
/// as of the response's `Last-Modified`, else of 1970.
///
/// What can pass (no connection, a connection that breaks, 408, 429, 5xx) is tried again.
pub(crate) async fn fetch(
    http: &HttpOp,
    client: &Client,
    scratch: &Path,
    cancel: &CancellationToken,
) -> Result<Tree, ContextError> {
    let mut wait = FIRST_WAIT;
    let download = Download::new(http, client, scratch)?;
    for attempt in 1.. {
        let done = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(download.cancelled()),
            done = download.run() => done,
        };
        match done {
            Err(error) if attempt < ATTEMPTS && may_pass(&error) => {}
            other => return other,
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(download.cancelled()),
            () = tokio::time::sleep(wait) => wait *= 2,
        }
    }
    unreachable!("the last attempt returns")
}

struct Download<'a> {
    http: &'a HttpOp,
    client: &'a Client,
    scratch: &'a Path,
    /// What may be shown of the URL.
    shown: String,
}

impl<'a> Download<'a> {
    fn new(http: &'a HttpOp, client: &'a Client, scratch: &'a Path) -> Result<Self, ContextError> {
        let name = &http.filename;
        if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(ContextError::Name { name: name.clone() });
        }
        Ok(Self { http, client, scratch, shown: shown(&http.url) })
    }

    async fn run(&self) -> Result<Tree, ContextError> {
        let response = self.client.get(&self.http.url).send().await;
        let response = response.map_err(|error| self.broken(error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(ContextError::Status { url: self.shown.clone(), status });
        }
        let modified = response.headers().get(LAST_MODIFIED);
        let modified = modified.and_then(|date| date.to_str().ok()).and_then(http_date::parse);
        let found = self.save(response).await?;
        match self.http.checksum {
            Some(expected) if expected != found => {
                let url = self.shown.clone();
                Err(ContextError::Checksum { url, expected, found })
            }
            Some(_) | None => self.tree(modified.unwrap_or_default()),
        }
    }

    /// Writes the content to the file. Returns its digest.
    async fn save(&self, mut response: Response) -> Result<Digest, ContextError> {
        let path = self.path();
        let failed = |source| ContextError::Write { path: path.clone(), source };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(0o600);
        let file = rustix::fs::open(&path, flags | OFlags::CLOEXEC, mode);
        let file = file.map_err(|error| failed(error.into()))?;
        let mut file = tokio::fs::File::from_std(file.into());
        let mut hash = sha2::Sha256::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok(Digest::from_bytes(hash.finalize().into()))
    }

    fn tree(&self, modified: Time) -> Result<Tree, ContextError> {
        let failed = |source| ContextError::Write { path: self.path(), source };
        let root = RootDir::open(self.scratch).map_err(failed)?;
        set_mtime(root.fd().as_fd(), self.http.filename.as_ref(), modified).map_err(failed)?;
        Ok(Tree::new(Arc::new(root), Owners::Root, None))
    }

    fn path(&self) -> PathBuf {
        self.scratch.join(&self.http.filename)
    }

    fn broken(&self, source: reqwest::Error) -> ContextError {
        // The error's own URL may hold credentials.
        ContextError::Transfer { url: self.shown.clone(), source: source.without_url() }
    }

    fn cancelled(&self) -> ContextError {
        ContextError::Cancelled { url: self.shown.clone() }
    }
}

fn may_pass(error: &ContextError) -> bool {
    match error {
        ContextError::Status { status, .. } => {
            status.is_server_error()
                || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
        }
        ContextError::Transfer { source, .. } => !source.is_builder() && !source.is_redirect(),
        ContextError::Open { .. }
        | ContextError::Ignore(_)
        | ContextError::Checksum { .. }
        | ContextError::Name { .. }
        | ContextError::Write { .. }
        | ContextError::Cancelled { .. } => false,
    }
}

/// A URL without what may be secret in it: user, password, and a query, which may be signed.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "URL".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for URLs that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests;
