//! Descriptors, manifests and indexes, as registries keep them.
//!
//! OCI image-spec `descriptor.md`, `manifest.md`, `image-index.md`, and the Docker formats
//! (distribution `manifest-v2-2.md`) that have the same shape. Maps are ordered, and what this
//! builder does not know is kept, so that the same document is the same bytes.

use std::collections::BTreeMap;

use ir::{Digest, Platform};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Media types of documents and layers.
pub mod media_type {
    use oci_client::manifest;

    /// OCI image manifest.
    pub const OCI_MANIFEST: &str = manifest::OCI_IMAGE_MEDIA_TYPE;
    /// OCI image index.
    pub const OCI_INDEX: &str = manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
    /// OCI image config.
    pub const OCI_CONFIG: &str = manifest::IMAGE_CONFIG_MEDIA_TYPE;
    /// OCI layer, not compressed.
    pub const OCI_LAYER: &str = manifest::IMAGE_LAYER_MEDIA_TYPE;
    /// OCI layer, gzip.
    pub const OCI_LAYER_GZIP: &str = manifest::IMAGE_LAYER_GZIP_MEDIA_TYPE;
    /// OCI layer, zstd.
    pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// Docker image manifest, version 2, schema 2.
    pub const DOCKER_MANIFEST: &str = manifest::IMAGE_MANIFEST_MEDIA_TYPE;
    /// Docker manifest list.
    pub const DOCKER_INDEX: &str = manifest::IMAGE_MANIFEST_LIST_MEDIA_TYPE;
    /// Docker image config.
    pub const DOCKER_CONFIG: &str = manifest::IMAGE_DOCKER_CONFIG_MEDIA_TYPE;
    /// Docker layer, not compressed.
    pub const DOCKER_LAYER: &str = manifest::IMAGE_DOCKER_LAYER_TAR_MEDIA_TYPE;
    /// Docker layer, gzip.
    pub const DOCKER_LAYER_GZIP: &str = manifest::IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE;
    /// What all Docker image manifests of version 2, schema 1 begin with; they are not supported.
    pub(crate) const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+";
}

/// Names a blob or a document by its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the specification's, under its names")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<DescriptorPlatform>,
    /// What this builder does not know (`urls`, `data`, `artifactType`, …).
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What the image behind a descriptor runs on, as the index says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the specification's, under its names")]
pub struct DescriptorPlatform {
    pub architecture: String,
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What this builder does not know (`os.version`, `os.features`, …).
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// An image: its config and its layers, lowest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the specification's, under its names")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub config: Descriptor,
    #[serde(default, deserialize_with = "null_is_default")]
    pub layers: Vec<Descriptor>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    /// What this builder does not know (`subject`, `artifactType`, …).
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// Images for several platforms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the specification's, under its names")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    /// What this builder does not know.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Descriptor {
    /// One that says no more than what is needed.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            annotations: BTreeMap::new(),
            platform: None,
            extra: BTreeMap::new(),
        }
    }

    /// Whether it leads to an index.
    pub(super) fn is_index(&self) -> bool {
        [media_type::OCI_INDEX, media_type::DOCKER_INDEX].contains(&self.media_type.as_str())
    }
}

impl DescriptorPlatform {
    /// In this builder's terms. None if it is no platform.
    pub(super) fn normalised(&self) -> Option<Platform> {
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        let slash = if variant.is_some() { "/" } else { "" };
        format!("{}/{}{slash}{}", self.os, self.architecture, variant.unwrap_or("")).parse().ok()
    }
}

/// Go writes `null` for empty slices and maps.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
