//! In whose name a server is asked.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::header::HeaderValue;

use super::error::GitError;
use super::remote::{Login, Remote};
use crate::registry::{Client, base64};

/// What a fetch may use to show who asks. Credentials go to the server of the URL they are for:
/// secrets of a host to that host, the others and those in a URL to the server of the repository
/// that the build names, and to none that only a submodule names.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    /// For `http` and `https`: certificates and proxies.
    pub(crate) http: &'a Client,
    /// By id.
    pub(crate) secrets: &'a BTreeMap<String, Vec<u8>>,
    /// The socket of the ssh agent `default`.
    pub(crate) agent: Option<&'a Path>,
    /// A file of ssh servers' keys.
    pub(crate) known_hosts: Option<&'a Path>,
}

/// What is sent to a server.
#[derive(Clone)]
pub(super) struct Authorization {
    /// The value of the header `Authorization`.
    pub(super) header: HeaderValue,
    /// Where it was found, for errors.
    pub(super) from: String,
}

impl Access<'_> {
    /// What a server over HTTP is sent (BuildKit `source/git`): the secret for its host goes before
    /// one for all, and a header before a token. `first` is the repository that the build names.
    pub(super) fn authorization(
        &self,
        remote: &Remote,
        first: &Remote,
    ) -> Result<Option<Authorization>, GitError> {
        let authority = remote.authority();
        let mut ids = vec![
            (format!("GIT_AUTH_HEADER.{authority}"), false),
            (format!("GIT_AUTH_TOKEN.{authority}"), true),
        ];
        if remote.same_server(first) {
            ids.push(("GIT_AUTH_HEADER".to_owned(), false));
            ids.push(("GIT_AUTH_TOKEN".to_owned(), true));
        }
        for (id, is_token) in ids {
            let Some(secret) = self.secrets.get(&id) else { continue };
            // A file ends with the end of its line.
            let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
            let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
            let header = if is_token {
                basic(&[b"x-access-token:", secret].concat())
            } else {
                HeaderValue::from_bytes(secret).ok()
            };
            let header = header.ok_or_else(|| GitError::Secret { id: id.clone() })?;
            return Ok(Some(Authorization::new(header, format!("the secret `{id}`"))));
        }
        Ok(remote.login.as_ref().and_then(|Login { user, password }| {
            let header = basic(format!("{user}:{password}").as_bytes())?;
            Some(Authorization::new(header, "the URL".to_owned()))
        }))
    }
}

impl Authorization {
    fn new(mut header: HeaderValue, from: String) -> Self {
        header.set_sensitive(true);
        Self { header, from }
    }
}

fn basic(login: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("Basic {}", base64::encode(login))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Settings;

    fn sent(secrets: &[(&str, &str)], remote: &str, first: &str) -> Option<String> {
        let secrets = secrets.iter().map(|(id, text)| ((*id).to_owned(), text.as_bytes().to_vec()));
        let (secrets, http) = (secrets.collect(), Client::new(Settings::default()).unwrap());
        let access = Access { http: &http, secrets: &secrets, agent: None, known_hosts: None };
        let [remote, first] = [remote, first].map(|text| Remote::parse(text).unwrap());
        let authorization = access.authorization(&remote, &first).unwrap()?;
        Some(authorization.header.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_secret_of_a_host_goes_first_and_nowhere_else() {
        let (ours, beside) = ("https://h/r.git", "https://h/s.git");
        let (other, port) = ("https://other/s.git", "https://h:8443/s.git");
        let token = ("GIT_AUTH_TOKEN", "t\n");
        let basic = Some("Basic eC1hY2Nlc3MtdG9rZW46dA==".to_owned());
        assert_eq!(sent(&[token], ours, ours), basic);
        assert_eq!(sent(&[token], beside, ours), basic);
        assert_eq!(sent(&[token], other, ours), None);
        assert_eq!(sent(&[token], port, ours), None);
        let (header, hosts) = (("GIT_AUTH_HEADER", "Bearer a"), ("GIT_AUTH_HEADER.h", "Bearer b"));
        assert_eq!(sent(&[token, header], ours, ours).as_deref(), Some("Bearer a"));
        assert_eq!(sent(&[token, header, hosts], ours, ours).as_deref(), Some("Bearer b"));
        assert_eq!(sent(&[("GIT_AUTH_TOKEN.h", "t"), header], ours, ours), basic);
        assert_eq!(sent(&[("GIT_AUTH_TOKEN.h:8443", "t")], port, ours), basic);
        let url = "https://u:p@h/r.git";
        assert_eq!(sent(&[], url, url).as_deref(), Some("Basic dTpw"));
        assert_eq!(sent(&[], ours, url), None);
    }
}
