//! Whose name a registry is asked in: docker's config file and credential helpers.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ir::ImageRef;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::base64;

/// What helpers and config files call Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// How long a credential helper may take; some ask a cloud.
const HELPER_TIMEOUT: Duration = Duration::from_mins(1);
/// The most that a credential helper may say, in bytes.
const HELPER_LIMIT: u64 = 1 << 20;

/// The known credentials. Cheap to clone; shows no secrets.
#[derive(Clone, Default)]
pub struct Credentials(Arc<Known>);

#[derive(Default)]
struct Known {
    /// By registry, or registry and the beginning of a repository.
    logins: BTreeMap<String, Login>,
    /// Helpers by registry.
    helpers: BTreeMap<String, String>,
    /// The helper for all other registries.
    store: Option<String>,
}

/// A text that is not shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(String);

/// How to show who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// A name and a password.
    Password { user: String, password: Secret },
    /// What a token server gives access tokens for (`OAuth2`'s refresh token).
    Identity(Secret),
    /// An access token.
    Token(Secret),
}

/// What was found for a repository.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// None: it has to go without.
    pub login: Option<Login>,
    /// Why a helper gave none. It is no error until the registry insists: config files name
    /// helpers that are not there, and most base images are public.
    pub trouble: Option<HelperError>,
}

/// A docker config file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It is no JSON of the right shape.
    #[error("cannot read the docker config: it is no such JSON (line {line}, column {column})")]
    Json {
        /// Where it is wrong, from 1. Nothing is quoted: it may be a secret.
        line: usize,
        /// Where it is wrong, from 1.
        column: usize,
    },
    /// An `auth` is no base64 of `user:password`.
    #[error(
        "cannot read `auths` of the docker config: the `auth` of `{key}` is no base64 of `user:password`"
    )]
    Auth {
        /// The key of the entry.
        key: String,
    },
    /// The name of a helper is no name.
    #[error(
        "cannot use the credential helper `{helper}` of the docker config: a name is letters, digits, `-`, `_` and `.`"
    )]
    HelperName {
        /// As written.
        helper: String,
    },
}

