//! From a reference and a platform to an image: manifest and config.

use ir::{ConfigFile, Digest, ImageRef, Platform};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::descriptor::{Descriptor, Index, Manifest, media_type};
use super::error::{Failure, Flaw, PassedOver, RegistryError};
use super::transport::read_bounded;
use super::{Client, Errand, blob_of, locked};

/// The largest manifest that is read, in bytes (distribution-spec, "Pushing Manifests").
const MANIFEST_LIMIT: u64 = 4 << 20;
/// The largest config that is read, in bytes.
const CONFIG_LIMIT: u64 = 8 << 20;
/// How deep indexes may lie in indexes.
const MAX_DEPTH: usize = 4;

const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// An image of a registry, for one platform.
#[derive(Debug)]
pub struct ResolvedImage {
    /// Where it was found: as asked for, or as a mirror has it.
    pub place: ImageRef,
    /// The places that did not have it, in the order in which they were tried.
    pub passed_over: Vec<PassedOver>,
    /// Of the manifest for the platform.
    pub digest: Digest,
    /// As the registry has it.
    pub manifest_bytes: Vec<u8>,
    /// What it says.
    pub manifest: Manifest,
    /// As the registry has it.
    pub config_bytes: Vec<u8>,
    /// What it says. It has as many diff ids as the manifest has layers.
    pub config: ConfigFile,
    /// Of the manifest.
    pub media_type: String,
}

enum Document {
    Image(Box<Manifest>),
    Index(Index),
}

/// A document as it came.
struct Fetched {
    digest: Digest,
    media_type: String,
    bytes: Vec<u8>,
}

/// An image as one place has it.
struct Whole {
    fetched: Fetched,
    manifest: Manifest,
    config_bytes: Vec<u8>,
    config: ConfigFile,
}

