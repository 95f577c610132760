//! Where a registry is and how it is spoken to: host, scheme, certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Identity, StatusCode, Url, redirect};

use super::challenge::Challenge;
use super::error::{Cause, Failure, Flaw, RegistryError};
use super::transport::{ANSWER_TIMEOUT, status_failure, unreachable};
use super::{Direction, Settings};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a registry that may be spoken to without TLS has to show that it can do TLS: what
/// listens there may wait for us to say something else.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a registry has to be reached where what it is asked for may be had elsewhere. More than
/// [`PROBE_TIMEOUT`], for those that answer without TLS only.
pub(super) const HURRIED_TIMEOUT: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a peer may leave sent bytes without acknowledgement.
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_mins(2);
const MAX_REDIRECTS: usize = 10;
/// How long a server that is no registry may take to answer, or to send the next bytes.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(5);

/// A registry, as it is spoken to.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// As images name it.
    pub registry: String,
    /// `scheme://host[:port]/`.
    pub base: Url,
    pub http: reqwest::Client,
    /// What it said when it was asked for nothing in particular.
    pub challenge: Option<Challenge>,
}

/// Makes endpoints.
#[derive(Debug)]
pub(super) struct Endpoints {
    insecure_directions: BTreeSet<Direction>,
    skip_all_verify: bool,
    insecure: BTreeSet<String>,
    skip_verify: BTreeSet<String>,
    user_agent: String,
    roots: Vec<Certificate>,
    authorities: BTreeMap<String, Vec<Certificate>>,
    identities: BTreeMap<String, Identity>,
    /// For all registries that need nothing special.
    plain: reqwest::Client,
    /// For all other servers that need nothing special.
    downloads: reqwest::Client,
}

impl Endpoints {
    /// Reads the certificates of the settings and of the system.
    pub(super) fn new(settings: &Settings) -> Result<Self, RegistryError> {
        let mut authorities = BTreeMap::new();
        for (registry, path) in &settings.certificates {
            let certificates = authority(path).map_err(certificate_error(registry, path))?;
            authorities.insert(registry.clone(), certificates);
        }
        let mut identities = BTreeMap::new();
        for (registry, client) in &settings.client_certificates {
            let read = identity(&client.certificate, &client.key);
            let identity = read.map_err(certificate_error(registry, &client.certificate))?;
            identities.insert(registry.clone(), identity);
        }
        let directions =
            [(settings.insecure_push, Direction::Push), (settings.insecure_pull, Direction::Pull)];
        let roots = roots();
        let plain = builder(&settings.user_agent, roots.clone()).build();
        let downloads = download_builder(&settings.user_agent, roots.clone()).build();
        Ok(Self {
            insecure_directions: directions
                .into_iter()
                .filter_map(|(yes, d)| yes.then_some(d))
                .collect(),
            skip_all_verify: settings.skip_tls_verify,
            insecure: settings.insecure_registries.clone(),
            skip_verify: settings.skip_tls_verify_registries.clone(),
            user_agent: settings.user_agent.clone(),
            roots,
            authorities,
            identities,
            plain: plain.map_err(|source| RegistryError::Setup { source })?,
            downloads: downloads.map_err(|source| RegistryError::Setup { source })?,
        })
    }

    /// Finds out how a registry is spoken to. One attempt.
    ///
    /// As ggcr does it: with TLS; and where that fails without, if the registry may be insecure.
    pub(super) async fn probe(
        &self,
        registry: &str,
        direction: Direction,
    ) -> Result<Endpoint, Failure> {
        let http = self.http(registry)?;
        let insecure = self.insecure_directions.contains(&direction)
            || self.insecure.contains(registry)
            || is_local(registry);
        let timeout = if insecure { PROBE_TIMEOUT } else { ANSWER_TIMEOUT };
        let secure = ping(&http, registry, "https", timeout).await;
        match secure {
            // Who shows a certificate does TLS, and nothing else on this port.
            Err(Failure { error: RegistryError::Untrusted { .. }, .. }) => return secure,
            Err(_) if insecure => {}
            answer => return answer,
        }
        // Both failed: for a name that is local anyway, what TLS says is of no interest; where the
        // user allowed both, the attempt with TLS is the one to repair.
        match ping(&http, registry, "http", ANSWER_TIMEOUT).await {
            Err(_) if !is_local(registry) => secure,
            answer => answer,
        }
    }

    /// For the server of a URL, which need be no registry: its authority may be one of the
    /// settings. Follows no redirects.
    pub(super) fn downloads(&self, url: &Url) -> Result<reqwest::Client, RegistryError> {
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let mut names = with_port.as_deref().into_iter().chain([host]);
        let authority = names.find_map(|host| self.authorities.get(host));
        if authority.is_none() && !is_loopback(host) {
            return Ok(self.downloads.clone());
        }
        let mut roots = self.roots.clone();
        roots.extend(authority.into_iter().flatten().cloned());
        let mut builder = download_builder(&self.user_agent, roots);
        if is_loopback(host) {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|source| RegistryError::Setup { source })
    }

