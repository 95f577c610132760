//! A whole build: the graph is executed, the layers are linked into an image, the image goes out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ir::{Digest, Graph};
use tokio_util::sync::CancellationToken;

use crate::event::{Event, Events};
use crate::layer::{Compression, UnpackLimits};
use crate::resolve::Images;
use crate::sandbox::{Limits, Sandbox};
use crate::snapshot::{Choice, Ignored};
use crate::store::Store;

mod base;
mod cache_mount;
mod change;
mod error;
mod execute;
mod export;
mod machine;
mod mounts;
mod needs;
mod node;

pub use error::{BuildError, NodeError};
pub use export::Outputs;
use machine::Machine;

/// What a build needs beside its graph.
pub struct Settings {
    /// The work directory.
    pub store: Store,
    /// Which snapshotter is wanted.
    pub snapshotter: Choice,
    /// What no layer has.
    pub ignored: Ignored,
    /// How commands are confined.
    pub sandbox: Sandbox,
    /// What commands may use.
    pub limits: Limits,
    /// How layers are compressed.
    pub compression: Compression,
    /// How much layers of base images, and archives, may come to.
    pub unpack_limits: UnpackLimits,
    /// When the image says it was made, in seconds since 1970. Directories that a step needs and
    /// that nobody gave a time get this one too.
    pub created: u64,
    /// Whether that was asked for: then files that are copied get it as well, as in BuildKit.
    pub reproducible: bool,
    /// Directories by the name of their context.
    pub contexts: BTreeMap<String, PathBuf>,
    /// Secrets by id.
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// Sockets of ssh agents by id.
    pub agents: BTreeMap<String, PathBuf>,
    /// Keys of ssh servers that are known, as ssh(1) keeps them.
    pub known_hosts: Option<PathBuf>,
    /// Where the image goes.
    pub outputs: Outputs,
}

/// Builds the target of a graph and brings the image to its destinations.
///
/// Returns the digest of the image's manifest. When `cancel` is triggered, or a node fails,
/// everything that runs is stopped and waited for before this returns.
///
/// # Errors
///
/// The first that happened. An error leaves the store as usable as it was.
pub async fn build(
    graph: Graph,
    images: Images,
    settings: Settings,
    events: Events,
    cancel: CancellationToken,
) -> Result<Digest, BuildError> {
    let machine = Arc::new(Machine::new(graph, images, settings, events, cancel)?);
    machine.events.send(Event::Chosen {
        snapshotter: machine.snapshotter.name(),
        isolation: machine.isolation(),
        passed_over: machine.passed_over(),
    });
    let uploads = export::Uploads::new(&machine);
    let layers = execute::execute(&machine, &uploads).await?;
    export::export(&machine, layers, uploads).await
}
