//! Docker's `config.json` and podman's `auth.json`: logins and helpers by registry.

use std::collections::BTreeMap;

use ir::ImageRef;
use serde::Deserialize;

use super::helper::{self, HelperError};
use super::{Credential, Login, Origin, Place, Secret, registry_of};
use crate::registry::base64;

/// What one file, or one variable with the text of one, knows.
pub(super) struct Config {
    pub place: Place,
    /// By registry, or registry and the beginning of a repository.
    logins: BTreeMap<String, Entry>,
    /// Helpers by registry.
    helpers: BTreeMap<String, String>,
    /// The helper for all other registries.
    store: Option<String>,
}

struct Entry {
    /// As it is written there.
    key: String,
    login: Login,
}

/// A docker config that cannot be read. Nothing of it is quoted but keys: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It is no JSON of the right shape.
    #[error(
        "cannot read {place}: it is no JSON of the form of docker's `config.json` (line {line}, \
         column {column})"
    )]
    Json {
        /// What is wrong.
        place: Place,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// An `auth` is no base64 of `user:password`.
    #[error(
        "cannot read `auths` of {place}: the `auth` of `{key}` is no base64 of `user:password`"
    )]
    Auth {
        /// What is wrong.
        place: Place,
        /// The key of the entry.
        key: String,
    },
    /// The name of a helper is no name.
    #[error(
        "cannot use the credential helper `{helper}` of {place}: a name is letters, digits, `-`, \
         `_` and `.`"
    )]
    HelperName {
        /// What is wrong.
        place: Place,
        /// As written.
        helper: String,
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

impl Config {
    pub(super) fn parse(place: Place, json: &str) -> Result<Self, CredentialsError> {
        let config: DockerConfig = match serde_json::from_str(json) {
            Ok(config) => config,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return Err(CredentialsError::Json { place, line, column });
            }
        };
        let mut logins = BTreeMap::new();
        for (key, entry) in config.auths.unwrap_or_default() {
            // `docker login` with a helper leaves an empty entry.
            let Some(entry) = entry else { continue };
            let Ok(login) = entry.login() else {
                return Err(CredentialsError::Auth { place, key });
            };
            if let Some(login) = login {
                logins.insert(registry_of(&key).to_owned(), Entry { key, login });
            }
        }
        let helpers = config.cred_helpers.unwrap_or_default();
        let store = config.creds_store.filter(|helper| !helper.is_empty());
        if let Some(helper) = helpers.values().chain(&store).find(|helper| !is_name(helper)) {
            let helper = helper.clone();
            return Err(CredentialsError::HelperName { place, helper });
        }
        let helpers =
            helpers.into_iter().map(|(key, helper)| (registry_of(&key).to_owned(), helper));
        Ok(Self { place, logins, helpers: helpers.collect(), store })
    }

    /// The credentials for a repository. Those for a part of the registry win, the longest first;
    /// then come the helper for the registry, the helper for all, and those for the registry.
    /// If the helper fails, why.
    pub(super) async fn find(&self, image: &ImageRef) -> (Option<Credential>, Option<HelperError>) {
        let registry = registry_of(image.registry());
        let mut key = format!("{registry}/{}", image.repository());
        while key.len() > registry.len() {
            if let Some(entry) = self.logins.get(&key) {
                return (Some(self.credential(entry)), None);
            }
            key.truncate(key.rfind('/').expect("the registry's slash is left"));
        }
        let asked = match self.helpers.get(registry).or(self.store.as_ref()) {
            Some(helper) => self.ask(helper, registry).await,
            None => Ok(None),
        };
        let (found, trouble) = match asked {
            Ok(found) => (found, None),
            Err(error) => (None, Some(error)),
        };
        let written = || self.logins.get(registry).map(|entry| self.credential(entry));
        (found.or_else(written), trouble)
    }

    fn credential(&self, entry: &Entry) -> Credential {
        let origin = Origin::Entry { key: entry.key.clone(), place: self.place.clone() };
        Credential { login: entry.login.clone(), origin }
    }

    async fn ask(&self, helper: &str, registry: &str) -> Result<Option<Credential>, HelperError> {
        let program = format!("docker-credential-{helper}");
        let login = helper::ask(&program, registry).await?;
        let origin = Origin::Helper { program, place: self.place.clone() };
        Ok(login.map(|login| Credential { login, origin }))
    }
}

/// An `auth` is no base64 of `user:password`.
struct NoPair;

impl AuthEntry {
    fn login(self) -> Result<Option<Login>, NoPair> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Login::Token(self.registrytoken)));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::Identity(self.identitytoken)));
        }
        if !self.username.is_empty() {
            return Ok(Some(Login::Password { user: self.username, password: self.password }));
        }
        if self.auth.is_empty() {
            return Ok(None);
        }
        let text = base64::decode(self.auth.reveal().trim());
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        let (user, password) =
            text.as_deref().and_then(|text| text.split_once(':')).ok_or(NoPair)?;
        // Docker pads with zero bytes.
        let password = Secret::from(password.trim_end_matches('\0'));
        Ok(Some(Login::Password { user: user.to_owned(), password }))
    }
}

/// Whether it can only be the name of a program in `PATH`.
fn is_name(helper: &str) -> bool {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !helper.is_empty() && helper.bytes().all(valid)
}
