//! Where credentials for registries lie, in the order in which they count (`docs/registries.md`).

use std::io::{self, ErrorKind};

use runtime::registry::{Credentials, CredentialsError, Place, Source};

use crate::environment::Environment;
use crate::error::{CommandError, chain};

/// The variable that holds the text of a docker config.
const CONFIG_VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// The credentials of the environment and of the files that it names.
pub(crate) fn credentials(environment: &Environment) -> Result<Credentials, CommandError> {
    let unusable = |error: CredentialsError| CommandError::user(chain(&error));
    let mut sources = Vec::new();
    if let Some(json) = environment.get_set(CONFIG_VARIABLE) {
        let place = Place::Variable(CONFIG_VARIABLE);
        sources.push(Source::docker_config(place, json).map_err(unusable)?);
    }
    for path in environment.credential_files() {
        let read = std::fs::read_to_string(&path);
        if let Some(why) = read.as_ref().err().and_then(absence) {
            sources.push(Source::absent(Place::File(path), why));
            continue;
        }
        let json = read.map_err(|error| {
            let (what, path) = ("the credentials", path.clone());
            CommandError::Read { what, path, error }
        })?;
        sources.push(Source::docker_config(Place::File(path), &json).map_err(unusable)?);
    }
    sources.extend(Source::hosts(&environment.starting_with("KANIKO_")));
    for (prefix, registry) in
        [("CI_REGISTRY", "CI_REGISTRY"), ("CI_DEPENDENCY_PROXY", "CI_DEPENDENCY_PROXY_SERVER")]
    {
        let value = |name: &str| environment.get(name).unwrap_or_default();
        let user = value(&format!("{prefix}_USER"));
        let password = value(&format!("{prefix}_PASSWORD"));
        sources.extend(Source::variables(prefix, value(registry), user, password));
    }
    Ok(Credentials::of(sources))
}

/// Why a file is not to be had, if that is no reason to stop.
fn absence(error: &io::Error) -> Option<&'static str> {
    let is = |kinds: &[ErrorKind]| kinds.contains(&error.kind());
    if is(&[ErrorKind::NotFound, ErrorKind::NotADirectory]) {
        return Some("not there");
    }
    // As in the home of root, where an image names that and somebody else is asking.
    is(&[ErrorKind::PermissionDenied]).then_some("not readable")
}
