//! Base images: what a name stands for, asked once and remembered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ir::{ConfigFile, Digest, ImageRef, ImageRequest, Platform};
use tokio::sync::OnceCell;

use crate::image::layout::{LayoutError, LayoutImage};
use crate::image::{BaseImage, LayerSource};
use crate::registry::{Client, Descriptor, PassedOver, RegistryError};

/// Finds base images in registries and OCI layouts. Cheap to clone; clones share what is known.
#[derive(Clone)]
pub struct Images(Arc<Inner>);

struct Inner {
    client: Client,
    layouts: BTreeMap<ImageRef, Layout>,
    /// A cell for each request, so that two who ask at once ask the registry once.
    known: Mutex<BTreeMap<ImageRequest, Arc<OnceCell<Arc<Found>>>>>,
}

/// An OCI layout on the builder's disk that stands for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The directory.
    pub directory: PathBuf,
    /// Which of its images; none where it has one.
    pub tag: Option<String>,
}

/// A base image that exists.
#[derive(Debug)]
pub struct Found {
    /// Its name, as asked for.
    pub reference: ImageRef,
    /// Digest of its manifest for the platform.
    pub digest: Digest,
    /// Its config.
    pub config: ConfigFile,
    /// Its layers and where they are; as many as the config has diff ids.
    pub base: BaseImage,
    /// Its name at the mirror that it was found at; none where it was found under its own name.
    pub mirror: Option<ImageRef>,
    /// The places that did not have it, in the order in which they were tried.
    pub passed_over: Vec<PassedOver>,
}

/// Why a base image is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A registry refused, or does not have it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An OCI layout is not whole, or does not have it.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A thread died; its panic was reported.
    #[error("cannot read the image: a worker thread died")]
    Worker,
    /// Manifest and config are not of one image.
    #[error(
        "cannot use `{reference}`: its manifest has {layers} layers, but its config names {diff_ids}"
    )]
    Layers {
        /// The image.
        reference: ImageRef,
        /// Of the manifest.
        layers: usize,
        /// Of the config.
        diff_ids: usize,
    },
    /// There is one image, and it is for another platform.
    #[error("`{reference}` is for {found}, not for {wanted}; choose another image or platform")]
    Platform {
        /// The image.
        reference: ImageRef,
        /// What its config says.
        found: Platform,
        /// What was asked for.
        wanted: Platform,
    },
}

impl Images {
    /// Asks registries through `client`, except for the images that a layout stands for.
    pub fn new(client: Client, layouts: BTreeMap<ImageRef, Layout>) -> Self {
        Self(Arc::new(Inner { client, layouts, known: Mutex::default() }))
    }

    /// The client, for layers and for pushes.
    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    /// Manifest and config of an image.
    pub async fn resolve(&self, request: &ImageRequest) -> Result<Arc<Found>, ResolveError> {
        let cell = {
            let mut known = self.0.known.lock().expect("nobody panics while holding the lock");
            Arc::clone(known.entry(request.clone()).or_default())
        };
        let found =
            cell.get_or_try_init(|| async { self.ask(request).await.map(Arc::new) }).await?;
        Ok(Arc::clone(found))
    }

    async fn ask(&self, request: &ImageRequest) -> Result<Found, ResolveError> {
        let found = match self.0.layouts.get(&request.reference) {
            Some(layout) => self.read_layout(request, layout.clone()).await?,
            None => self.ask_registry(request).await?,
        };
        let (layers, diff_ids) = (found.base.layers.len(), found.config.rootfs.diff_ids.len());
        if layers != diff_ids {
            let reference = request.reference.clone();
            return Err(ResolveError::Layers { reference, layers, diff_ids });
        }
        let platform = Platform {
            os: found.config.os.clone(),
            architecture: found.config.architecture.clone(),
            variant: found.config.variant.clone(),
        };
        if platform.os != request.platform.os
            || platform.architecture != request.platform.architecture
        {
            return Err(ResolveError::Platform {
                reference: request.reference.clone(),
                found: platform,
                wanted: request.platform.clone(),
            });
        }
        Ok(found)
    }

    async fn ask_registry(&self, request: &ImageRequest) -> Result<Found, ResolveError> {
        let resolved = self.0.client.resolve(&request.reference, &request.platform).await?;
        Ok(Found {
            reference: request.reference.clone(),
            digest: resolved.digest,
            base: BaseImage::of(&resolved),
            config: resolved.config,
            mirror: (resolved.place != request.reference).then_some(resolved.place),
            passed_over: resolved.passed_over,
        })
    }

    async fn read_layout(
        &self,
        request: &ImageRequest,
        layout: Layout,
    ) -> Result<Found, ResolveError> {
        let platform = request.platform.clone();
        let open = move || LayoutImage::open(&layout.directory, layout.tag.as_deref(), &platform);
        let image = tokio::task::spawn_blocking(open).await.map_err(|_| ResolveError::Worker)??;
        Ok(Found {
            reference: request.reference.clone(),
            digest: image.digest,
            base: image.base(),
            config: image.config,
            mirror: None,
            passed_over: Vec::new(),
        })
    }
}

impl Found {
    /// The layers with where they are, lowest first.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&Descriptor, &LayerSource)> {
        self.base.layers.iter().zip(&self.base.sources)
    }
}
