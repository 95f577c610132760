//! Telling an image's digest to a server that need be no registry.

use ir::Digest;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::Client;
use super::error::{Failure, RegistryError};
use super::retry::Attempts;
use super::transport::{server_failure, unreachable};

impl Client {
    /// Puts a digest to a URL, trying as often as a push is tried. Errors name the URL without what may
    /// be secret in it: user, password and query.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or does not answer with success.
    pub async fn put_digest(&self, url: &Url, digest: &Digest) -> Result<(), RegistryError> {
        let http = self.downloads(url)?;
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            match put_once(&http, url, digest).await {
                Ok(()) => return Ok(()),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }
}

async fn put_once(http: &reqwest::Client, url: &Url, digest: &Digest) -> Result<(), Failure> {
    let host = url.host_str().unwrap_or_default();
    let put = http.put(url.clone()).header(CONTENT_TYPE, "text/plain").body(digest.to_string());
    let response = put.send().await.map_err(|error| unreachable(host, error.without_url()))?;
    if response.status().is_success() {
        return Ok(());
    }
    let object = format!("the digest to `{}{}`", url.origin().ascii_serialization(), url.path());
    Err(server_failure(response, host, "send", &object).await)
}
