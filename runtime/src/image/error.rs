//! Why an image could not be made or brought to its destination.

use std::io;
use std::path::PathBuf;

use ir::Digest;

use crate::registry::RegistryError;

/// An image that did not get to where it should.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The base's manifest and config contradict each other.
    #[error("cannot assemble the image: its base has {layers} layers but {diff_ids} diff ids")]
    BaseLayers {
        /// How many layers its manifest has.
        layers: usize,
        /// How many its config has.
        diff_ids: usize,
    },
    /// Docker's media types know no zstd.
    #[error("cannot assemble a Docker image with zstd layers; choose the OCI format or gzip")]
    ZstdInDocker,
    /// A layer should be on this machine and is not.
    #[error("cannot write `{}`: layer {digest} was not fetched", to.display())]
    LayerMissing {
        /// Destination.
        to: PathBuf,
        /// The layer's blob.
        digest: Digest,
    },
    /// A layer's file cannot be read.
    #[error("cannot read layer {digest} to write `{}`", to.display())]
    ReadLayer {
        /// Destination.
        to: PathBuf,
        /// The layer's blob.
        digest: Digest,
        /// What the system said.
        source: io::Error,
    },
    /// A destination on disk cannot be written, or a layer on the way to it not be read.
    #[error("cannot write `{}`", to.display())]
    Write {
        /// Destination.
        to: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A registry refused, or was not reached.
    #[error("cannot push `{to}`")]
    Push {
        /// Destination.
        to: String,
        /// What the registry said.
        source: Box<RegistryError>,
    },
}
