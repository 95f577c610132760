//! A base image becomes a root: layers are fetched side by side and unpacked in their order.

use std::fs;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::op::ImageOp;
use ir::{DiffId, Digest, ImageRequest, NodeId};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::error::NodeError;
use super::machine::Machine;
use crate::event::{Event, Task};
use crate::image::LayerSource;
use crate::layer::{self, Ahead, Coming, Decompression};
use crate::registry::{Descriptor, RegistryError};
use crate::resolve::Found;
use crate::rootdir::RootDir;
use crate::snapshot::{Again, Snapshot};

/// How many layers of one image are fetched at once.
const FETCHES: usize = 4;
/// How many layers are worked on ahead of their turn on large machines; each takes a few mebibytes.
const MOST_AHEAD: usize = 8;

/// The root of a base image. What an earlier build has unpacked is not fetched again.
pub(super) async fn root(
    machine: &Arc<Machine>,
    id: NodeId,
    op: &ImageOp,
) -> Result<Snapshot, NodeError> {
    let found = find(machine, op).await?;
    if let Some(mirror) = &found.mirror {
        let message = format!("`{}` comes from `{mirror}`", found.reference);
        machine.events.send(Event::Notice { message });
    }
    let Some(chain_id) = chain_id(&found.config.rootfs.diff_ids) else {
        return machine.blocking(|machine| Ok(machine.snapshotter.scratch()?)).await;
    };
    let store = &machine.settings.store;
    let directory = if store.has_root(&chain_id) {
        store.root(&chain_id)
    } else if machine.gives_away(id) {
        // Nobody needs it as it is: a copy for the step that changes it would cost more than the
        // next build saves.
        let directory = unpack(machine, id, &found).await?;
        let again = again(machine, id, found, chain_id);
        return machine
            .blocking(move |machine| Ok(machine.snapshotter.adopt(&directory, again)?))
            .await;
    } else {
        kept(machine, id, &found, chain_id).await?
    };
    machine.blocking(move |machine| Ok(machine.snapshotter.base(&directory)?)).await
}

/// Unpacks an image into the store.
async fn kept(
    machine: &Arc<Machine>,
    id: NodeId,
    found: &Arc<Found>,
    chain_id: Digest,
) -> Result<PathBuf, NodeError> {
    let directory = unpack(machine, id, found).await?;
    machine
        .blocking(move |machine| Ok(machine.settings.store.publish_root(&chain_id, &directory)?))
        .await
}

/// How the root of an image that was given away is had once more.
fn again(machine: &Arc<Machine>, id: NodeId, found: Arc<Found>, chain_id: Digest) -> Again {
    // The machine holds the snapshot that holds this.
    let (machine, runtime) = (Arc::downgrade(machine), Handle::current());
    Box::new(move || {
        let machine = machine.upgrade().ok_or(NodeError::Cancelled)?;
        if machine.settings.store.has_root(&chain_id) {
            return Ok(machine.settings.store.root(&chain_id));
        }
        Ok(runtime.block_on(kept(&machine, id, &found, chain_id))?)
    })
}

/// The image that the plan was made for. Its name may stand for another one by now: then it is
/// asked for by its digest.
pub(super) async fn find(machine: &Machine, op: &ImageOp) -> Result<Arc<Found>, NodeError> {
    let Some(digest) = op.digest else {
        return Err(NodeError::Unresolved { reference: op.reference.clone() });
    };
    let platform = op.platform.clone();
    let request = ImageRequest { reference: op.reference.clone(), platform };
    let found = machine.unless_cancelled(machine.images.resolve(&request)).await?;
    if found.digest == digest {
        return Ok(found);
    }
    let request = ImageRequest { reference: op.reference.with_digest(digest), ..request };
    machine.unless_cancelled(machine.images.resolve(&request)).await
}

/// Brings a layer of a base image to this machine; what the store has is not fetched again.
pub(super) async fn fetch(
    machine: &Machine,
    task: Task,
    layer: &Descriptor,
    source: &LayerSource,
) -> Result<PathBuf, RegistryError> {
    let reference = match source {
        LayerSource::Blob(path) => return Ok(path.clone()),
        LayerSource::Base(reference) => reference,
    };
    let what = format!("sha256:{}", layer.digest.short());
    let progress = machine.events.meter(task, what, Some(layer.size));
    machine.images.client().fetch(reference, layer, &machine.settings.store, progress).await
}

/// Unpacks an image into a directory of the build's own.
///
/// Layers are applied in their order. What does not depend on those below - to decompress them, to
/// make and fill their files - is done for several of them at once.
async fn unpack(
    machine: &Arc<Machine>,
    id: NodeId,
    found: &Arc<Found>,
) -> Result<PathBuf, NodeError> {
    let slots = Arc::new(Semaphore::new(FETCHES));
    let fetches = (0..found.base.layers.len()).map(|index| {
        let (machine, found, slots) = (Arc::clone(machine), Arc::clone(found), Arc::clone(&slots));
        AbortOnDropHandle::new(tokio::spawn(async move {
            let _slot = slots.acquire().await.expect("the semaphore is never closed");
            let (layer, source) = (&found.base.layers[index], &found.base.sources[index]);
            fetch(&machine, Task::Node(id), layer, source).await
        }))
    });
    let fetches = fetches.collect();
    let directory = machine.directory("base", id)?;
    let root = Arc::new(open_root(&directory)?);
    let (sender, mut layers) = mpsc::channel(ahead());
    let beginning = begin_all(Arc::clone(machine), id, fetches, sender);
    let beginning = AbortOnDropHandle::new(tokio::spawn(beginning));
    let applied = apply_all(machine, found, &root, &mut layers).await;
    // Nothing may write to the build's directory when it is thrown away.
    drop(layers);
    beginning.abort();
    beginning.await.ok();
    applied.map(|()| directory)
}

