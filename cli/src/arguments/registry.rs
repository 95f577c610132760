//! Flags about how registries are talked to.

use clap::{ArgAction, Args};

/// How registries are talked to.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are kaniko's flags")]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistryArgs {
    /// Push to registries over http too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) insecure: bool,
    /// Pull from registries over http too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) insecure_pull: bool,
    /// Registry that may be talked to over http; may be repeated
    #[arg(long = "insecure-registry", value_name = "HOST", action = ArgAction::Append)]
    pub(crate) insecure_registries: Vec<String>,
    /// Do not verify the certificates of registries
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) skip_tls_verify: bool,
    /// Registry whose certificate is not verified; may be repeated
    #[arg(long = "skip-tls-verify-registry", value_name = "HOST", action = ArgAction::Append)]
    pub(crate) skip_tls_verify_registries: Vec<String>,
    /// Further certificate authority for a registry; may be repeated
    #[arg(long = "registry-certificate", value_name = "HOST=FILE", action = ArgAction::Append)]
    pub(crate) registry_certificates: Vec<String>,
    /// Certificate and key that a registry asks of its clients; may be repeated
    #[arg(long = "registry-client-cert", value_name = "HOST=CERT,KEY", action = ArgAction::Append)]
    pub(crate) registry_client_certs: Vec<String>,
    /// Registry that is asked for images of Docker Hub before Docker Hub is, with an optional path;
    /// may be repeated, and `KANIKO_REGISTRY_MIRROR` adds to it
    #[arg(long = "registry-mirror", value_name = "MIRROR", action = ArgAction::Append)]
    pub(crate) registry_mirrors: Vec<String>,
    /// Registry that is asked for images of another before that one is, with an optional path; may
    /// be repeated, and `KANIKO_REGISTRY_MAP` adds to it
    #[arg(long = "registry-map", value_name = "REGISTRY=MIRROR[;...]", action = ArgAction::Append)]
    pub(crate) registry_maps: Vec<String>,
    /// Do not ask a registry for its images itself where mirrors are given for it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) skip_default_registry_fallback: bool,
    /// How often a failed push is tried again
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) push_retry: u32,
    /// How often a failed pull is tried again
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) image_download_retry: u32,
}
