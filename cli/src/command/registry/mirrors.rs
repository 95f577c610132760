//! From arguments and variables to the mirrors of registries.

use runtime::registry::{Mirrors, MirrorsError};

use crate::arguments::RegistryArgs;
use crate::environment::Environment;
use crate::error::CommandError;

/// As with kaniko in Go: maps come before mirrors, and flags before variables.
pub(super) fn mirrors(
    environment: &Environment,
    args: &RegistryArgs,
) -> Result<Mirrors, CommandError> {
    const MAP: (&str, &str) = ("--registry-map", "KANIKO_REGISTRY_MAP");
    const MIRROR: (&str, &str) = ("--registry-mirror", "KANIKO_REGISTRY_MIRROR");
    type Add = fn(&mut Mirrors, &str) -> Result<(), MirrorsError>;
    let kinds: [(&[String], _, Add); 2] = [
        (&args.registry_maps, MAP, Mirrors::map),
        (&args.registry_mirrors, MIRROR, Mirrors::mirror),
    ];
    let mut mirrors = Mirrors::default();
    for (given, (flag, variable), add) in kinds {
        let given = given.iter().map(|text| (flag, text.as_str()));
        for (name, text) in given.chain(environment.get(variable).map(|text| (variable, text))) {
            add(&mut mirrors, text)
                .map_err(|error| CommandError::user(format!("`{name}`: {error}")))?;
        }
    }
    if args.skip_default_registry_fallback {
        mirrors.refuse_fallback();
    }
    Ok(mirrors)
}
