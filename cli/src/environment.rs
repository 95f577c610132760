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

    /// A variable that is set, is text and is not empty.
    pub(crate) fn get_set(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The variables whose names begin so, and are text as their values are.
    pub(crate) fn starting_with(&self, prefix: &str) -> BTreeMap<&str, &str> {
        let text = self.variables.iter();
        let text = text.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        text.filter(|(name, _)| name.starts_with(prefix)).collect()
    }

    /// Where credentials may lie, in the order in which they count: Docker's file, then podman's.
    /// A variable that says where one of the two is stands for all the places where it may be.
    pub(crate) fn credential_files(&self) -> Vec<PathBuf> {
        let directory = |name: &str| self.get_set(name).map(PathBuf::from);
        let home = directory("HOME");
        let docker = match directory("DOCKER_CONFIG") {
            Some(directory) => vec![directory],
            None => {
                [Some("/kaniko/.docker".into()), home.as_ref().map(|home| home.join(".docker"))]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        };
        let mut files: Vec<PathBuf> =
            docker.into_iter().map(|directory| directory.join("config.json")).collect();
        if let Some(file) = directory("REGISTRY_AUTH_FILE") {
            files.push(file);
        } else {
            let settings = directory("XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")));
            let bases = directory("XDG_RUNTIME_DIR").into_iter().chain(settings);
            files.extend(bases.map(|base| base.join("containers/auth.json")));
        }
        files
    }
}

/// A path made absolute against the directory the process was started in.
pub(crate) fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        let environment = Environment {
            variables: variables.collect(),
            terminal: false,
            colours: Colours { messages: false, results: false },
            now: Duration::ZERO,
        };
        environment.credential_files().iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_variable_stands_for_the_places_of_its_kind() {
        let kaniko = "/kaniko/.docker/config.json";
        assert_eq!(files(&[]), [kaniko]);
        let home = ("HOME", "/h");
        let docker = [kaniko, "/h/.docker/config.json"];
        let podman = "/h/.config/containers/auth.json";
        assert_eq!(files(&[home]), [docker[0], docker[1], podman]);
        assert_eq!(files(&[home, ("DOCKER_CONFIG", "/d/")]), ["/d/config.json", podman]);
        assert_eq!(files(&[home, ("DOCKER_CONFIG", "")]), files(&[home]));
        let bases = [("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c")];
        assert_eq!(
            files(&[home, bases[0], bases[1]]),
            [docker[0], docker[1], "/r/containers/auth.json", "/c/containers/auth.json"]
        );
        let file = ("REGISTRY_AUTH_FILE", "/a.json");
        assert_eq!(files(&[home, bases[0], file]), [docker[0], docker[1], "/a.json"]);
    }
}
