//! From arguments to the places an image goes to, and to its form.

use std::path::Path;

use runtime::build::Outputs;
use runtime::image::Format;
use runtime::image::push::ImmutableTags;
use runtime::image::receipt::{DigestTo, Receipts};

use crate::arguments::{Compression, ImageFormat, OutputArgs};
use crate::environment::{Environment, absolute};
use crate::error::CommandError;

/// Levels where none is asked for: those of gzip(1) and zstd(1).
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// Where the image goes.
pub(crate) fn outputs(
    environment: &Environment,
    args: &OutputArgs,
) -> Result<Outputs, CommandError> {
    let written = args.tar_path.is_some() || args.oci_layout_path.is_some();
    if args.destinations.is_empty() && !args.no_push && !written {
        return Err(CommandError::user_with_help(
            "the image has no destination",
            "give `--destination`, `--tar-path` or `--oci-layout-path`, or say `--no-push`",
        ));
    }
    if let Some(known) = args.destinations.iter().find(|to| to.digest().is_some()) {
        return Err(CommandError::user_with_help(
            format!("cannot push to `{known}`: what it will contain is not known yet"),
            "give a destination a tag, and find its digest with `--digest-file`",
        ));
    }
    let format = match args.image_format {
        None if args.compression == Compression::Zstd => Format::Oci,
        None => Format::Inherit,
        Some(ImageFormat::Docker) => Format::Docker,
        Some(ImageFormat::Oci) => Format::Oci,
    };
    Ok(Outputs {
        push: if args.no_push { Vec::new() } else { args.destinations.clone() },
        names: args.destinations.clone(),
        archive: args.tar_path.as_deref().map(absolute),
        layout: args.oci_layout_path.as_deref().map(absolute),
        receipts: receipts(environment, args)?,
        immutable_tags: if args.push_ignore_immutable_tag_errors {
            ImmutableTags::Keep
        } else {
            ImmutableTags::Fail
        },
        format,
    })
}

/// Who is told of the image.
fn receipts(environment: &Environment, args: &OutputArgs) -> Result<Receipts, CommandError> {
    let names = args.image_name_with_digest_file.as_deref();
    let tagged_names = args.image_name_tag_with_digest_file.as_deref();
    if args.destinations.is_empty() && (names.is_some() || tagged_names.is_some()) {
        return Err(CommandError::user_with_help(
            "there is no destination whose name could be written with its digest",
            "give `--destination`; with `--no-push` it is a name and nothing else",
        ));
    }
    let digest = args.digest_file.clone().map(|to| match to {
        DigestTo::File(path) => DigestTo::File(absolute(&path)),
        server @ DigestTo::Server(_) => server,
    });
    // What runs builds for others asks so for what came out.
    let directory = environment.get_set("BUILDER_OUTPUT");
    Ok(Receipts {
        digest,
        names: names.map(absolute),
        tagged_names: tagged_names.map(absolute),
        pushed: directory.map(|directory| absolute(&Path::new(directory).join("images"))),
    })
}

/// How new layers are compressed.
pub(crate) fn compression(args: &OutputArgs) -> Result<runtime::layer::Compression, CommandError> {
    let level = args.compression_level;
    let range = match args.compression {
        Compression::Gzip => 1..=9,
        Compression::Zstd => 1..=22,
    };
    if level != -1 && !range.contains(&level) {
        let (first, last) = (range.start(), range.end());
        return Err(CommandError::user(format!(
            "`--compression-level {level}` is not within {first} to {last}, nor -1"
        )));
    }
    Ok(match args.compression {
        Compression::Gzip => {
            runtime::layer::Compression::Gzip { level: u32::try_from(level).unwrap_or(GZIP_LEVEL) }
        }
        Compression::Zstd => runtime::layer::Compression::Zstd {
            level: if level == -1 { ZSTD_LEVEL } else { level },
        },
    })
}
