//! One file for each subcommand.

pub(crate) mod build;
pub(crate) mod ir;
pub(crate) mod plan;
pub(crate) mod registry;
pub(crate) mod secret;
