//! Where a repository is: its URL, taken apart.

use gix_transport::bstr::{BStr, ByteSlice as _};
use gix_url::{Scheme, Url};

use super::error::{GitError, shown};

/// A repository on a server.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// Without a password, and over HTTP without a user.
    url: Url,
    /// How it is spoken to.
    pub(super) means: Means,
    /// Who the URL says asks, over HTTP.
    pub(super) login: Option<Login>,
}

/// How a repository is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// HTTP, with or without TLS.
    Http,
    /// The protocol of `git daemon`.
    Daemon,
    /// A command on the server.
    Ssh,
}

/// A user and a password.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

impl Remote {
    /// Reads a URL. Only servers are spoken to: no path of the builder's own file system, and no
    /// program that a URL names.
    pub(crate) fn parse(text: &str) -> Result<Self, GitError> {
        let refused = |reason| GitError::Url { url: without_password(text), reason };
        let mut url = gix_url::parse(text).map_err(|_| refused("it cannot be read"))?;
        let means = match &url.scheme {
            Scheme::Http | Scheme::Https => Means::Http,
            Scheme::Git => Means::Daemon,
            Scheme::Ssh => Means::Ssh,
            Scheme::File => return Err(refused("it is a path, not the URL of a server")),
            Scheme::Ext | Scheme::Helper(_) | Scheme::HelperUrl(_) => {
                return Err(refused("only `https`, `http`, `ssh` and `git` can be spoken"));
            }
        };
        let password = url.set_password(None);
        let user = if means == Means::Ssh { None } else { url.set_user(None) };
        let login = user.map(|user| Login { user, password: password.unwrap_or_default() });
        // What begins with a dash could be taken for an option of a command.
        let plain = |text: &str| !text.starts_with('-') && !text.chars().any(char::is_control);
        if !url.host().is_some_and(|host| !host.is_empty() && plain(host)) {
            return Err(refused("it has no usable host"));
        }
        if !url.user().is_none_or(plain) {
            return Err(refused("it has no usable user"));
        }
        let path = url.path.strip_prefix(b"/").unwrap_or(&url.path);
        if path.starts_with(b"-") || path.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(refused("it has no usable path"));
        }
        Ok(Self { url, means, login })
    }

    /// The URL that a submodule's is relative to, or is.
    ///
    /// As git: what begins with `./` or `../` is beside this repository, and who asks for it is who
    /// asks for this one.
    pub(super) fn submodule(&self, text: &str) -> Result<Self, GitError> {
        if !text.starts_with("./") && !text.starts_with("../") {
            return Self::parse(text);
        }
        let refused = || GitError::Url {
            url: without_password(text),
            reason: "it leads out of the server's directories",
        };
        let (mut rest, mut base) = (text, self.text());
        let root = base.len() - self.url.original_path().trim_start_with(|c| c == '/').len();
        base.truncate(base.trim_end_matches('/').len());
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                rest = after;
                let parent = base.rfind(['/', ':']).filter(|end| *end + 1 >= root);
                base.truncate(parent.ok_or_else(refused)?);
            } else {
                break;
            }
        }
        let scp = !base.contains("://") && !base.contains(':');
        let mut remote = Self::parse(&format!("{base}{}{rest}", if scp { ':' } else { '/' }))?;
        remote.login.clone_from(&self.login);
        Ok(remote)
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL as people may see it: without user and password.
    pub(super) fn text(&self) -> String {
        self.url.to_bstring().to_str_lossy().into_owned()
    }

    /// For errors.
    pub(super) fn shown(&self) -> String {
        shown(&self.text())
    }

    /// The path on the server.
    pub(super) fn path(&self) -> &BStr {
        self.url.path.as_bstr()
    }

    pub(super) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// The host and, if that is not the usual one, the port: what names a secret.
    pub(super) fn authority(&self) -> String {
        match self.url.port {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Whether both are on one server, which is asked in one way.
    pub(super) fn same_server(&self, other: &Self) -> bool {
        let server = |url: &Url| (url.scheme.clone(), url.host.clone(), url.port_or_default());
        server(&self.url) == server(&other.url)
    }
}

/// A URL that may not be one, as people may see it.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return shown(text) };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    shown(&format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_and_no_path_is_named_by_a_url() {
        for text in [
            "ext::sh -c 'touch /tmp/x'",
            "file:///etc",
            "/etc",
            "./x",
            "fd::3",
            "ssh://-oProxyCommand=x/r",
            "-oProxyCommand=x:r",
            "a@-oProxyCommand=x:r",
            "ssh://-la@h/r",
            "ssh://h/-r",
            "https:///r",
            "s3://h/r",
            "",
        ] {
            let error = Remote::parse(text).unwrap_err();
            assert!(matches!(error, GitError::Url { .. }), "{text}: {error:?}");
        }
    }

    #[test]
    fn nobody_sees_who_asks() {
        let remote = Remote::parse("https://user:hunter2@h:8443/o/r.git").unwrap();
        assert_eq!(remote.text(), "https://h:8443/o/r.git");
        assert_eq!(remote.authority(), "h:8443");
        assert!(!format!("{remote:?}").contains("hunter2"));
        let login = remote.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("user", "hunter2"));
        let error = Remote::parse("s3://user:hunter2@h/r").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert_eq!(Remote::parse("ssh://git:hunter2@h/r").unwrap().text(), "ssh://git@h/r");
    }

    #[test]
    fn submodules_are_beside_their_repository() {
        for (base, text, expected) in [
            ("https://u:p@h/o/r.git", "../s.git", "https://h/o/s.git"),
            ("https://h/o/r.git", "./s", "https://h/o/r.git/s"),
            ("https://h/o/r.git/", "../../s", "https://h/s"),
            ("ssh://git@h:22/o/r", "../s", "ssh://git@h:22/o/s"),
            ("git@h:o/r.git", "../s.git", "git@h:o/s.git"),
            ("git@h:o/r.git", "../../s.git", "git@h:s.git"),
            ("git://h/r", "https://other/s", "https://other/s"),
        ] {
            let remote = Remote::parse(base).unwrap();
            let submodule = remote.submodule(text).unwrap_or_else(|e| panic!("{base} {text} {e}"));
            assert_eq!(submodule.text(), expected, "{base} {text}");
            let kept = remote.login.is_some() && text.starts_with('.');
            assert_eq!(submodule.login.is_some(), kept);
        }
        for (base, text) in [("https://h/r", "../../s"), ("git@h:r", "../../s")] {
            assert!(Remote::parse(base).unwrap().submodule(text).is_err(), "{base} {text}");
        }
        for text in ["file:///r", "/r", "ext::x"] {
            assert!(Remote::parse("https://h/r").unwrap().submodule(text).is_err(), "{text}");
        }
    }
}