/// Why a credential helper gave no credentials.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It cannot be run.
    #[error("cannot run `{program}`")]
    Run {
        /// Which program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("cannot get credentials from `{program}`: it did not end in {} seconds", HELPER_TIMEOUT.as_secs())]
    Timeout {
        /// Which program.
        program: String,
    },
    /// It failed.
    #[error("cannot get credentials from `{program}`: {message}")]
    Failed {
        /// Which program.
        program: String,
        /// Its words, or its exit status.
        message: String,
    },
    /// It said something else than credentials.
    #[error("cannot read the credentials that `{program}` gave")]
    Answer {
        /// Which program.
        program: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DockerConfig {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<AuthEntry>>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct AuthEntry {
    #[serde(default)]
    auth: Secret,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    identitytoken: Secret,
    #[serde(default)]
    registrytoken: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: Secret,
}

impl Credentials {
    /// None.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Those of a docker `config.json` (podman's `auth.json` has the same form).
    pub fn from_docker_config(json: &str) -> Result<Self, CredentialsError> {
        let config: DockerConfig = serde_json::from_str(json).map_err(|error| {
            CredentialsError::Json { line: error.line(), column: error.column() }
        })?;
        let mut known = Known::default();
        for (key, entry) in config.auths.unwrap_or_default() {
            // `docker login` with a helper leaves an empty entry.
            if let Some(login) = entry.map_or(Ok(None), |entry| entry.login(&key))? {
                known.logins.insert(normalise(&key).to_owned(), login);
            }
        }
        for (key, helper) in config.cred_helpers.unwrap_or_default() {
            known.helpers.insert(normalise(&key).to_owned(), checked(helper)?);
        }
        known.store =
            config.creds_store.filter(|helper| !helper.is_empty()).map(checked).transpose()?;
        Ok(Self(Arc::new(known)))
    }

    /// The credentials for a repository. Those for a part of the registry win, the longest first;
    /// then come the helper for the registry, the helper for all, and those for the registry.
    pub(super) async fn find(&self, image: &ImageRef) -> Found {
        let registry = normalise(image.registry());
        let mut key = format!("{registry}/{}", image.repository());
        while key.len() > registry.len() {
            if let Some(login) = self.0.logins.get(&key) {
                return Found { login: Some(login.clone()), trouble: None };
            }
            key.truncate(key.rfind('/').expect("the registry's slash is left"));
        }
        let helper = self.0.helpers.get(registry).or(self.0.store.as_ref());
        let asked = match helper {
            Some(helper) => ask(format!("docker-credential-{helper}"), registry).await,
            None => Ok(None),
        };
        let (login, trouble) = match asked {
            Ok(login) => (login, None),
            Err(error) => (None, Some(error)),
        };
        Found { login: login.or_else(|| self.0.logins.get(registry).cloned()), trouble }
    }
}

impl AuthEntry {
    fn login(self, key: &str) -> Result<Option<Login>, CredentialsError> {
        if !self.registrytoken.0.is_empty() {
            return Ok(Some(Login::Token(self.registrytoken)));
        }
        if !self.identitytoken.0.is_empty() {
            return Ok(Some(Login::Identity(self.identitytoken)));
        }
        if !self.username.is_empty() {
            return Ok(Some(Login::Password { user: self.username, password: self.password }));
        }
        if self.auth.0.is_empty() {
            return Ok(None);
        }
        let text = base64::decode(self.auth.0.trim()).and_then(|b| String::from_utf8(b).ok());
        let (user, password) = text
            .as_deref()
            .and_then(|text| text.split_once(':'))
            .ok_or_else(|| CredentialsError::Auth { key: key.to_owned() })?;
        // Docker pads with zero bytes.
        let password = Secret(password.trim_end_matches('\0').to_owned());
        Ok(Some(Login::Password { user: user.to_owned(), password }))
    }
}

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("logins", &self.0.logins.keys())
            .field("helpers", &self.0.helpers)
            .field("store", &self.0.store)
            .finish()
    }
}

/// A key of a config file as [`ImageRef`] names registries: without scheme and API version.
fn normalise(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    match key {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        key => {
            key.strip_prefix("index.").filter(|key| key.starts_with("docker.io/")).unwrap_or(key)
        }
    }
}

/// A name that can only be that of a program in `PATH`.
fn checked(helper: String) -> Result<String, CredentialsError> {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fine = !helper.is_empty() && helper.bytes().all(valid);
    if fine { Ok(helper) } else { Err(CredentialsError::HelperName { helper }) }
}

/// Asks a helper (docker-credential-helpers, "Development"). None if it knows nothing of the
/// registry.
async fn ask(program: String, registry: &str) -> Result<Option<Login>, HelperError> {
    let key = if registry == "docker.io" { HUB_KEY } else { registry };
    let run = run(&program, key);
    let (success, answer) = match tokio::time::timeout(HELPER_TIMEOUT, run).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(source)) => return Err(HelperError::Run { program, source }),
        Err(_) => return Err(HelperError::Timeout { program }),
    };
    if !success {
        let message = String::from_utf8_lossy(&answer).trim().to_owned();
        if message.contains("credentials not found") {
            return Ok(None);
        }
        return Err(HelperError::Failed { program, message });
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&answer).map_err(|_| HelperError::Answer { program })?;
    Ok(match (answer.username, answer.secret) {
        (user, secret) if user.is_empty() && secret.0.is_empty() => None,
        (user, secret) if user == "<token>" => Some(Login::Identity(secret)),
        (user, password) => Some(Login::Password { user, password }),
    })
}

/// Whether the program succeeded, and what it wrote.
async fn run(program: &str, key: &str) -> std::io::Result<(bool, Vec<u8>)> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    // A helper need not read the key to say that it cannot help.
    stdin.write_all(key.as_bytes()).await.ok();
    drop(stdin);
    let mut answer = Vec::new();
    let stdout = child.stdout.take().expect("it is piped");
    stdout.take(HELPER_LIMIT).read_to_end(&mut answer).await?;
    Ok((child.wait().await?.success(), answer))
}

#[cfg(test)]
mod tests;
