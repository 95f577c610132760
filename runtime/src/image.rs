//! Images: manifest and config, and the places an image goes to.

use std::path::PathBuf;

use ir::{DiffId, Digest, ImageRef};

use crate::layer::Layer;
use crate::registry::Descriptor;

pub mod archive;
mod assemble;
mod blob;
mod error;
pub mod layout;
mod media;
mod partial;
pub mod push;
pub mod receipt;
mod time;

#[cfg(test)]
mod tests;

pub use assemble::{Assembly, BaseImage, Format, assemble};
pub use error::{ExportError, Unpushed};

/// An image that is ready to go out. Its layers' bytes lie elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The config, as it is hashed.
    pub config_bytes: Vec<u8>,
    /// What the manifest says about the config.
    pub config: Descriptor,
    /// The manifest, as it is hashed.
    pub manifest_bytes: Vec<u8>,
    /// The manifest's.
    pub media_type: String,
    /// The manifest's.
    pub digest: Digest,
    /// Lowest first. Two may be one blob.
    pub layers: Vec<ImageLayer>,
}

/// One layer of an [`Image`].
#[derive(Clone, Debug, PartialEq)]
pub struct ImageLayer {
    /// What the manifest says about it.
    pub descriptor: Descriptor,
    /// Digest of its uncompressed bytes.
    pub diff_id: DiffId,
    /// Where its bytes are.
    pub source: LayerSource,
}

impl From<&Layer> for ImageLayer {
    fn from(layer: &Layer) -> Self {
        Self {
            descriptor: Descriptor::new(media::layer(layer.compression), layer.digest, layer.size),
            diff_id: layer.diff_id,
            source: LayerSource::Blob(layer.path.clone()),
        }
    }
}

/// Where the bytes of a layer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerSource {
    /// In a file.
    Blob(PathBuf),
    /// In the repository of a base image, and perhaps in the store.
    Base(ImageRef),
}
