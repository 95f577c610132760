//! `Authorization`: passwords and tokens, fetched when they are wanted and kept while they are
//! good.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ir::ImageRef;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::base64;
use super::challenge::Challenge;
use super::credentials::{Credentials, HelperError, Login, Secret};
use super::error::{Failure, Flaw, RegistryError};
use super::locked;
use super::transport::{Endpoint, message_of, read_bounded, status_failure, unreachable};

/// How long a token is good if the token server does not say (distribution
/// `spec/auth/token.md`).
const DEFAULT_LIFE: u64 = 60;
/// How long a helper's password is used without asking the helper again.
const PASSWORD_LIFE: u64 = 600;
/// The largest answer of a token server, in bytes.
const ANSWER_LIMIT: u64 = 1 << 20;
/// How this client calls itself where `OAuth2` wants a name.
const CLIENT_ID: &str = "kaniko";

/// What a request wants to do, and in which repositories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access<'a> {
    /// Where.
    pub image: &'a ImageRef,
    /// Whether it changes something there.
    pub writes: bool,
    /// A second repository of the same registry, which is read.
    pub from: Option<&'a ImageRef>,
}

impl Access<'_> {
    fn scopes(&self) -> Vec<String> {
        let actions = if self.writes { "pull,push" } else { "pull" };
        let mut scopes = vec![format!("repository:{}:{actions}", self.image.repository())];
        scopes.extend(self.from.map(|from| format!("repository:{}:pull", from.repository())));
        scopes
    }
}

/// The authorizations that are good still.
#[derive(Default)]
pub(super) struct Authorizations(Mutex<BTreeMap<(String, Vec<String>), Slot>>);

/// Locked while the authorization is fetched: who needs the same one waits for it.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Authorization>>>>;

/// What is sent, and on whose behalf.
#[derive(Debug)]
pub(super) struct Authorization {
    /// None: nothing. Marked sensitive, so that nothing shows it.
    pub header: Option<HeaderValue>,
    holder: Holder,
    /// Why a helper gave no credentials.
    trouble: Mutex<Option<HelperError>>,
    /// When it is good no longer.
    expires: Instant,
}

/// In whose name an authorization is.
#[derive(Debug)]
enum Holder {
    /// Somebody's: who that is, and where it was found.
    Known { who: Box<str> },
    /// Nobody's: where somebody was looked for.
    Nobody { places: Box<str> },
}

impl Authorization {
    /// The error for a registry that refuses it.
    pub(super) fn refused(&self, object: &str, registry: &str, message: String) -> RegistryError {
        let (object, registry) = (object.to_owned(), registry.to_owned());
        let source = locked(&self.trouble).take().map(Box::new);
        match &self.holder {
            Holder::Known { who } => {
                let who = who.clone();
                RegistryError::CredentialsRefused { object, registry, who, message, source }
            }
            Holder::Nobody { places } => {
                let places = places.clone();
                RegistryError::CredentialsNeeded { object, registry, places, message, source }
            }
        }
    }
}

impl Authorizations {
    /// What is known for an access, without asking anyone.
    pub(super) async fn known(
        &self,
        endpoint: &Endpoint,
        access: Access<'_>,
    ) -> Option<Arc<Authorization>> {
        let slot = self.slot(endpoint, access);
        let known = slot.lock().await;
        known.clone().filter(|authorization| authorization.expires > Instant::now())
    }

    /// An authorization that answers a challenge: the known one, unless it is `stale`.
    pub(super) async fn get(
        &self,
        ask: &Ask<'_>,
        stale: Option<&Arc<Authorization>>,
    ) -> Result<Arc<Authorization>, Failure> {
        let slot = self.slot(ask.endpoint, ask.access);
        let mut known = slot.lock().await;
        if let Some(authorization) = &*known {
            let refused = stale.is_some_and(|stale| Arc::ptr_eq(stale, authorization));
            if !refused && authorization.expires > Instant::now() {
                return Ok(Arc::clone(authorization));
            }
        }
        *known = None;
        let fresh = Arc::new(ask.authorize().await?);
        *known = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    fn slot(&self, endpoint: &Endpoint, access: Access<'_>) -> Slot {
        let key = (endpoint.registry.clone(), access.scopes());
        let mut slots = locked(&self.0);
        Arc::clone(slots.entry(key).or_default())
    }
}

/// Everything that decides about an authorization.
pub(super) struct Ask<'a> {
    /// Who wants it.
    pub endpoint: &'a Endpoint,
    /// How.
    pub challenge: &'a Challenge,
    /// What for.
    pub access: Access<'a>,
    /// What errors call that.
    pub object: &'a str,
    /// Whose names there are to give.
    pub credentials: &'a Credentials,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<u64>,
}