async fn apply_all(
    machine: &Arc<Machine>,
    found: &Arc<Found>,
    root: &Arc<RootDir>,
    layers: &mut mpsc::Receiver<Result<Coming, NodeError>>,
) -> Result<(), NodeError> {
    for index in 0..found.base.layers.len() {
        let layer = layers.recv().await.ok_or(NodeError::Worker)??;
        let (root, found) = (Arc::clone(root), Arc::clone(found));
        let unpacked = machine.blocking(move |machine| {
            let unpacked = unpack_layer(machine, &found, index, layer, &root);
            unpacked.inspect_err(|error| forget_damaged(machine, &found, index, error))
        });
        unpacked.await?;
    }
    Ok(())
}

/// How many layers of an image are worked on beside the one that is applied.
fn ahead() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    (cores - 1).clamp(1, MOST_AHEAD)
}

/// A layer on its way to this machine.
type Fetch = AbortOnDropHandle<Result<PathBuf, RegistryError>>;

/// Begins with layers as they arrive, in their order, when the channel has room for them.
async fn begin_all(
    machine: Arc<Machine>,
    id: NodeId,
    fetches: Vec<Fetch>,
    layers: mpsc::Sender<Result<Coming, NodeError>>,
) {
    for (index, fetch) in fetches.into_iter().enumerate() {
        // Nobody takes any after an error on the other side.
        let Ok(room) = layers.reserve().await else { return };
        let begun = begin(&machine, id, index, fetch).await;
        let failed = begun.is_err();
        room.send(begun);
        if failed {
            return;
        }
    }
}

/// Waits for a layer, and begins with it.
async fn begin(
    machine: &Arc<Machine>,
    id: NodeId,
    index: usize,
    fetch: Fetch,
) -> Result<Coming, NodeError> {
    let fetched = async { fetch.await.map_err(|_| NodeError::Worker)?.map_err(NodeError::from) };
    let path = machine.unless_cancelled(fetched).await?;
    let file = fs::File::open(&path).map_err(|source| NodeError::Io {
        action: "read the layer",
        path,
        source,
    })?;
    let blob = Decompression::start(file, machine.settings.unpack_limits)?;
    if index == 0 {
        return Ok(Coming::Now(blob));
    }
    let aside = machine.directory(&format!("ahead-{index}"), id)?;
    Ok(Coming::Ahead(Ahead::start(blob, aside, machine.bounds())?))
}

/// Opens a directory as a root with the mode that roots have.
fn open_root(directory: &Path) -> Result<RootDir, NodeError> {
    let opened = fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
        .and_then(|()| RootDir::open(directory));
    opened.map_err(|source| NodeError::Io {
        action: "open the root",
        path: directory.to_owned(),
        source,
    })
}

fn unpack_layer(
    machine: &Machine,
    found: &Found,
    index: usize,
    coming: Coming,
    root: &RootDir,
) -> Result<(), NodeError> {
    let expected = found.config.rootfs.diff_ids[index];
    let unpacked = layer::unpack(coming, root, machine.bounds()).map_err(|source| {
        let reference = Box::new(found.reference.clone());
        let digest = found.base.layers[index].digest;
        NodeError::Unpack { reference, number: index + 1, digest, source }
    })?;
    for skipped in unpacked.skipped {
        machine.events.send(Event::Notice { message: format!("{}: {skipped}", found.reference) });
    }
    if unpacked.diff_id != expected {
        let reference = Box::new(found.reference.clone());
        return Err(NodeError::DiffId { reference, found: unpacked.diff_id, expected });
    }
    Ok(())
}

/// Drops a blob that may have been damaged since it was verified: the next build gets it anew,
/// instead of failing for ever.
fn forget_damaged(machine: &Machine, found: &Found, index: usize, error: &NodeError) {
    let full = matches!(error, NodeError::Unpack { source, .. } if source.is_storage_full());
    if !full && !machine.cancel.is_cancelled() && is_from_registry(&found.base.sources[index]) {
        // The build has failed already; that the blob stays is no worse.
        machine.settings.store.forget(&found.base.layers[index].digest).ok();
    }
}

fn is_from_registry(source: &LayerSource) -> bool {
    matches!(source, LayerSource::Base(_))
}

/// Names a stack of layers (OCI image-spec, config.md, "Layer `ChainID`"); none for no layers.
fn chain_id(diff_ids: &[DiffId]) -> Option<Digest> {
    let mut layers = diff_ids.iter();
    let first = layers.next()?.0;
    Some(layers.fold(first, |chain, layer| {
        Digest::from_bytes(Sha256::digest(format!("{chain} {layer}")).into())
    }))
}
