//! Registries: pull and push over the distribution protocol.
//!
//! Specification: OCI distribution-spec 1.1, and the distribution project's `spec/auth` for tokens.
//! What a registry sends is hostile: every size is bounded, every digest is checked before
//! anything is used, and credentials go to nobody but the registry and its token server.
//!
//! `oci-client` gives the error envelope and the media types. Its requests are not used: they
//! neither retry nor notice that a token has expired, take one credential a host, and would need a
//! second HTTP client with settings of its own beside the one that pushes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ir::{Digest, ImageRef};
use reqwest::Url;
use reqwest::header::HeaderMap;
use tokio::sync::OnceCell;

use auth::{Access, Authorizations};
use endpoint::{Endpoint, Endpoints, HURRIED_TIMEOUT};
use error::Failure;
use mirrors::Search;
use retry::Attempts;
use transport::{Call, Payload, silent};

pub use credentials::{Credentials, CredentialsError, HelperError, Place, Source};
pub use descriptor::{Descriptor, DescriptorPlatform, Index, Manifest, media_type};
pub use error::{PassedOver, RegistryError};
pub use mirrors::{Mirrors, MirrorsError};
pub use resolve::ResolvedImage;

mod auth;
pub(crate) mod base64;
mod challenge;
mod credentials;
mod descriptor;
mod endpoint;
mod error;
mod mirrors;
mod pull;
mod push;
mod put;
mod resolve;
mod retry;
mod transport;

/// How registries are spoken to.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Settings {
    /// Whether images may be pushed without TLS, if a registry cannot do it.
    pub insecure_push: bool,
    /// Whether images may be pulled without TLS, if a registry cannot do it.
    pub insecure_pull: bool,
    /// Registries that may be spoken to without TLS, in both directions. Loopback and private
    /// addresses and `*.local` always may.
    pub insecure_registries: BTreeSet<String>,
    /// Whether TLS need not prove anything.
    pub skip_tls_verify: bool,
    /// Registries whose certificate is not verified.
    pub skip_tls_verify_registries: BTreeSet<String>,
    /// PEM files with further certificate authorities, by registry.
    pub certificates: BTreeMap<String, PathBuf>,
    /// How this client proves who it is, by registry.
    pub client_certificates: BTreeMap<String, ClientCertificate>,
    /// How often a push is tried again that may succeed then.
    pub push_retries: u32,
    /// How often a pull is tried again that may succeed then.
    pub pull_retries: u32,
    /// Which registries are asked in place of others for what is pulled.
    pub mirrors: Mirrors,
    /// In whose name registries are asked.
    pub credentials: Credentials,
    /// How this client calls itself.
    pub user_agent: String,
}

/// A certificate of this client, and its key. Both PEM; X.509 version 3.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Speaks to registries. Cheap to clone; connections, tokens and what is in flight are shared.
///
/// Dropping a future of any method stops what it does, and leaves nothing half-done in the store.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoints: Endpoints,
    known: Mutex<BTreeMap<(String, Direction), Known>>,
    authorizations: Authorizations,
    credentials: Credentials,
    mirrors: Mirrors,
    places: Mutex<Places>,
    pull_retries: u32,
    push_retries: u32,
    /// Held by whoever is fetching the blob.
    in_flight: Mutex<BTreeMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

/// What is known of the places where images are looked for.
#[derive(Default)]
struct Places {
    /// What was asked for, by the place where it was found; of several names the last one.
    asked: BTreeMap<ImageRef, ImageRef>,
    /// Registries that could not be reached. They are the last ones to be asked from then on.
    unreachable: BTreeSet<String>,
}

/// Found out by who needs it first.
type Known = Arc<OnceCell<Arc<Endpoint>>>;

/// Which settings hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Pull,
    Push,
}

impl Client {
    /// Reads the certificates; speaks to nobody yet.
    pub fn new(settings: Settings) -> Result<Self, RegistryError> {
        // Another part of the process may have chosen already: then that choice holds.
        rustls::crypto::ring::default_provider().install_default().ok();
        let inner = Inner {
            endpoints: Endpoints::new(&settings)?,
            known: Mutex::default(),
            authorizations: Authorizations::default(),
            credentials: settings.credentials,
            mirrors: settings.mirrors,
            places: Mutex::default(),
            pull_retries: settings.pull_retries,
            push_retries: settings.push_retries,
            in_flight: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// An HTTP client for a server that need be no registry: with the certificates and proxies
    /// for its host, without credentials. It follows no redirects.
    ///
    /// # Errors
    ///
    /// If none can be made with these certificates.
    pub(crate) fn downloads(&self, url: &Url) -> Result<reqwest::Client, RegistryError> {
        self.inner.endpoints.downloads(url)
    }

    /// A walk through the places of an image; from one of them, if it was found there. Registries
    /// that could not be reached come last.
    fn search(&self, image: &ImageRef, from: Option<&ImageRef>, object: String) -> Search {
        let known = locked(&self.inner.places);
        let mut places = self.inner.mirrors.places(image);
        // Stable: what is equal in this stays in its order.
        places.sort_by_key(|place| {
            (known.unreachable.contains(place.registry()), from != Some(place))
        });
        Search::new(image.clone(), object, places)
    }

    fn pull_attempts(&self, errand: &Errand<'_>) -> Attempts {
        Attempts::new(self.inner.pull_retries).hurried(errand.hurried)
    }

    /// How the registry of what is pulled is spoken to. Remembers those that cannot be reached.
    async fn pull_endpoint(&self, errand: &Errand<'_>) -> Result<Arc<Endpoint>, Failure> {
        let registry = errand.access.image.registry();
        let endpoint = self.endpoint(registry, Direction::Pull);
        if !errand.hurried {
            return endpoint.await;
        }
        let found = tokio::time::timeout(HURRIED_TIMEOUT, endpoint).await;
        let found = found.unwrap_or_else(|_| Err(silent(registry, HURRIED_TIMEOUT)));
        found.map_err(|failure| {
            locked(&self.inner.places).unreachable.insert(registry.to_owned());
            failure.error.into()
        })
    }
}

/// What one operation asks for again and again.
struct Errand<'a> {
    access: Access<'a>,
    verb: &'static str,
    /// What errors call it.
    object: String,
    /// Whether it can be done elsewhere, so that nobody waits long here.
    hurried: bool,
}

impl<'a> Errand<'a> {
    fn new(access: Access<'a>, object: String) -> Self {
        let verb = if access.writes { "push" } else { "pull" };
        Self { access, verb, object, hurried: false }
    }

    /// To pull from a place, which may not be the only one.
    fn pull(image: &'a ImageRef, object: String, hurried: bool) -> Self {
        let access = Access { image, writes: false, from: None };
        Self { hurried, ..Self::new(access, object) }
    }

    fn call(&self, method: reqwest::Method, url: Url) -> Call<'_> {
        Call {
            method,
            url,
            headers: HeaderMap::new(),
            payload: Payload::None,
            access: self.access,
            verb: self.verb,
            object: &self.object,
        }
    }

    /// A path within the repository.
    fn url(&self, endpoint: &Endpoint, path: &str) -> Url {
        let repository = self.access.image.repository();
        endpoint
            .base
            .join(&format!("v2/{repository}/{path}"))
            .expect("a repository's name is a relative path")
    }
}

fn blob_of(image: &ImageRef, digest: &Digest) -> String {
    format!("blob `{digest}` of `{}`", image.name())
}

/// The maps behind these locks are whole between any two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