impl Ask<'_> {
    async fn authorize(&self) -> Result<Authorization, Failure> {
        let found = self.credentials.find(self.access.image).await;
        let holder = match &found.credential {
            Some(credential) => Holder::Known { who: credential.to_string().into() },
            None => Holder::Nobody { places: self.credentials.places().into() },
        };
        let login = found.credential.map(|credential| credential.login);
        let mut authorization = Authorization {
            header: None,
            holder,
            trouble: Mutex::new(found.trouble),
            expires: Instant::now() + Duration::from_secs(PASSWORD_LIFE),
        };
        match (self.challenge, &login) {
            (_, Some(Login::Token(token))) => authorization.header = Some(bearer(token)?),
            (Challenge::Basic, Some(Login::Password { user, password })) => {
                authorization.header = Some(basic(user, password)?);
            }
            // An identity token is no password: the registry will say that it wants one.
            (Challenge::Basic, Some(Login::Identity(_)) | None) => {}
            (Challenge::Bearer { realm, service, scope }, login) => {
                let query = self.query(service.as_deref(), scope.as_deref());
                let asked = Instant::now();
                let answer = self.fetch(realm, query, login.as_ref(), &authorization).await?;
                let token = answer.token.or(answer.access_token);
                let token = token.ok_or_else(|| self.malformed(Flaw("there is no token in it")))?;
                authorization.header = Some(bearer(&token)?);
                let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE));
                // It has to be good when the request arrives.
                authorization.expires = asked + life.min(Duration::from_hours(24)) * 9 / 10;
            }
        }
        Ok(authorization)
    }

    fn query(&self, service: Option<&str>, asked: Option<&str>) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        query.extend(service.map(|service| ("service", service.to_owned())));
        let mut scopes = self.access.scopes();
        // What the registry says it wants may be in its own words.
        for scope in asked.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        query.extend(scopes.into_iter().map(|scope| ("scope", scope)));
        query
    }

    /// Asks the token server.
    async fn fetch(
        &self,
        realm: &Url,
        query: Vec<(&'static str, String)>,
        login: Option<&Login>,
        authorization: &Authorization,
    ) -> Result<TokenAnswer, Failure> {
        // Whoever can change a registry's answers must not get at the password in clear text.
        if login.is_some() && realm.scheme() == "http" && self.endpoint.base.scheme() == "https" {
            let flaw = Flaw("it wants the credentials sent without TLS");
            return Err(self.malformed(flaw).into());
        }
        let http = &self.endpoint.http;
        let mut url = realm.clone();
        let request = match login {
            Some(Login::Identity(token)) => {
                let scopes: Vec<&str> =
                    query.iter().filter(|(n, _)| *n == "scope").map(|(_, v)| &**v).collect();
                let mut form = Url::parse("form:").expect("it is a URL");
                form.query_pairs_mut()
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("client_id", CLIENT_ID)
                    .append_pair("scope", &scopes.join(" "))
                    .append_pair("refresh_token", token.reveal())
                    .extend_pairs(query.iter().filter(|(name, _)| *name == "service"));
                http.post(url)
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.query().unwrap_or_default().to_owned())
            }
            Some(Login::Password { user, password }) => {
                url.query_pairs_mut().extend_pairs(&query).append_pair("account", user);
                http.get(url).basic_auth(user, Some(password.reveal()))
            }
            Some(Login::Token(_)) | None => {
                url.query_pairs_mut().extend_pairs(&query);
                http.get(url)
            }
        };
        let server = realm.host_str().unwrap_or_default();
        let response = request.send().await.map_err(|error| unreachable(server, error))?;
        let status = response.status();
        if status.is_success() {
            let object = self.answer_object();
            let bytes = read_bounded(response, server, &object, ANSWER_LIMIT).await?;
            // The cause may quote the token.
            return serde_json::from_slice(&bytes)
                .map_err(|_| self.malformed(Flaw("it is no JSON with a token")).into());
        }
        let refused = matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST
        );
        if refused {
            let message = message_of(response).await;
            return Err(authorization
                .refused(self.object, &self.endpoint.registry, message)
                .into());
        }
        Err(status_failure(response, server, "get a token for", self.object).await)
    }

    fn answer_object(&self) -> String {
        format!("the answer of the token server of `{}`", self.endpoint.registry)
    }

    fn malformed(&self, flaw: Flaw) -> RegistryError {
        RegistryError::Malformed { object: self.answer_object(), source: flaw.into() }
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, RegistryError> {
    header(&format!("Bearer {}", token.reveal()))
}

fn basic(user: &str, password: &Secret) -> Result<HeaderValue, RegistryError> {
    let pair = format!("{user}:{}", password.reveal());
    header(&format!("Basic {}", base64::encode(pair.as_bytes())))
}

fn header(text: &str) -> Result<HeaderValue, RegistryError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| RegistryError::Malformed {
        object: "an access token".to_owned(),
        source: Flaw("it has characters that no HTTP header may have").into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
