//! From arguments to the settings of the registry client; shared by the commands that ask one.

mod mirrors;

use std::collections::BTreeMap;
use std::path::Path;

use runtime::registry::{Client, ClientCertificate, Settings};

use crate::arguments::RegistryArgs;
use crate::command::credentials::credentials;
use crate::environment::{Environment, absolute};
use crate::error::{CommandError, chain};

/// A client for all registries of a command. Reads the files with credentials.
pub(crate) fn client(
    environment: &Environment,
    args: &RegistryArgs,
) -> Result<Client, CommandError> {
    let mut certificates = BTreeMap::new();
    for argument in &args.registry_certificates {
        let Some((host, path)) = argument.split_once('=') else {
            let message = format!("`--registry-certificate {argument}` is not HOST=FILE");
            return Err(CommandError::user(message));
        };
        certificates.insert(host.to_owned(), absolute(Path::new(path)));
    }
    let mut client_certificates = BTreeMap::new();
    for argument in &args.registry_client_certs {
        let parts = argument.split_once('=').and_then(|(host, paths)| {
            let (certificate, key) = paths.split_once(',')?;
            Some((host, Path::new(certificate), Path::new(key)))
        });
        let Some((host, certificate, key)) = parts else {
            let message = format!("`--registry-client-cert {argument}` is not HOST=CERT,KEY");
            return Err(CommandError::user(message));
        };
        let files = ClientCertificate { certificate: absolute(certificate), key: absolute(key) };
        client_certificates.insert(host.to_owned(), files);
    }
    let settings = Settings {
        insecure_push: args.insecure,
        insecure_pull: args.insecure_pull,
        insecure_registries: args.insecure_registries.iter().cloned().collect(),
        skip_tls_verify: args.skip_tls_verify,
        skip_tls_verify_registries: args.skip_tls_verify_registries.iter().cloned().collect(),
        certificates,
        client_certificates,
        push_retries: args.push_retry,
        pull_retries: args.image_download_retry,
        mirrors: mirrors::mirrors(environment, args)?,
        credentials: credentials(environment)?,
        user_agent: format!("kaniko/{}", env!("CARGO_PKG_VERSION")),
    };
    Client::new(settings).map_err(|error| CommandError::user(chain(&error)))
}
