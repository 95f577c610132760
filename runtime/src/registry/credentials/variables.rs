//! Logins that variables hold: `KANIKO_<HOST>_USER` and `KANIKO_<HOST>_PASSWORD`, and GitLab's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Credential, Login, Origin, Secret, registry_of};

/// Logins by the names of the variables that hold them.
pub(super) struct Hosts(BTreeMap<String, Login>);

impl Hosts {
    /// Of all variables with names that begin with `KANIKO_`; none if they hold no login.
    pub(super) fn of(variables: &BTreeMap<&str, &str>) -> Option<Self> {
        let pairs = variables.iter().filter_map(|(name, user)| {
            let host = name.strip_prefix("KANIKO_")?.strip_suffix("_USER")?;
            let password = variables.get(&*password_of(host))?;
            Some((host.to_owned(), Login::of_pair(user, Secret::from(*password))?))
        });
        let logins: BTreeMap<_, _> = pairs.collect();
        (!logins.is_empty()).then_some(Self(logins))
    }

    /// The login for a registry: that of its whole name, else of the domain it is in, and so on.
    pub(super) fn find(&self, registry: &str) -> Option<Credential> {
        // kaniko knows Docker Hub by its old name only.
        let hub = (registry == "docker.io").then(|| "INDEX_DOCKER_IO".to_owned());
        let found = hub.into_iter().chain(names(registry)).find_map(|name| {
            let login = self.0.get(&name)?.clone();
            Some((name, login))
        });
        let (host, login) = found?;
        let origin =
            Origin::Variables { user: format!("KANIKO_{host}_USER"), password: password_of(&host) };
        Some(Credential { login, origin })
    }
}

fn password_of(host: &str) -> String {
    format!("KANIKO_{host}_PASSWORD")
}

/// What variables call a registry, its port included, and the domains that it is in. An address is
/// in none, and what a whole top-level domain has in common is nobody's login: `KANIKO_APP_USER`
/// may be about anything.
fn names(registry: &str) -> impl Iterator<Item = String> {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    let address = host.parse::<IpAddr>().is_ok() || host.starts_with('[');
    let domains = registry.match_indices('.').map(|(dot, _)| &registry[dot + 1..]);
    let domains = domains.filter(move |domain| !address && domain.contains('.'));
    let name = |text: &str| {
        let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        text.chars().map(kept).collect()
    };
    [registry].into_iter().chain(domains).map(name)
}

/// A login that three variables hold: whose, the user, the password. GitLab sets such.
pub(super) struct Triple {
    /// With and without the port of https, where it has that.
    registries: Vec<String>,
    login: Login,
    user: String,
    password: String,
}

impl Triple {
    /// The login that the variables `<prefix>_USER` and `<prefix>_PASSWORD` hold for a registry;
    /// none if one of them is empty.
    pub(super) fn of(prefix: &str, registry: &str, user: &str, password: &str) -> Option<Self> {
        let registry = registry_of(registry);
        if registry.is_empty() || user.is_empty() || password.is_empty() {
            return None;
        }
        let mut registries = vec![registry.to_owned()];
        // The dependency proxy is said to be at `gitlab.example.com:443`.
        registries.extend(registry.strip_suffix(":443").map(str::to_owned));
        Some(Self {
            registries,
            login: Login::of_pair(user, Secret::from(password))?,
            user: format!("{prefix}_USER"),
            password: format!("{prefix}_PASSWORD"),
        })
    }

    pub(super) fn find(&self, registry: &str) -> Option<Credential> {
        let known = self.registries.iter().any(|known| known == registry);
        known.then(|| Credential { login: self.login.clone(), origin: self.origin() })
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::Variables { user: self.user.clone(), password: self.password.clone() }
    }
}
