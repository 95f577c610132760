//! An image of a layout, to build on.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ir::config::ConfigFile;
use ir::{Digest, Platform};
use serde::de::DeserializeOwned;

use super::{INDEX, REFERENCE_NAME, blob_path};
use crate::image::blob::Verified;
use crate::image::{BaseImage, LayerSource};
use crate::registry::{Descriptor, Index, Manifest, media_type};

/// No index, manifest or config is larger, in bytes. One that says so is an attack on our memory.
const DOCUMENT_LIMIT: u64 = 16 << 20;

/// How deep indexes may lie in each other.
const DEPTH_LIMIT: u32 = 4;

/// The tag of an image for which nobody gave one.
const DEFAULT_TAG: &str = "latest";

/// An image in a layout. Its manifest and config were verified, its layers not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct LayoutImage {
    /// The layout.
    pub directory: PathBuf,
    /// The manifest's.
    pub digest: Digest,
    /// The manifest's.
    pub media_type: String,
    /// The manifest, as it is hashed.
    pub manifest_bytes: Vec<u8>,
    /// The manifest.
    pub manifest: Manifest,
    /// The config, as it is hashed.
    pub config_bytes: Vec<u8>,
    /// The config.
    pub config: ConfigFile,
}

/// Why there is no such image in a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file is missing, unreadable, or not what its digest says.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("cannot understand `{}`", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// A document is larger than any honest one.
    #[error("cannot read `{}`: {size} bytes are too many", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Indexes in indexes without an end in sight.
    #[error("cannot read the layout `{}`: its indexes are nested too deeply", directory.display())]
    TooDeep {
        /// The layout.
        directory: PathBuf,
    },
    /// No entry has that name.
    #[error(
        "cannot find `{name}` in the layout `{}`; it has {}",
        directory.display(),
        list(available)
    )]
    NoSuchName {
        /// The layout.
        directory: PathBuf,
        /// Tag or digest, as asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// No image is for the platform.
    #[error(
        "cannot find an image for {wanted} in the layout `{}`; it has {}",
        directory.display(),
        list(available)
    )]
    NoSuchPlatform {
        /// The layout.
        directory: PathBuf,
        /// As asked for.
        wanted: Platform,
        /// Those there are.
        available: Vec<Platform>,
    },
    /// More than one image could be meant.
    #[error(
        "cannot choose an image of the layout `{}`: it has {}; name one as `PATH:TAG`",
        directory.display(),
        list(available)
    )]
    Ambiguous {
        /// The layout.
        directory: PathBuf,
        /// The images there are.
        available: Vec<String>,
    },
}

impl LayoutImage {
    /// Finds an image by its tag or digest and its platform, and reads its manifest and config.
    ///
    /// Without a name, it is the one called `latest` or, if none is, the only one. Blocks.
    pub fn open(
        directory: &Path,
        name: Option<&str>,
        platform: &Platform,
    ) -> Result<Self, LayoutError> {
        let path = directory.join(INDEX);
        let size = File::open(&path).and_then(|file| file.metadata());
        let size = size.map_err(|source| LayoutError::Read { path: path.clone(), source })?.len();
        let index: Index = parse(&path, &document(&path, size, None)?)?;

        let mut images = Vec::new();
        for entry in named(directory, index.manifests, name)? {
            collect(directory, &entry, 0, &mut images)?;
        }
        choose(directory, images, platform)
    }

    /// The image as a base.
    pub fn base(&self) -> BaseImage {
        let file =
            |layer: &Descriptor| LayerSource::Blob(blob_path(&self.directory, &layer.digest));
        BaseImage {
            media_type: self.media_type.clone(),
            sources: self.manifest.layers.iter().map(file).collect(),
            layers: self.manifest.layers.clone(),
        }
    }

    fn platform(&self) -> Platform {
        Platform {
            os: self.config.os.clone(),
            architecture: self.config.architecture.clone(),
            variant: self.config.variant.clone(),
        }
    }
}

/// What it is called; containerd writes whole references, others tags.
fn name_of(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REFERENCE_NAME).map(String::as_str)
}

fn is_called(entry: &Descriptor, wanted: &str) -> bool {
    let tagged =
        |name: &str| name == wanted || name.rsplit_once(':').is_some_and(|(_, tag)| tag == wanted);
    name_of(entry).is_some_and(tagged) || entry.digest.to_string() == wanted
}

