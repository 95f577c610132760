//! Blobs and manifests to a registry.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ir::{Digest, ImageRef};
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use super::auth::Access;
use super::endpoint::Endpoint;
use super::error::{Failure, Flaw, RegistryError, Retry};
use super::resolve::digest_of;
use super::retry::Attempts;
use super::transport::{Payload, Sent};
use super::{Client, Direction, Errand, blob_of};

impl Client {
    /// Whether a repository has a blob.
    pub async fn has_blob(&self, to: &ImageRef, digest: &Digest) -> Result<bool, RegistryError> {
        let access = Access { image: to, writes: true, from: None };
        let errand = Errand::new(access, blob_of(to, digest));
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            match self.has_blob_once(&errand, digest).await {
                Ok(has) => return Ok(has),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// Has a registry take a blob from another of its repositories. False if it does not: then
    /// the blob must be pushed.
    pub async fn mount_blob(
        &self,
        to: &ImageRef,
        from: &ImageRef,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let access = Access { image: to, writes: true, from: Some(from) };
        let errand = Errand::new(access, blob_of(to, digest));
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            match self.mount_once(&errand, from, digest).await {
                Ok(mounted) => return Ok(mounted),
                // Who may not read there pushes instead; if that is not allowed either, that says
                // so.
                Err(Failure { error, retry: Retry::Never }) if is_refusal(&error) => {
                    return Ok(false);
                }
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// Whether this client may push to a repository: begins an upload, and gives it up.
    ///
    /// # Errors
    ///
    /// If it may not, or the registry cannot be reached.
    pub async fn check_push(&self, to: &ImageRef) -> Result<(), RegistryError> {
        let access = Access { image: to, writes: true, from: None };
        let errand = Errand::new(access, format!("`{}`", to.name()));
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            match self.check_push_once(&errand).await {
                Ok(()) => return Ok(()),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// Pushes a blob from a file of `size` bytes, if the repository does not have it. `progress`
    /// is told the bytes that were sent; the number falls where an upload begins anew.
    #[expect(clippy::too_many_arguments, reason = "digest and size are one thing, and known apart")]
    pub async fn push_blob(
        &self,
        to: &ImageRef,
        digest: &Digest,
        size: u64,
        path: &Path,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), RegistryError> {
        let read = |source| RegistryError::Read { path: path.to_owned(), source };
        let length = tokio::fs::metadata(path).await.map_err(read)?.len();
        let access = Access { image: to, writes: true, from: None };
        let errand = Errand::new(access, blob_of(to, digest));
        if length != size {
            let object = errand.object;
            return Err(RegistryError::Size { object, expected: size, got: length, attempts: 1 });
        }
        let sent: Sent = Arc::new(progress);
        let payload = Payload::File { path: path.to_owned(), size, sent: Arc::clone(&sent) };
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            // Looked up before each attempt: the answer to a finished upload may have been lost.
            let pushed = match self.has_blob_once(&errand, digest).await {
                Ok(true) => {
                    sent(size);
                    Ok(())
                }
                Ok(false) => self.upload_once(&errand, digest, payload.clone()).await,
                Err(failure) => Err(failure),
            };
            match pushed {
                Ok(()) => return Ok(()),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// Pushes a manifest or an index under the digest of the reference, or else under its tag.
    /// Its blobs must be there.
    pub async fn push_manifest(
        &self,
        to: &ImageRef,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest, RegistryError> {
        let access = Access { image: to, writes: true, from: None };
        let errand = Errand::new(access, format!("`{to}`"));
        let media_type = HeaderValue::try_from(media_type).map_err(|source| {
            RegistryError::Malformed { object: errand.object.clone(), source: source.into() }
        })?;
        let payload = Bytes::copy_from_slice(bytes);
        let digest = digest_of(bytes);
        let mut attempts = Attempts::new(self.inner.push_retries);
        loop {
            match self.put_manifest(&errand, &media_type, payload.clone(), digest).await {
                Ok(()) => return Ok(digest),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    async fn has_blob_once(&self, errand: &Errand<'_>, digest: &Digest) -> Result<bool, Failure> {
        let endpoint = self.push_endpoint(errand).await?;
        let url = errand.url(&endpoint, &format!("blobs/{digest}"));
        let call = errand.call(Method::HEAD, url);
        let answer = self.send(&endpoint, &call).await?;
        if answer.response.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        answer.success(&call).await.map(|_| true)
    }

    async fn mount_once(
        &self,
        errand: &Errand<'_>,
        from: &ImageRef,
        digest: &Digest,
    ) -> Result<bool, Failure> {
        let endpoint = self.push_endpoint(errand).await?;
        let mut url = errand.url(&endpoint, "blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &digest.to_string())
            .append_pair("from", from.repository());
        let call = errand.call(Method::POST, url);
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        if response.status() == StatusCode::CREATED {
            return Ok(true);
        }
        // The registry began an upload instead.
        self.give_up(&endpoint, errand, &response).await;
        Ok(false)
    }

    async fn check_push_once(&self, errand: &Errand<'_>) -> Result<(), Failure> {
        let endpoint = self.push_endpoint(errand).await?;
        let call = errand.call(Method::POST, errand.url(&endpoint, "blobs/uploads/"));
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        self.give_up(&endpoint, errand, &response).await;
        Ok(())
    }

    /// Ends an upload that was begun. That this fails is of no interest, since registries forget
    /// uploads anyway.
    async fn give_up(&self, endpoint: &Endpoint, errand: &Errand<'_>, begun: &Response) {
        if let Ok(location) = location(endpoint, errand, begun) {
            self.send(endpoint, &errand.call(Method::DELETE, location)).await.ok();
        }
    }

    /// In one piece: some registries refuse chunks, and some lose all but the first.
    async fn upload_once(
        &self,
        errand: &Errand<'_>,
        digest: &Digest,
        payload: Payload,
    ) -> Result<(), Failure> {
        let endpoint = self.push_endpoint(errand).await?;
        let call = errand.call(Method::POST, errand.url(&endpoint, "blobs/uploads/"));
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        let mut url = location(&endpoint, errand, &response)?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let mut call = errand.call(Method::PUT, url);
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        call.payload = payload;
        let uploaded = self.send(&endpoint, &call).await?.success(&call).await;
        match uploaded {
            Ok(_) => Ok(()),
            // The upload is forgotten, as after a restart of the registry: a new one may work.
            Err(Failure { error: error @ RegistryError::NotFound { .. }, .. }) => {
                Err(Failure::transient(error))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn put_manifest(
        &self,
        errand: &Errand<'_>,
        media_type: &HeaderValue,
        bytes: Bytes,
        digest: Digest,
    ) -> Result<(), Failure> {
        let endpoint = self.push_endpoint(errand).await?;
        let name = errand.access.image.manifest_name();
        let mut call =
            errand.call(Method::PUT, errand.url(&endpoint, &format!("manifests/{name}")));
        call.headers.insert(CONTENT_TYPE, media_type.clone());
        call.payload = Payload::Bytes(bytes);
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        let kept = response.headers().get("docker-content-digest").and_then(|v| v.to_str().ok());
        match kept.and_then(|kept| kept.parse::<Digest>().ok()) {
            Some(got) if got != digest => {
                let object = errand.object.clone();
                let error = RegistryError::Digest { object, expected: digest, got, attempts: 1 };
                Err(Failure::transient(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn push_endpoint(&self, errand: &Errand<'_>) -> Result<Arc<Endpoint>, Failure> {
        self.endpoint(errand.access.image.registry(), Direction::Push).await
    }
}

fn is_refusal(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::NotFound { .. }
            | RegistryError::CredentialsNeeded { .. }
            | RegistryError::CredentialsRefused { .. }
            | RegistryError::Forbidden { .. }
            | RegistryError::Server { .. }
    )
}

/// Where an upload goes on: absolute, or relative to the request.
fn location(
    endpoint: &Endpoint,
    errand: &Errand<'_>,
    response: &Response,
) -> Result<Url, RegistryError> {
    let malformed = |flaw| RegistryError::Malformed {
        object: format!("the answer of `{}` to an upload of {}", endpoint.registry, errand.object),
        source: Flaw(flaw).into(),
    };
    let text = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| malformed("it has no `Location`"))?;
    let mut url = response.url().join(text).map_err(|_| malformed("its `Location` is no URL"))?;
    if endpoint.base.scheme() == "https" && url.scheme() == "http" {
        // A registry behind a proxy that does TLS for it does not know about that. No byte of the
        // image goes out in clear text all the same.
        url.set_scheme("https").map_err(|()| malformed("its `Location` is no web address"))?;
    }
    Ok(url)
}
