//! Why an image could not be made or brought to its destination.

use std::io;
use std::path::PathBuf;

use ir::Digest;

use crate::cause::chain;
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
    /// Registries refused, or were not reached.
    #[error("{}", told(failed, *destinations))]
    Push {
        /// What did not get there. There is at least one.
        failed: Vec<Unpushed>,
        /// How many destinations there were.
        destinations: usize,
    },
    /// The digest did not get to a server.
    #[error(transparent)]
    Digest(Box<RegistryError>),
}

/// Destinations that an image was not brought to.
#[derive(Debug)]
pub struct Unpushed {
    /// Names in one repository.
    pub to: Vec<String>,
    /// What the registry said.
    pub error: Box<RegistryError>,
}

fn told(failed: &[Unpushed], destinations: usize) -> String {
    let one = |Unpushed { to, error }: &Unpushed| {
        let names: Vec<String> = to.iter().map(|name| format!("`{name}`")).collect();
        format!("{}: {}", names.join(", "), chain(error))
    };
    if let ([only], 1) = (failed, destinations) {
        return format!("cannot push {}", one(only));
    }
    let count: usize = failed.iter().map(|failed| failed.to.len()).sum();
    let mut text = format!("cannot push to {count} of {destinations} destinations");
    for failed in failed {
        text.push_str("\n  ");
        text.push_str(&one(failed));
    }
    text
}