    fn http(&self, registry: &str) -> Result<reqwest::Client, RegistryError> {
        let lax = self.skip_all_verify || self.skip_verify.contains(registry);
        let authority = self.authorities.get(registry);
        let identity = self.identities.get(registry);
        let loopback = is_loopback(host_of(registry));
        if !lax && !loopback && authority.is_none() && identity.is_none() {
            return Ok(self.plain.clone());
        }
        let mut roots = self.roots.clone();
        roots.extend(authority.into_iter().flatten().cloned());
        let mut builder = builder(&self.user_agent, roots).tls_danger_accept_invalid_certs(lax);
        if let Some(identity) = identity {
            builder = builder.identity(identity.clone());
        }
        if loopback {
            // A proxy would look for it on its own machine. (Go's client knows that, too.)
            builder = builder.no_proxy();
        }
        builder.build().map_err(|source| RegistryError::Setup { source })
    }
}

/// Asks for the version of the API, which every registry answers, if only with a challenge.
async fn ping(
    http: &reqwest::Client,
    registry: &str,
    scheme: &str,
    timeout: Duration,
) -> Result<Endpoint, Failure> {
    let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    let base =
        Url::parse(&format!("{scheme}://{host}/")).map_err(|_| RegistryError::Malformed {
            object: format!("registry `{registry}`"),
            source: Flaw("it is no host name").into(),
        })?;
    let url = base.join("v2/").expect("a relative path joins");
    let send = tokio::time::timeout(timeout, http.get(url).send()).await;
    let response = match send {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(unreachable(registry, error)),
        Err(_) => return Err(super::transport::silent(registry, timeout)),
    };
    let status = response.status();
    // 400 is how many a server says that it wants TLS. 403 and 404 come from those that answer for
    // repositories only.
    let reached = status.is_success()
        || [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND]
            .contains(&status);
    if !reached {
        return Err(status_failure(response, registry, "use", &format!("`{registry}`")).await);
    }
    let challenge = Challenge::of(response.headers());
    let challenge = challenge.filter(|_| status == StatusCode::UNAUTHORIZED);
    Ok(Endpoint { registry: registry.to_owned(), base, http: http.clone(), challenge })
}

/// Names that are spoken to without TLS, if need be, without being asked to (ggcr
/// `pkg/name/registry.go`).
fn is_local(registry: &str) -> bool {
    let host = host_of(registry);
    is_loopback(host)
        || [".local", ".localhost"].iter().any(|suffix| host.ends_with(suffix))
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_private())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn host_of(registry: &str) -> &str {
    match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => registry,
    }
}

fn builder(user_agent: &str, roots: Vec<Certificate>) -> reqwest::ClientBuilder {
    // The policy is asked for each redirect. reqwest itself drops `Authorization` when the host
    // changes.
    let policy = redirect::Policy::custom(|attempt| {
        let secure = attempt.previous().last().is_some_and(|from| from.scheme() == "https");
        if secure && attempt.url().scheme() == "http" {
            attempt.error(Flaw("the registry redirects to where there is no TLS"))
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error(Flaw("the registry redirects too often"))
        } else {
            attempt.follow()
        }
    });
    // No timeout for reads: reqwest would count the time that an upload takes as one read.
    reqwest::Client::builder()
        .user_agent(user_agent)
        .redirect(policy)
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(KEEPALIVE)
        .tcp_user_timeout(ACKNOWLEDGEMENT_TIMEOUT)
        // An image without a system's certificates must do: only what is given here is used.
        .tls_certs_only(roots)
}

fn download_builder(user_agent: &str, roots: Vec<Certificate>) -> reqwest::ClientBuilder {
    builder(user_agent, roots).redirect(redirect::Policy::none()).read_timeout(DOWNLOAD_TIMEOUT)
}

/// Mozilla's authorities, and the system's as far as they can be read.
fn roots() -> Vec<Certificate> {
    let native = rustls_native_certs::load_native_certs().certs;
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .chain(&native)
        .filter_map(|certificate| Certificate::from_der(certificate).ok())
        .collect()
}

fn authority(path: &Path) -> Result<Vec<Certificate>, Cause> {
    let certificates = Certificate::from_pem_bundle(&std::fs::read(path)?)?;
    // What is no PEM at all reads as a bundle of none.
    if certificates.is_empty() {
        return Err(Flaw("there is no PEM certificate in it").into());
    }
    Ok(certificates)
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, Cause> {
    let mut pem = std::fs::read(certificate)?;
    pem.push(b'\n');
    pem.extend(std::fs::read(key)?);
    Ok(Identity::from_pem(&pem)?)
}

fn certificate_error<'a>(
    registry: &'a str,
    path: &'a Path,
) -> impl FnOnce(Cause) -> RegistryError + 'a {
    move |source| RegistryError::Certificate {
        registry: registry.to_owned(),
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_those_of_ggcr() {
        for registry in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.1.2.3",
            "[::1]:5000",
            "[::1]",
            "a.local",
            "a.local:80",
            "r.localhost:1",
            "10.1.2.3:5000",
            "192.168.0.1",
            "172.16.0.9",
        ] {
            assert!(is_local(registry), "{registry}");
        }
        for registry in
            ["docker.io", "localhost.evil.io", "local", "1.2.3.4:80", "172.32.0.1", "127.0.0.1.io"]
        {
            assert!(!is_local(registry), "{registry}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no PEM").unwrap();
        let settings = Settings {
            certificates: [("r.io".to_owned(), file.path().to_owned())].into(),
            ..Settings::default()
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        let error = Endpoints::new(&settings).unwrap_err();
        assert!(matches!(error, RegistryError::Certificate { registry, .. } if registry == "r.io"));
    }
}