/// The fields that tell what a document is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Client {
    /// Finds the image for a platform. Where a reference leads to one image without an index,
    /// that is the result whatever its platform: its config says which.
    ///
    /// Where its registry has mirrors, all of it comes from the first place that has all of it.
    pub async fn resolve(
        &self,
        reference: &ImageRef,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let mut search = self.search(reference, None, format!("`{reference}`"));
        let whole = loop {
            match self.resolve_at(search.place(), search.hurried(), platform).await {
                Ok(whole) => break whole,
                Err(error) => search.next(error)?,
            }
        };
        let Whole { fetched, manifest, config_bytes, config } = whole;
        let (place, passed_over) = search.finish();
        locked(&self.inner.places).asked.insert(place.clone(), reference.clone());
        Ok(ResolvedImage {
            place,
            passed_over,
            digest: fetched.digest,
            manifest_bytes: fetched.bytes,
            media_type: fetched.media_type,
            manifest,
            config_bytes,
            config,
        })
    }

    async fn resolve_at(
        &self,
        place: &ImageRef,
        hurried: bool,
        platform: &Platform,
    ) -> Result<Whole, RegistryError> {
        let mut name = place.manifest_name();
        let mut expected = place.digest();
        let mut object = format!("`{place}`");
        for _ in 0..MAX_DEPTH {
            let errand = Errand::pull(place, object, hurried);
            let fetched = self.manifest(&errand, &name, expected).await?;
            object = errand.object;
            match parse(&fetched, &object)? {
                Document::Image(manifest) => {
                    return self.complete(place, hurried, fetched, *manifest).await;
                }
                Document::Index(index) => {
                    let chosen =
                        choose(&index, platform).ok_or_else(|| RegistryError::NoPlatform {
                            reference: place.to_string(),
                            wanted: platform.to_string(),
                            available: available(&index),
                        })?;
                    expected = Some(chosen.digest);
                    name = chosen.digest.to_string();
                    object = format!("manifest `{name}` of `{place}`");
                }
            }
        }
        Err(malformed(&object, Flaw("its indexes lie too deep in each other")))
    }

    /// A manifest or an index, whose digest is `expected` if that is known.
    async fn manifest(
        &self,
        errand: &Errand<'_>,
        name: &str,
        expected: Option<Digest>,
    ) -> Result<Fetched, RegistryError> {
        let mut attempts = self.pull_attempts(errand);
        loop {
            match self.manifest_once(errand, name, expected).await {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    async fn manifest_once(
        &self,
        errand: &Errand<'_>,
        name: &str,
        expected: Option<Digest>,
    ) -> Result<Fetched, Failure> {
        let registry = errand.access.image.registry();
        let endpoint = self.pull_endpoint(errand).await?;
        let url = errand.url(&endpoint, &format!("manifests/{name}"));
        let mut call = errand.call(Method::GET, url);
        call.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        let media_type = header(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
        let announced = header(response.headers(), "docker-content-digest");
        let bytes = read_bounded(response, registry, &errand.object, MANIFEST_LIMIT).await?;
        let digest = digest_of(&bytes);
        // A tag's digest only the registry knows: that finds what was corrupted on the way.
        let expected = expected.or_else(|| announced?.parse().ok()).unwrap_or(digest);
        check_digest(&errand.object, expected, digest)?;
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        Ok(Fetched { digest, media_type, bytes })
    }

    async fn complete(
        &self,
        place: &ImageRef,
        hurried: bool,
        fetched: Fetched,
        manifest: Manifest,
    ) -> Result<Whole, RegistryError> {
        check_config_type(place, &manifest.config)?;
        let errand = Errand::pull(place, blob_of(place, &manifest.config.digest), hurried);
        let config_bytes = self.small_blob(errand, &manifest.config, CONFIG_LIMIT).await?;
        let object = format!("the config of `{place}`");
        let config: ConfigFile = serde_json::from_slice(&config_bytes).map_err(|source| {
            RegistryError::Malformed { object: object.clone(), source: source.into() }
        })?;
        if config.rootfs.diff_ids.len() != manifest.layers.len() {
            return Err(malformed(&object, Flaw("it does not name each layer of the manifest")));
        }
        Ok(Whole { fetched, manifest, config_bytes, config })
    }

    /// A blob that is needed in memory.
    async fn small_blob(
        &self,
        errand: Errand<'_>,
        blob: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        if blob.size > limit {
            return Err(RegistryError::TooLarge { object: errand.object, limit });
        }
        let mut attempts = self.pull_attempts(&errand);
        loop {
            match self.small_blob_once(&errand, blob).await {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    async fn small_blob_once(
        &self,
        errand: &Errand<'_>,
        blob: &Descriptor,
    ) -> Result<Vec<u8>, Failure> {
        let registry = errand.access.image.registry();
        let endpoint = self.pull_endpoint(errand).await?;
        let url = errand.url(&endpoint, &format!("blobs/{}", blob.digest));
        let call = errand.call(Method::GET, url);
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        let bytes = read_bounded(response, registry, &errand.object, blob.size).await?;
        check_digest(&errand.object, blob.digest, digest_of(&bytes))?;
        Ok(bytes)
    }
}

pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn check_digest(object: &str, expected: Digest, got: Digest) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    let object = object.to_owned();
    Err(Failure::transient(RegistryError::Digest { object, expected, got, attempts: 1 }))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// What a document is. Its own `mediaType` counts before the one of the answer.
fn parse(fetched: &Fetched, object: &str) -> Result<Document, RegistryError> {
    let json = |source: serde_json::Error| RegistryError::Malformed {
        object: object.to_owned(),
        source: source.into(),
    };
    let refused = |media_type: &str, hint| RegistryError::MediaType {
        object: object.to_owned(),
        media_type: media_type.to_owned(),
        hint,
    };
    let outline: Outline = serde_json::from_slice(&fetched.bytes).map_err(json)?;
    let media_type = outline.media_type.as_deref().unwrap_or(&fetched.media_type);
    if outline.schema_version == 1 || media_type.starts_with(media_type::DOCKER_SCHEMA1) {
        let hint = "it is a Docker image of the old schema 1, which is not supported; push it \
                    again with a current tool";
        return Err(refused(media_type, hint));
    }
    // A document that is both a manifest and an index would be one image to whoever checks it and
    // another to whoever runs it (CVE-2021-41190).
    let image = outline.config.is_some() || outline.layers.is_some();
    match (image, outline.manifests.is_some(), media_type) {
        (true, true, _) => Err(malformed(object, Flaw("it is both a manifest and an index"))),
        (true, false, media_type::OCI_INDEX | media_type::DOCKER_INDEX)
        | (false, true, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST) => {
            Err(malformed(object, Flaw("it is not what its media type says")))
        }
        (true, false, _) => {
            serde_json::from_slice(&fetched.bytes).map(Document::Image).map_err(json)
        }
        (false, true, _) => {
            serde_json::from_slice(&fetched.bytes).map(Document::Index).map_err(json)
        }
        (false, false, _) => Err(refused(media_type, "it is neither an image nor an index")),
    }
}

fn check_config_type(reference: &ImageRef, config: &Descriptor) -> Result<(), RegistryError> {
    match config.media_type.as_str() {
        // The last one is what early registries made of it.
        media_type::OCI_CONFIG | media_type::DOCKER_CONFIG | "application/octet-stream" => Ok(()),
        other => Err(RegistryError::MediaType {
            object: format!("`{reference}`"),
            media_type: other.to_owned(),
            hint: "it is no container image but something else that is kept in registries",
        }),
    }
}

fn malformed(object: &str, flaw: Flaw) -> RegistryError {
    RegistryError::Malformed { object: object.to_owned(), source: flaw.into() }
}

/// The entry for a platform: the one that fits best, of equals the first; else the first that
/// does not say what it is for.
fn choose<'a>(index: &'a Index, wanted: &Platform) -> Option<&'a Descriptor> {
    let ranked = index.manifests.iter().filter_map(|entry| {
        let platform = entry.platform.as_ref()?.normalised()?;
        Some((rank(&platform, wanted)?, entry))
    });
    let silent = || {
        let known = [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST];
        index.manifests.iter().find(|entry| {
            let document = entry.is_index() || known.contains(&entry.media_type.as_str());
            entry.platform.is_none() && document
        })
    };
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, entry)| entry).or_else(silent)
}

/// How well an image runs on what was wanted: 0 is best. None: not at all.
///
/// As containerd's `platforms.Only`: the same variant, then the lower ones, the highest first.
/// Where no variant was asked for, a higher one is better than nothing.
fn rank(image: &Platform, wanted: &Platform) -> Option<u32> {
    if image.os != wanted.os || image.architecture != wanted.architecture {
        return None;
    }
    let (has, wants) = (image.effective_variant(), wanted.effective_variant());
    if has == wants {
        return Some(0);
    }
    let number = |variant: Option<&str>| -> Option<u32> {
        variant?.trim_start_matches('v').split('.').next()?.parse().ok()
    };
    match (number(has), number(wants)) {
        (Some(has), Some(wants)) if has < wants => Some(wants - has),
        (Some(has), Some(wants)) if wanted.variant.is_none() => {
            Some(1000 + has.min(1000) - wants.min(1000))
        }
        (Some(_), Some(_)) => None,
        (None, _) | (_, None) => wanted.variant.is_none().then_some(2001),
    }
}

/// What an index has, for people; without the attestations that builders hide in it.
fn available(index: &Index) -> Vec<String> {
    let mut platforms: Vec<String> = index
        .manifests
        .iter()
        .filter_map(|entry| entry.platform.as_ref()?.normalised())
        .filter(|platform| platform.os != "unknown")
        .map(|platform| platform.to_string())
        .collect();
    platforms.sort();
    platforms.dedup();
    platforms
}

#[cfg(test)]
mod tests;
