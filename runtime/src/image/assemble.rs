//! From a stage and its layers to an image: config and manifest, byte for byte the same for the
//! same input.

use std::collections::BTreeMap;

use ir::config::{ConfigFile, HistoryEntry};
use ir::graph::{Stage, StageHistory};
use ir::{Digest, NodeId};
use sha2::{Digest as _, Sha256};

use super::media::{self, Family};
use super::time::rfc3339;
use super::{ExportError, Image, ImageLayer, LayerSource};
use crate::layer::Layer;
use crate::registry::{Descriptor, Manifest, ResolvedImage};

/// What an image starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseImage {
    /// The manifest's.
    pub media_type: String,
    /// Descriptors of the layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// Where each layer is; as many as there are descriptors.
    pub sources: Vec<LayerSource>,
}

impl BaseImage {
    /// One that is in a registry: its layers are where it was found.
    pub fn of(resolved: &ResolvedImage) -> Self {
        let layers = resolved.manifest.layers.clone();
        Self {
            media_type: resolved.media_type.clone(),
            sources: vec![LayerSource::Base(resolved.place.clone()); layers.len()],
            layers,
        }
    }
}

/// How an image is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// Seconds since 1970: when the image and what the build adds to its history were made.
    pub created: u64,
    /// Which media types it has.
    pub format: Format,
}

/// Which media types an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The base's; OCI's where there is none, or where a layer has a type that only OCI knows.
    Inherit,
    /// Docker's, schema 2.
    Docker,
    /// OCI's.
    Oci,
}

/// Fields of Docker's config that tell of the container which a base was committed from. What
/// BuildKit builds does not have them either.
const OF_CONTAINER: [&str; 6] =
    ["container", "container_config", "docker_version", "id", "parent", "throwaway"];

/// The same, of `config`.
const OF_CONTAINER_CONFIG: [&str; 11] = [
    "AttachStderr",
    "AttachStdin",
    "AttachStdout",
    "Domainname",
    "Hostname",
    "Image",
    "MacAddress",
    "NetworkDisabled",
    "OpenStdin",
    "StdinOnce",
    "Tty",
];

/// Links a stage to an image.
///
/// `history` is what the build adds to the base's. `layers` holds the layer of each node that
/// changed something. A node of the history that is not in it changed nothing: its entry is said
/// to be empty, as `BuildKit` does it.
pub fn assemble<'a>(
    stage: &Stage,
    history: impl IntoIterator<Item = &'a StageHistory>,
    base: Option<&BaseImage>,
    layers: &BTreeMap<NodeId, Layer>,
    settings: &Assembly,
) -> Result<Image, ExportError> {
    let mut stack = base_layers(&stage.config, base)?;
    let (config, own) = configure(stage, history, layers, settings);
    stack.extend(own.into_iter().map(ImageLayer::from));

    let family = family(base, &stack, settings.format)?;
    for layer in &mut stack {
        layer.descriptor.media_type = family.layer(&layer.descriptor.media_type).to_owned();
    }
    let config_bytes = json(&config);
    let config =
        Descriptor::new(family.config(), digest_of(&config_bytes), config_bytes.len() as u64);
    let manifest_bytes = json(&Manifest {
        schema_version: 2,
        media_type: Some(family.manifest().to_owned()),
        config: config.clone(),
        layers: stack.iter().map(|layer| layer.descriptor.clone()).collect(),
        annotations: BTreeMap::new(),
        extra: BTreeMap::new(),
    });
    Ok(Image {
        config_bytes,
        config,
        digest: digest_of(&manifest_bytes),
        manifest_bytes,
        media_type: family.manifest().to_owned(),
        layers: stack,
    })
}

/// SHA-256 of bytes in memory.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn base_layers(
    config: &ConfigFile,
    base: Option<&BaseImage>,
) -> Result<Vec<ImageLayer>, ExportError> {
    let diff_ids = &config.rootfs.diff_ids;
    let (descriptors, sources) =
        base.map_or((&[][..], &[][..]), |base| (&base.layers[..], &base.sources[..]));
    if descriptors.len() != diff_ids.len() || sources.len() != diff_ids.len() {
        let (layers, diff_ids) = (descriptors.len(), diff_ids.len());
        return Err(ExportError::BaseLayers { layers, diff_ids });
    }
    let together = descriptors.iter().zip(sources).zip(diff_ids);
    Ok(together
        .map(|((descriptor, source), diff_id)| ImageLayer {
            descriptor: descriptor.clone(),
            diff_id: *diff_id,
            source: source.clone(),
        })
        .collect())
}

/// The config file, and the layers that the build adds, in its order.
fn configure<'h, 'a>(
    stage: &Stage,
    history: impl IntoIterator<Item = &'h StageHistory>,
    layers: &'a BTreeMap<NodeId, Layer>,
    settings: &Assembly,
) -> (ConfigFile, Vec<&'a Layer>) {
    let created = rfc3339(settings.created);
    let mut config = stage.config.clone();
    config.extra.retain(|name, _| !OF_CONTAINER.contains(&name.as_str()));
    config.config.extra.retain(|name, _| !OF_CONTAINER_CONFIG.contains(&name.as_str()));
    config.os.clone_from(&stage.platform.os);
    config.architecture.clone_from(&stage.platform.architecture);
    config.variant = stage.platform.variant.clone().or(config.variant);
    config.created = Some(created.clone());
    complete_history(&mut config);

    let mut own = Vec::new();
    for step in history {
        let layer = step.node.and_then(|node| layers.get(&node));
        own.extend(layer);
        config.rootfs.diff_ids.extend(layer.map(|layer| layer.diff_id));
        config.history.push(HistoryEntry {
            created: Some(created.clone()),
            empty_layer: layer.is_none(),
            ..step.entry.clone()
        });
    }
    (config, own)
}

/// Gives every layer of the base an entry. Readers pair layers and entries by position, so what a
/// base without history lacks would shift ours.
fn complete_history(config: &mut ConfigFile) {
    let told = config.history.iter().filter(|entry| !entry.empty_layer).count();
    let missing = config.rootfs.diff_ids.len().saturating_sub(told);
    config.history.extend((0..missing).map(|_| HistoryEntry::default()));
}

fn family(
    base: Option<&BaseImage>,
    layers: &[ImageLayer],
    format: Format,
) -> Result<Family, ExportError> {
    let oci_only = layers.iter().any(|layer| media::is_oci_only(&layer.descriptor.media_type));
    match (format, oci_only) {
        (Format::Docker, true) => Err(ExportError::ZstdInDocker),
        (Format::Docker, false) => Ok(Family::Docker),
        (Format::Oci, _) | (Format::Inherit, true) => Ok(Family::Oci),
        (Format::Inherit, false) => {
            Ok(base.map_or(Family::Oci, |base| Family::of_manifest(&base.media_type)))
        }
    }
}

/// Compact JSON. Deterministic: fields in order of definition, maps in order of their keys.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("every map of these types has strings for keys")
}
