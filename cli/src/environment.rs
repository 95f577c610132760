//! The only reader of environment variables, the clock and the standard streams' nature.

#![expect(clippy::disallowed_methods, reason = "this is where the environment enters")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the process was started with.
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// Whether standard error is a terminal that can redraw lines.
    pub(crate) terminal: bool,
    /// Where colours are wanted.
    pub(crate) colours: Colours,
    /// Since 1970.
    now: Duration,
}

/// Where colours are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Colours {
    /// On standard error.
    pub(crate) messages: bool,
    /// On standard output.
    pub(crate) results: bool,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let set = |name: &str| variables.get(&OsString::from(name)).is_some_and(|v| !v.is_empty());
        let dumb = variables.get(&OsString::from("TERM")).is_none_or(|term| term == "dumb");
        let terminal = std::io::stderr().is_terminal() && !dumb;
        let coloured = |terminal| (terminal && !set("NO_COLOR")) || set("CLICOLOR_FORCE");
        let results = coloured(std::io::stdout().is_terminal() && !dumb);
        let colours = Colours { messages: coloured(terminal), results };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { variables, terminal, colours, now }
    }

    /// A variable that is set and is text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(&OsString::from(name))?.to_str()
    }

    /// When the image is to say that it was made, in seconds since 1970: `SOURCE_DATE_EPOCH`.
    ///
    /// # Errors
    ///
    /// The variable's value, if it is no number.
    pub(crate) fn epoch(&self) -> Result<Option<u64>, String> {
        let text = self.get("SOURCE_DATE_EPOCH");
        text.map(|text| text.parse().map_err(|_| text.to_owned())).transpose()
    }

    /// In seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.now.as_secs()
    }

    /// Where the user keeps the keys of ssh servers.
    pub(crate) fn known_hosts(&self) -> Option<PathBuf> {
        self.get("HOME").map(|home| PathBuf::from(home).join(".ssh/known_hosts"))
    }

    /// Where credentials may lie, the first that exists counts: Docker's file, then podman's.
    pub(crate) fn credential_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let Some(directory) = self.get("DOCKER_CONFIG") {
            files.push(PathBuf::from(directory).join("config.json"));
        } else {
            files.push("/kaniko/.docker/config.json".into());
            files.extend(self.get("HOME").map(|h| PathBuf::from(h).join(".docker/config.json")));
        }
        files.extend(self.get("REGISTRY_AUTH_FILE").map(PathBuf::from));
        for base in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"] {
            files.extend(self.get(base).map(|d| PathBuf::from(d).join("containers/auth.json")));
        }
        files
    }
}

/// A path made absolute against the directory the process was started in.
pub(crate) fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
