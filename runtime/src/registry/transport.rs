//! One request and its answer: authorized, bounded in size and time, its errors explained.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use oci_client::errors::OciEnvelope;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::Value;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::auth::{Access, Ask, Authorization};
use super::challenge::Challenge;
pub(super) use super::endpoint::Endpoint;
use super::error::{Failure, RegistryError, Retry, Silence};
use super::{Client, Direction};

/// How long a registry may take to answer, or to send the next bytes.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// How long an upload may stand still. At its end a registry copies the blob to its storage.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(10);
/// The largest error answer that is read, in bytes.
const MESSAGE_LIMIT: u64 = 64 << 10;
/// What an error shows of an answer that is not a registry's, in characters.
const MESSAGE_LENGTH: usize = 300;
/// How much of an upload is read at once, in bytes.
const UPLOAD_CHUNK: usize = 256 << 10;

/// Told the bytes of an upload that were sent so far.
pub(super) type Sent = Arc<dyn Fn(u64) + Send + Sync>;

/// What a request sends. It can be sent again.
#[derive(Clone)]
pub(super) enum Payload {
    /// Nothing.
    None,
    /// Little.
    Bytes(Bytes),
    /// A file of so many bytes.
    File { path: PathBuf, size: u64, sent: Sent },
}

/// A request.
pub(super) struct Call<'a> {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub payload: Payload,
    pub access: Access<'a>,
    /// For errors: what it is for.
    pub verb: &'static str,
    /// For errors: and with what.
    pub object: &'a str,
}

/// An answer, and who was given it.
pub(super) struct Answer {
    pub response: Response,
    authorization: Option<Arc<Authorization>>,
}

impl Client {
    /// Sends a request, and once more with fresh credentials if it is refused. Any other status
    /// than 401 is an answer.
    pub(super) async fn send(
        &self,
        endpoint: &Endpoint,
        call: &Call<'_>,
    ) -> Result<Answer, Failure> {
        // Elsewhere than at the registry itself its credentials have no business.
        let ours = same_host(&call.url, &endpoint.base);
        let mut authorization = None;
        if ours {
            authorization = self.inner.authorizations.known(endpoint, call.access).await;
        }
        if let (true, None, Some(challenge)) = (ours, &authorization, &endpoint.challenge) {
            authorization = Some(self.authorize(endpoint, call, challenge, None).await?);
        }
        let response = send_once(endpoint, call, authorization.as_deref()).await?;
        let challenge = Challenge::of(response.headers());
        let (StatusCode::UNAUTHORIZED, true, Some(challenge)) =
            (response.status(), ours, challenge)
        else {
            return Ok(Answer { response, authorization });
        };
        let stale = authorization.as_ref();
        let fresh = self.authorize(endpoint, call, &challenge, stale).await?;
        if fresh.header.is_none() {
            return Ok(Answer { response, authorization: Some(fresh) });
        }
        let response = send_once(endpoint, call, Some(&fresh)).await?;
        Ok(Answer { response, authorization: Some(fresh) })
    }

    async fn authorize(
        &self,
        endpoint: &Endpoint,
        call: &Call<'_>,
        challenge: &Challenge,
        stale: Option<&Arc<Authorization>>,
    ) -> Result<Arc<Authorization>, Failure> {
        let ask = Ask {
            endpoint,
            challenge,
            access: call.access,
            object: call.object,
            credentials: &self.inner.credentials,
        };
        self.inner.authorizations.get(&ask, stale).await
    }

    /// How a registry is spoken to: found out once, then known.
    pub(super) async fn endpoint(
        &self,
        registry: &str,
        direction: Direction,
    ) -> Result<Arc<Endpoint>, Failure> {
        let cell = {
            let mut known = super::locked(&self.inner.known);
            Arc::clone(known.entry((registry.to_owned(), direction)).or_default())
        };
        let probe = async || self.inner.endpoints.probe(registry, direction).await.map(Arc::new);
        cell.get_or_try_init(probe).await.cloned()
    }
}

impl Answer {
    /// The answer, if its status is one of success.
    pub(super) async fn success(self, call: &Call<'_>) -> Result<Response, Failure> {
        let status = self.response.status();
        if status.is_success() {
            return Ok(self.response);
        }
        let registry = call.access.image.registry();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let message = message_of(self.response).await;
            return Err(match self.authorization {
                Some(authorization) => authorization.refused(call.object, registry, message),
                None => RegistryError::Forbidden {
                    object: call.object.to_owned(),
                    registry: registry.to_owned(),
                    message,
                },
            }
            .into());
        }
        Err(status_failure(self.response, registry, call.verb, call.object).await)
    }
}

async fn send_once(
    endpoint: &Endpoint,
    call: &Call<'_>,
    authorization: Option<&Authorization>,
) -> Result<Response, Failure> {
    let mut request = endpoint.http.request(call.method.clone(), call.url.clone());
    request = request.headers(call.headers.clone());
    if let Some(header) = authorization.and_then(|authorization| authorization.header.as_ref()) {
        request = request.header(AUTHORIZATION, header);
    }
    let sent = Arc::new(AtomicU64::new(0));
    let mut patience = ANSWER_TIMEOUT;
    match &call.payload {
        // There are registries that want the length of nothing, too.
        Payload::None if call.method == Method::POST => {
            request = request.header(CONTENT_LENGTH, 0);
        }
        Payload::None => {}
        Payload::Bytes(bytes) => request = request.body(bytes.clone()),
        Payload::File { path, size, sent: progress } => {
            patience = UPLOAD_TIMEOUT;
            let body = file_body(path, Arc::clone(&sent), Arc::clone(progress)).await?;
            request = request.header(CONTENT_LENGTH, *size).body(body);
        }
    }
    let mut send = std::pin::pin!(request.send());
    let mut before = 0;
    loop {
        match tokio::time::timeout(patience, &mut send).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => return Err(unreachable(&endpoint.registry, error)),
            Err(_) => {
                let now = sent.load(Ordering::Relaxed);
                if now == before {
                    return Err(silent(&endpoint.registry, patience));
                }
                before = now;
            }
        }
    }
}

