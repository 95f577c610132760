//! Files from URLs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ir::Digest;
use ir::op::HttpOp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LAST_MODIFIED, LOCATION};
use reqwest::{Response, StatusCode, Url};
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
use crate::registry::Client;
use crate::rootdir::RootDir;

/// How often a file is asked for in all.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// How many redirects are followed; what Go's client does.
pub(super) const MAX_REDIRECTS: usize = 10;

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// Knows certificates.
    pub client: &'a Client,
    /// By id. Two are for a host `H`: `HTTP_AUTH_HEADER_H` is what its servers are told as
    /// `Authorization`, and before that `HTTP_AUTH_TOKEN_H` behind `Bearer`.
    pub secrets: &'a BTreeMap<String, Vec<u8>>,
}

/// Downloads a file into a directory of the caller's, which must live as long as the tree: 0600,
/// as of the response's `Last-Modified`, else of 1970.
///
/// What can pass (no connection, a connection that breaks, 408, 429, 5xx) is tried again.
/// Redirects are followed; what is secret goes to the host of the URL alone.
pub(crate) async fn fetch(
    http: &HttpOp,
    asker: Asker<'_>,
    scratch: &Path,
    cancel: &CancellationToken,
) -> Result<Tree, ContextError> {
    let mut wait = FIRST_WAIT;
    let download = Download::new(http, asker, scratch)?;
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
    /// Where it begins.
    url: Url,
    /// What may be shown of the URL.
    shown: String,
    /// What its host is told.
    authorization: Option<HeaderValue>,
}

impl<'a> Download<'a> {
    fn new(http: &'a HttpOp, asker: Asker<'a>, scratch: &'a Path) -> Result<Self, ContextError> {
        let name = &http.filename;
        if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(ContextError::Name { name: name.clone() });
        }
        let url = Url::parse(&http.url).map_err(|_| ContextError::Url)?;
        let authorization = authorization(&url, asker.secrets)?;
        let shown = shown(&url);
        Ok(Self { http, client: asker.client, scratch, url, shown, authorization })
    }

    async fn run(&self) -> Result<Tree, ContextError> {
        let response = self.ask().await?;
        let status = response.status();
        if !status.is_success() {
            let url = self.shown.clone();
            let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            return Err(if refused && self.authorization.is_none() {
                ContextError::Unauthorized { url, status, host: host(&self.url).to_owned() }
            } else {
                ContextError::Status { url, status }
            });
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

    /// Asks for the content, wherever that is.
    async fn ask(&self) -> Result<Response, ContextError> {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let client = self.client.downloads(&url)?;
            let mut headers = HeaderMap::new();
            if let Some(value) =
                self.authorization.as_ref().filter(|_| is_confidant(&self.url, &url))
            {
                headers.insert(AUTHORIZATION, value.clone());
            }
            // Replaces what reqwest makes of a user and a password in the URL.
            let response = client.get(url.clone()).headers(headers).send().await;
            let response = response.map_err(|error| self.broken(error))?;
            match next(&response, &url) {
                Ok(Some(next)) => url = next,
                Ok(None) => return Ok(response),
                Err(Astray) => {
                    return Err(ContextError::Redirect { url: self.shown.clone() });
                }
            }
        }
        Err(ContextError::Redirects { url: self.shown.clone() })
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
        | ContextError::Url
        | ContextError::Client(_)
        | ContextError::Authorization { .. }
        | ContextError::Unauthorized { .. }
        | ContextError::Redirect { .. }
        | ContextError::Redirects { .. }
        | ContextError::Checksum { .. }
        | ContextError::Name { .. }
        | ContextError::Write { .. }
        | ContextError::Cancelled { .. } => false,
    }
}

/// What the secrets have for the host of a URL. A line's end behind it does not count.
fn authorization(
    url: &Url,
    secrets: &BTreeMap<String, Vec<u8>>,
) -> Result<Option<HeaderValue>, ContextError> {
    let host = host(url);
    // As in BuildKit, of both the token counts.
    for (id, before) in [
        (format!("HTTP_AUTH_TOKEN_{host}"), &b"Bearer "[..]),
        (format!("HTTP_AUTH_HEADER_{host}"), &b""[..]),
    ] {
        if let Some(secret) = secrets.get(&id) {
            let value = HeaderValue::from_bytes(&[before, secret.trim_ascii()].concat());
            let mut value = value.map_err(|_| ContextError::Authorization { id })?;
            value.set_sensitive(true);
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The host of a URL as ids of secrets have it: without a port, and IPv6 without brackets.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// A redirect that leads to nothing that can be asked.
pub(super) struct Astray;

/// Where an answer redirects to, if it does.
pub(super) fn next(response: &Response, url: &Url) -> Result<Option<Url>, Astray> {
    // Not 304, which has none.
    let redirects = response.status().is_redirection();
    let Some(location) = response.headers().get(LOCATION).filter(|_| redirects) else {
        return Ok(None);
    };
    let next = location.to_str().ok().and_then(|to| url.join(to).ok());
    next.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(Astray).map(Some)
}

/// Whether a server may know what the first one does: it is the same one, or its own face with TLS.
pub(super) fn is_confidant(first: &Url, next: &Url) -> bool {
    let place = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
    let (before, after) = (place(first), place(next));
    let upgraded =
        before == ("http".to_owned(), Some(80)) && after == ("https".to_owned(), Some(443));
    first.host() == next.host() && (before == after || upgraded)
}

/// A URL without what may be secret in it: user, password, and a query, which may be signed.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for URLs that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests;
