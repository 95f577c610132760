//! Whose name a registry is asked in: the sources of credentials, and which of them counts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ir::ImageRef;
use serde::Deserialize;

use config::Config;
use variables::{Hosts, Triple};

pub use config::CredentialsError;
pub use helper::HelperError;

mod config;
mod helper;
mod variables;

/// The sources of credentials, the first that knows a repository counts. Cheap to clone; shows no
/// secrets.
#[derive(Clone, Default)]
pub struct Credentials(Arc<[Source]>);

/// What may know credentials.
pub struct Source(Kind);

enum Kind {
    Config(Config),
    Absent { place: Place, why: &'static str },
    Hosts(Hosts),
    Triple(Triple),
}

/// Where a docker config is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In the variable of this name.
    Variable(&'static str),
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

/// A login and where it comes from. Shown, it is both, without the secret.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub login: Login,
    pub origin: Origin,
}

/// Where a login comes from. Shown, it is what people have to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// An entry of a docker config, by its key.
    Entry { key: String, place: Place },
    /// A program that a docker config names.
    Helper { program: String, place: Place },
    /// Two variables, by their names.
    Variables { user: String, password: String },
}

/// What was found for a repository.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// None: it has to go without.
    pub credential: Option<Credential>,
    /// Why the first helper that failed gave none. It is no error until the registry insists:
    /// config files name helpers that are not there, and most base images are public.
    pub trouble: Option<HelperError>,
}

impl Credentials {
    /// None.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Those of some sources, the first that knows a repository counts.
    pub fn of(sources: Vec<Source>) -> Self {
        Self(sources.into())
    }

    /// The credentials for a repository.
    pub(super) async fn find(&self, image: &ImageRef) -> Found {
        let registry = registry_of(image.registry());
        let mut found = Found::default();
        for Source(kind) in &*self.0 {
            found.credential = match kind {
                Kind::Config(config) => {
                    let (credential, trouble) = config.find(image).await;
                    found.trouble = found.trouble.or(trouble);
                    credential
                }
                Kind::Absent { .. } => None,
                Kind::Hosts(hosts) => hosts.find(registry),
                Kind::Triple(triple) => triple.find(registry),
            };
            if found.credential.is_some() {
                break;
            }
        }
        found
    }

    /// Where credentials are looked for, as a part of a sentence: ` in …`, or nothing.
    pub(super) fn places(&self) -> String {
        let places: Vec<String> = self.0.iter().map(Source::to_string).collect();
        if places.is_empty() { String::new() } else { format!(" in {}", places.join(", ")) }
    }
}

impl Source {
    /// A docker `config.json` (podman's `auth.json` has the same form).
    pub fn docker_config(place: Place, json: &str) -> Result<Self, CredentialsError> {
        Config::parse(place, json).map(|config| Self(Kind::Config(config)))
    }

    /// A docker config that is not to be had, for the reason that `why` tells in few words. It is
    /// named where credentials are missed.
    pub fn absent(place: Place, why: &'static str) -> Self {
        Self(Kind::Absent { place, why })
    }

    /// The variables `KANIKO_<HOST>_USER` and `KANIKO_<HOST>_PASSWORD` among some, which are names
    /// and values; none if there are none. A host's name is in capitals there, with `_` for all
    /// that is no letter or digit; the names of the domains that it is in are good for it too.
    pub fn hosts(variables: &BTreeMap<&str, &str>) -> Option<Self> {
        Hosts::of(variables).map(|hosts| Self(Kind::Hosts(hosts)))
    }

    /// The login for a registry that the variables `<prefix>_USER` and `<prefix>_PASSWORD` hold;
    /// none if something is empty.
    pub fn variables(prefix: &str, registry: &str, user: &str, password: &str) -> Option<Self> {
        Triple::of(prefix, registry, user, password).map(|triple| Self(Kind::Triple(triple)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Config(config) => config.place.fmt(f),
            Kind::Absent { place, why } => write!(f, "{place} ({why})"),
            Kind::Hosts(_) => f.write_str("the variables `KANIKO_…_USER`"),
            Kind::Triple(triple) => triple.origin().fmt(f),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Source::to_string)).finish()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Variable(name) => write!(f, "the variable `{name}`"),
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Login::Password { user, .. } => write!(f, "user `{user}` from {}", self.origin),
            Login::Identity(_) | Login::Token(_) => write!(f, "a token from {}", self.origin),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { key, place } => write!(f, "the entry `{key}` of {place}"),
            Self::Helper { program, place } => write!(f, "`{program}` (named by {place})"),
            Self::Variables { user, password } => {
                write!(f, "the variables `{user}` and `{password}`")
            }
        }
    }
}

impl Login {
    /// What a name and a secret mean to helpers; none if both are empty.
    fn of_pair(user: &str, secret: Secret) -> Option<Self> {
        match user {
            "" if secret.is_empty() => None,
            "<token>" => Some(Self::Identity(secret)),
            user => Some(Self::Password { user: user.to_owned(), password: secret }),
        }
    }
}

impl Secret {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A registry as [`ImageRef`] names it, of one as people and config files do, and of one with the
/// beginning of a repository: without scheme and API version.
fn registry_of(key: &str) -> &str {
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

#[cfg(test)]
mod tests;