async fn file_body(
    path: &Path,
    count: Arc<AtomicU64>,
    progress: Sent,
) -> Result<reqwest::Body, RegistryError> {
    let file = File::open(path)
        .await
        .map_err(|source| RegistryError::Read { path: path.to_owned(), source })?;
    let stream = ReaderStream::with_capacity(file, UPLOAD_CHUNK).map(move |chunk| {
        if let Ok(chunk) = &chunk {
            let length = chunk.len() as u64;
            progress(count.fetch_add(length, Ordering::Relaxed) + length);
        }
        chunk
    });
    Ok(reqwest::Body::wrap_stream(stream))
}

/// The next bytes of an answer; none at its end.
pub(super) async fn next_chunk(
    response: &mut Response,
    registry: &str,
) -> Result<Option<Bytes>, Failure> {
    match tokio::time::timeout(ANSWER_TIMEOUT, response.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(unreachable(registry, error)),
        Err(_) => Err(silent(registry, ANSWER_TIMEOUT)),
    }
}

/// A whole answer that has no more than `limit` bytes: a registry must not be able to fill the
/// memory.
pub(super) async fn read_bounded(
    mut response: Response,
    registry: &str,
    object: &str,
    limit: u64,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut response, registry).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            return Err(RegistryError::TooLarge { object: object.to_owned(), limit }.into());
        }
    }
    Ok(bytes)
}

/// The registry's own words for an error; the name of the status if it has none.
pub(super) async fn message_of(response: Response) -> String {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("unknown status").to_ascii_lowercase();
    // The answer is about an error already: another one while it is read adds nothing.
    let bytes = read_bounded(response, "", "", MESSAGE_LIMIT).await.unwrap_or_default();
    let messages = serde_json::from_slice(&bytes).map_or_else(|_| foreign_words(&bytes), words_of);
    // What a registry says goes to a terminal.
    let shown: String = messages.chars().filter(|c| !c.is_control()).take(MESSAGE_LENGTH).collect();
    if shown.is_empty() { reason } else { shown }
}

fn words_of(envelope: OciEnvelope) -> String {
    envelope
        .errors
        .into_iter()
        .map(|error| match error.detail.as_str() {
            Some(detail) if !detail.is_empty() && detail != error.message => {
                format!("{}: {detail}", error.message)
            }
            Some(_) | None => error.message,
        })
        .filter(|message| !message.is_empty())
        .collect::<Vec<String>>()
        .join("; ")
}

/// What token servers say in forms of their own: `OAuth2`'s (RFC 6749, 5.2) and Docker Hub's.
fn foreign_words(answer: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let keys = ["error_description", "details", "message", "error"];
    let words = keys.iter().find_map(|key| answer.get(key)?.as_str());
    words.unwrap_or_default().to_owned()
}

/// The error for a status that is no success.
pub(super) async fn status_failure(
    response: Response,
    registry: &str,
    verb: &'static str,
    object: &str,
) -> Failure {
    if response.status() == StatusCode::NOT_FOUND {
        let (object, message) = (object.to_owned(), message_of(response).await);
        return RegistryError::NotFound { object, message }.into();
    }
    server_failure(response, registry, verb, object).await
}

/// The same, where the status says no more than that it is none of success.
pub(super) async fn server_failure(
    response: Response,
    registry: &str,
    verb: &'static str,
    object: &str,
) -> Failure {
    let status = response.status();
    let wish = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date would need a clock; the registries that limit rates send seconds.
    let wish = wish.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    let transient = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let error = RegistryError::Server {
        verb,
        object: object.to_owned(),
        registry: registry.to_owned(),
        status: status.as_u16(),
        message: message_of(response).await,
        attempts: 1,
    };
    Failure { error, retry: if transient { Retry::After(wish) } else { Retry::Never } }
}

/// The failure for a request that got no answer, or only the beginning of one.
pub(super) fn unreachable(registry: &str, error: reqwest::Error) -> Failure {
    // The URL may be one that was signed for us.
    let error = error.without_url();
    let registry = registry.to_owned();
    if is_untrusted(&error) {
        return RegistryError::Untrusted { registry, source: error.into() }.into();
    }
    let retry =
        if error.is_builder() || error.is_redirect() { Retry::Never } else { Retry::After(None) };
    let error = RegistryError::Unreachable { registry, attempts: 1, source: error.into() };
    Failure { error, retry }
}

/// The failure for a registry that says nothing any more.
pub(super) fn silent(registry: &str, patience: Duration) -> Failure {
    Failure::transient(RegistryError::Unreachable {
        registry: registry.to_owned(),
        attempts: 1,
        source: Silence(patience).into(),
    })
}

/// Whether the reason is a certificate.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        // An io::Error does not count what it carries as its source.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    false
}

/// Whether two URLs lead to the same host and port, with the same scheme.
fn same_host(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}
