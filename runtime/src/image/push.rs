//! Images to registries.

use std::collections::BTreeMap;
use std::io::Write as _;

use futures_util::future::join_all;
use futures_util::{TryStreamExt as _, stream};
use ir::{Digest, ImageRef};

use super::error::Unpushed;
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

/// What becomes of a tag that a registry does not let be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImmutableTags {
    /// It is an error.
    #[default]
    Fail,
    /// It stays what it is.
    Keep,
}

/// Pushes an image under each of some names.
///
/// Every blob goes once to every repository, and a manifest only where all its blobs are. What is
/// there already, perhaps by [`push_layer`], is not sent again. What fails keeps nothing else from
/// its destination.
///
/// # Errors
///
/// All that failed, together.
pub async fn push(
    image: &Image,
    to: &[ImageRef],
    tags: ImmutableTags,
    link: Uplink<'_>,
) -> Result<(), ExportError> {
    let mut failed = Vec::new();
    let mut filled: Vec<&ImageRef> = Vec::new();
    for repository in repositories(to) {
        // One of the same registry that has the whole image since a moment ago.
        let sibling = filled.iter().find(|known| known.registry() == repository.registry());
        match push_blobs(image, repository, sibling.copied(), link).await {
            Ok(()) => filled.push(repository),
            Err(error) => {
                let names = to.iter().filter(|name| name.name() == repository.name());
                failed.push(unpushed(names, error));
            }
        }
    }
    for name in to {
        if !filled.iter().any(|known| known.name() == name.name()) {
            continue;
        }
        let pushed = link.client.push_manifest(name, &image.media_type, &image.manifest_bytes);
        match pushed.await {
            Ok(_) => {
                link.events.send(Event::Exported { to: name.to_string(), digest: image.digest });
            }
            Err(error) if tags == ImmutableTags::Keep && error.is_immutable_tag() => {
                let message = format!("`{name}` stays what it is: the tag is immutable");
                link.events.send(Event::Notice { message });
            }
            Err(error) => failed.push(unpushed([name], error)),
        }
    }
    all_done(failed, to.len())
}

/// Asks each registry whether the image may be pushed there.
///
/// # Errors
///
/// All where it may not, together.
pub async fn check(client: &Client, to: &[ImageRef]) -> Result<(), ExportError> {
    let checks = repositories(to).into_iter().map(|repository| async move {
        let error = client.check_push(repository).await.err()?;
        Some(unpushed(to.iter().filter(|name| name.name() == repository.name()), error))
    });
    let failed = join_all(checks).await.into_iter().flatten().collect();
    all_done(failed, to.len())
}

/// The repositories of some names: a name for each, in order.
pub fn repositories(names: &[ImageRef]) -> Vec<&ImageRef> {
    let mut repositories: Vec<&ImageRef> = Vec::new();
    for name in names {
        if !repositories.iter().any(|known| known.name() == name.name()) {
            repositories.push(name);
        }
    }
    repositories
}

/// Brings one layer to a repository, before there is an image that it belongs to.
pub async fn push_layer(
    layer: &ImageLayer,
    to: &ImageRef,
    link: Uplink<'_>,
) -> Result<(), ExportError> {
    upload(layer, to, None, link)
        .await
        .map_err(|error| ExportError::Push { failed: vec![unpushed([to], error)], destinations: 1 })
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

fn unpushed<'a>(to: impl IntoIterator<Item = &'a ImageRef>, error: RegistryError) -> Unpushed {
    let to = to.into_iter().map(ToString::to_string).collect();
    Unpushed { to, error: Box::new(error) }
}

fn all_done(failed: Vec<Unpushed>, destinations: usize) -> Result<(), ExportError> {
    if failed.is_empty() { Ok(()) } else { Err(ExportError::Push { failed, destinations }) }
}

#[cfg(test)]
mod tests;
