//! Images to registries.

use std::collections::BTreeMap;
use std::io::Write as _;

use futures_util::{TryStreamExt as _, stream};
use ir::{Digest, ImageRef};

use super::{ExportError, Image, ImageLayer, LayerSource, media};
use crate::event::{Event, Events, Task};
use crate::registry::{Client, Descriptor, RegistryError};
use crate::store::{Store, StoreError};

/// Uploads at a time. More gain nothing where one connection can fill the line.
const PARALLEL: usize = 6;

/// What an upload needs.
#[derive(Clone, Copy)]
pub struct Uplink<'a> {
    /// Speaks to the registries.
    pub client: &'a Client,
    /// Has, or gets, the layers of bases.
    pub store: &'a Store,
    /// Hears of the progress.
    pub events: &'a Events,
}

/// Pushes an image under each of some names.
///
/// Every blob goes once to every repository, and a manifest only where all its blobs are. What is
/// there already, perhaps by [`push_layer`], is not sent again.
pub async fn push(image: &Image, to: &[ImageRef], link: Uplink<'_>) -> Result<(), ExportError> {
    let mut repositories: Vec<&ImageRef> = Vec::new();
    for name in to {
        if !repositories.iter().any(|known| known.name() == name.name()) {
            repositories.push(name);
        }
    }
    for (index, repository) in repositories.iter().enumerate() {
        // One of the same registry that has the whole image since a moment ago.
        let sibling = repositories[..index].iter().find(|r| r.registry() == repository.registry());
        push_blobs(image, repository, sibling.copied(), link)
            .await
            .map_err(|source| failed(repository, source))?;
    }
    for name in to {
        link.client
            .push_manifest(name, &image.media_type, &image.manifest_bytes)
            .await
            .map_err(|source| failed(name, source))?;
        link.events.send(Event::Exported { to: name.to_string(), digest: image.digest });
    }
    Ok(())
}

/// Brings one layer to a repository, before there is an image that it belongs to.
pub async fn push_layer(
    layer: &ImageLayer,
    to: &ImageRef,
    link: Uplink<'_>,
) -> Result<(), ExportError> {
    upload(layer, to, None, link).await.map_err(|source| failed(to, source))
}

async fn push_blobs(
    image: &Image,
    to: &ImageRef,
    sibling: Option<&ImageRef>,
    link: Uplink<'_>,
) -> Result<(), RegistryError> {
    let layers: BTreeMap<Digest, &ImageLayer> = image
        .layers
        .iter()
        .filter(|layer| !media::is_foreign(&layer.descriptor.media_type))
        .map(|layer| (layer.descriptor.digest, layer))
        .collect();
    stream::iter(layers.into_values().map(|layer| Ok(upload(layer, to, sibling, link))))
        .try_buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    push_config(image, to, link).await
}

async fn upload(
    layer: &ImageLayer,
    to: &ImageRef,
    sibling: Option<&ImageRef>,
    link: Uplink<'_>,
) -> Result<(), RegistryError> {
    let blob = &layer.descriptor;
    if link.client.has_blob(to, &blob.digest).await? {
        return Ok(());
    }
    let base = match &layer.source {
        LayerSource::Base(base) => Some(base),
        LayerSource::Blob(_) => None,
    };
    let near = base.filter(|base| base.registry() == to.registry() && base.name() != to.name());
    if let Some(from) = sibling.or(near)
        && link.client.mount_blob(to, from, &blob.digest).await?
    {
        return Ok(());
    }
    let path = match &layer.source {
        LayerSource::Blob(path) => path.clone(),
        LayerSource::Base(base) => {
            link.client.fetch(base, blob, link.store, report(blob, "fetch", link)).await?
        }
    };
    let progress = report(blob, "push", link);
    link.client.push_blob(to, &blob.digest, blob.size, &path, progress).await
}

async fn push_config(image: &Image, to: &ImageRef, link: Uplink<'_>) -> Result<(), RegistryError> {
    let (digest, size) = (image.config.digest, image.config.size);
    let mut writer = link.store.writer(digest, size)?;
    writer.write_all(&image.config_bytes).map_err(|source| StoreError::Io {
        verb: "write",
        path: link.store.directory().to_owned(),
        source,
    })?;
    let path = writer.finish()?;
    link.client.push_blob(to, &digest, size, &path, |_| ()).await
}

/// Tells of the bytes of a blob that moved.
fn report(blob: &Descriptor, verb: &str, link: Uplink<'_>) -> impl Fn(u64) + Send + Sync + 'static {
    let what = format!("{verb} layer sha256:{}", blob.digest.short());
    link.events.meter(Task::Export, what, Some(blob.size))
}

fn failed(to: &ImageRef, source: RegistryError) -> ExportError {
    ExportError::Push { to: to.to_string(), source: Box::new(source) }
}

#[cfg(test)]
mod tests;
