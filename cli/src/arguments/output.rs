//! Flags about where the image goes, and in which form.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use runtime::image::receipt::DigestTo;

/// Where the image goes.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are kaniko's flags")]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Where to push the image; may be repeated
    #[arg(short, long = "destination", value_name = "IMAGE", action = ArgAction::Append)]
    pub(crate) destinations: Vec<ir::ImageRef>,
    /// Do not push
    #[arg(long, env = "KANIKO_NO_PUSH", hide_env_values = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) no_push: bool,
    /// Write the image as an archive for `docker load`
    #[arg(long, value_name = "FILE")]
    pub(crate) tar_path: Option<PathBuf>,
    /// Write the image as an OCI layout
    #[arg(long, value_name = "DIR")]
    pub(crate) oci_layout_path: Option<PathBuf>,
    /// Write the digest of the image's manifest to a file, or put it to an https server
    #[arg(long, value_name = "FILE|URL", value_parser = DigestTo::parse)]
    pub(crate) digest_file: Option<DigestTo>,
    /// Write a line `NAME@DIGEST` for each destination to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) image_name_with_digest_file: Option<PathBuf>,
    /// Write a line `NAME:TAG@DIGEST` for each destination to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) image_name_tag_with_digest_file: Option<PathBuf>,
    /// Begin without asking the registries whether the image may be pushed to them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) skip_push_permission_check: bool,
    /// Leave tags as they are that a registry does not let be changed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) push_ignore_immutable_tag_errors: bool,
    /// Media types of the image [default: as the base image]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) image_format: Option<ImageFormat>,
    /// How new layers are compressed
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) compression: Compression,
    /// How hard new layers are compressed; -1 is the default of the kind
    #[arg(long, value_name = "LEVEL", default_value_t = -1, allow_negative_numbers = true)]
    pub(crate) compression_level: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormat {
    Docker,
    Oci,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    #[default]
    Gzip,
    /// Needs OCI media types
    Zstd,
}