/// The entries of a layout's index that can be meant.
fn named(
    directory: &Path,
    entries: Vec<Descriptor>,
    name: Option<&str>,
) -> Result<Vec<Descriptor>, LayoutError> {
    let wanted = name.unwrap_or(DEFAULT_TAG);
    let (called, others): (Vec<Descriptor>, Vec<Descriptor>) =
        entries.into_iter().partition(|entry| is_called(entry, wanted));
    match (called.is_empty(), name) {
        (false, _) => Ok(called),
        (true, None) => Ok(others),
        (true, Some(name)) => Err(LayoutError::NoSuchName {
            directory: directory.to_owned(),
            name: name.to_owned(),
            available: others
                .iter()
                .filter_map(|entry| name_of(entry).map(str::to_owned))
                .collect(),
        }),
    }
}

/// Reads an image, or all images of an index. Attestations are none.
fn collect(
    directory: &Path,
    entry: &Descriptor,
    depth: u32,
    images: &mut Vec<LayoutImage>,
) -> Result<(), LayoutError> {
    if depth > DEPTH_LIMIT {
        return Err(LayoutError::TooDeep { directory: directory.to_owned() });
    }
    let path = blob_path(directory, &entry.digest);
    let manifest_bytes = document(&path, entry.size, Some(entry.digest))?;
    if matches!(entry.media_type.as_str(), media_type::OCI_INDEX | media_type::DOCKER_INDEX) {
        let index: Index = parse(&path, &manifest_bytes)?;
        return index
            .manifests
            .iter()
            .try_for_each(|inner| collect(directory, inner, depth + 1, images));
    }
    if entry.annotations.contains_key("vnd.docker.reference.type") {
        return Ok(());
    }
    let manifest: Manifest = parse(&path, &manifest_bytes)?;
    let path = blob_path(directory, &manifest.config.digest);
    let config_bytes = document(&path, manifest.config.size, Some(manifest.config.digest))?;
    let config: ConfigFile = parse(&path, &config_bytes)?;
    images.push(LayoutImage {
        directory: directory.to_owned(),
        digest: entry.digest,
        media_type: manifest.media_type.clone().unwrap_or_else(|| entry.media_type.clone()),
        config,
        manifest_bytes,
        manifest,
        config_bytes,
    });
    Ok(())
}

fn choose(
    directory: &Path,
    images: Vec<LayoutImage>,
    wanted: &Platform,
) -> Result<LayoutImage, LayoutError> {
    let directory = directory.to_owned();
    let available = images.iter().map(LayoutImage::platform).collect();
    let mut fitting: Vec<LayoutImage> =
        images.into_iter().filter(|image| image.platform().satisfies(wanted)).collect();
    // An exact variant goes before one that will do.
    if fitting.iter().any(|image| image.platform() == *wanted) {
        fitting.retain(|image| image.platform() == *wanted);
    }
    fitting.dedup_by_key(|image| image.digest);
    match fitting.len() {
        0 => Err(LayoutError::NoSuchPlatform { directory, wanted: wanted.clone(), available }),
        1 => Ok(fitting.remove(0)),
        _ => {
            let available = fitting.iter().map(|image| image.digest.to_string()).collect();
            Err(LayoutError::Ambiguous { directory, available })
        }
    }
}

/// Reads a file of known size, and verifies it if its digest is known.
fn document(path: &Path, size: u64, digest: Option<Digest>) -> Result<Vec<u8>, LayoutError> {
    if size > DOCUMENT_LIMIT {
        return Err(LayoutError::TooLarge { path: path.to_owned(), size });
    }
    let read = |file: File| {
        let mut bytes = Vec::new();
        match digest {
            Some(digest) => Verified::new(file, digest, size).read_to_end(&mut bytes)?,
            None => file.take(DOCUMENT_LIMIT).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    };
    File::open(path)
        .and_then(read)
        .map_err(|source| LayoutError::Read { path: path.to_owned(), source })
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes)
        .map_err(|source| LayoutError::Parse { path: path.to_owned(), source })
}

/// For a message: `a, b`, or `none`.
fn list<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
