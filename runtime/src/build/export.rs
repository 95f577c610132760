//! The image leaves: its layers are uploaded as soon as they exist, then it is linked and goes to
//! every destination.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ir::op::ImageOp;
use ir::{Digest, ImageRef, NodeId, Op};
use tokio_util::task::AbortOnDropHandle;

use super::base;
use super::error::BuildError;
use super::machine::Machine;
use crate::event::{Event, Task};
use crate::image::push::{ImmutableTags, Uplink};
use crate::image::receipt::{DigestTo, Receipts};
use crate::image::{self, Assembly, ExportError, Format, Image, ImageLayer};
use crate::layer::Layer;
use crate::resolve::Found;

/// Where an image goes.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// Repositories it is pushed to.
    pub push: Vec<ImageRef>,
    /// Names it has in files.
    pub names: Vec<ImageRef>,
    /// A `docker load` archive.
    pub archive: Option<PathBuf>,
    /// An OCI layout.
    pub layout: Option<PathBuf>,
    /// Who is told of it.
    pub receipts: Receipts,
    /// What becomes of tags that registries do not let be changed.
    pub immutable_tags: ImmutableTags,
    /// Its media types.
    pub format: Format,
}

impl Outputs {
    /// Whether anybody sees the image; if not, no layer is made.
    pub(super) fn is_wanted(&self) -> bool {
        !self.push.is_empty()
            || self.archive.is_some()
            || self.layout.is_some()
            || self.receipts.is_wanted()
    }
}

/// Uploads of layers that began before the image was linked.
///
/// A failed one is no failure of the build: the push tries again and tells.
pub(super) struct Uploads {
    machine: Arc<Machine>,
    to: Vec<ImageRef>,
    running: Mutex<Vec<AbortOnDropHandle<()>>>,
}

impl Uploads {
    pub(super) fn new(machine: &Arc<Machine>) -> Self {
        let to = image::push::repositories(&machine.settings.outputs.push);
        let to = to.into_iter().cloned().collect();
        Self { machine: Arc::clone(machine), to, running: Mutex::default() }
    }

    /// Begins to upload a layer to every repository.
    pub(super) fn start(&self, layer: &Layer) {
        let mut running = self.running.lock().expect("nobody panics while holding the lock");
        for to in &self.to {
            let (machine, to) = (Arc::clone(&self.machine), to.clone());
            let layer = ImageLayer::from(layer);
            running.push(AbortOnDropHandle::new(tokio::spawn(async move {
                image::push::push_layer(&layer, &to, link(&machine)).await.ok();
            })));
        }
    }

    async fn finish(self) {
        let running = self.running.into_inner().expect("nobody panics while holding the lock");
        for upload in running {
            upload.await.ok();
        }
    }
}

fn link(machine: &Machine) -> Uplink<'_> {
    Uplink {
        client: machine.images.client(),
        store: &machine.settings.store,
        events: &machine.events,
    }
}

/// Links the image and brings it to every destination. Returns the manifest's digest.
pub(super) async fn export(
    machine: &Arc<Machine>,
    layers: BTreeMap<NodeId, Layer>,
    uploads: Uploads,
) -> Result<Digest, BuildError> {
    let (stage, outputs) = (machine.graph.target(), &machine.settings.outputs);
    let found = match base_of_target(machine) {
        Some((id, op)) => {
            let found = base::find(machine, op).await;
            Some(found.map_err(|error| machine.failed(id, error))?)
        }
        None => None,
    };
    let assembly = Assembly { created: machine.settings.created, format: outputs.format };
    let base = found.as_ref().map(|found| &found.base);
    let image =
        Arc::new(image::assemble(stage, machine.graph.history(stage), base, &layers, &assembly)?);
    let work = async {
        write_files(machine, &image, found.as_deref()).await?;
        uploads.finish().await;
        let tags = outputs.immutable_tags;
        image::push::push(&image, &outputs.push, tags, link(machine)).await?;
        tell(machine, image.digest).await?;
        Ok(image.digest)
    };
    tokio::select! {
        biased;
        () = machine.cancel.cancelled() => Err(BuildError::Cancelled),
        result = work => result,
    }
}

/// The base image at the bottom of the target.
fn base_of_target(machine: &Machine) -> Option<(NodeId, &ImageOp)> {
    let mut at = machine.graph.target().root;
    while let Some(parent) = machine.graph.node(at).op.root() {
        at = parent;
    }
    match &machine.graph.node(at).op {
        Op::Image(image) => Some((at, image)),
        Op::Scratch
        | Op::Local(_)
        | Op::Git(_)
        | Op::Http(_)
        | Op::Inline(_)
        | Op::Run(_)
        | Op::Copy(_)
        | Op::Mkdir(_)
        | Op::Merge(_) => None,
    }
}

async fn write_files(
    machine: &Arc<Machine>,
    image: &Arc<Image>,
    found: Option<&Found>,
) -> Result<(), BuildError> {
    let outputs = &machine.settings.outputs;
    if outputs.archive.is_some() || outputs.layout.is_some() {
        for (layer, source) in found.into_iter().flat_map(Found::layers) {
            base::fetch(machine, Task::Export, layer, source).await?;
        }
    }
    let (outputs, image, store) =
        (outputs.clone(), Arc::clone(image), machine.settings.store.clone());
    let (events, cancel) = (machine.events.clone(), machine.cancel.clone());
    let write = move || {
        let exported = |path: &PathBuf| {
            let to = path.display().to_string();
            events.send(Event::Exported { to, digest: image.digest });
        };
        if let Some(path) = &outputs.archive {
            image::archive::write(&image, path, &outputs.names, &store, &cancel)?;
            exported(path);
        }
        if let Some(path) = &outputs.layout {
            let name = outputs.names.first().and_then(ImageRef::tag);
            image::layout::write(&image, path, name, &store, &cancel)?;
            exported(path);
        }
        outputs.receipts.write(&image.digest, &outputs.names)
    };
    let written: Result<(), ExportError> =
        tokio::task::spawn_blocking(write).await.map_err(|_| BuildError::Worker)?;
    Ok(written?)
}

/// Tells of an image that is where it should be.
async fn tell(machine: &Machine, digest: Digest) -> Result<(), ExportError> {
    let outputs = &machine.settings.outputs;
    if !outputs.push.is_empty() {
        outputs.receipts.write_pushed(&digest, &outputs.push)?;
    }
    if let Some(DigestTo::Server(url)) = &outputs.receipts.digest {
        let told = machine.images.client().put_digest(url, &digest).await;
        told.map_err(|error| ExportError::Digest(Box::new(error)))?;
    }
    Ok(())
}
