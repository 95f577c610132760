//! One file for each subcommand.

pub(crate) mod build;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod ir;
pub(crate) mod output;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod registry;
pub(crate) mod secret;
