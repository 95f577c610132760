//! What planning must know of the world, as plain data that the caller has fetched.

use std::collections::BTreeMap;

use crate::config::ConfigFile;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::platform::Platform;
use crate::program::Statement;
use crate::reference::ImageRef;

/// The world, as far as it was asked for. Empty in a dry run without a network.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Images by what was asked for.
    pub images: BTreeMap<ImageRequest, ImageFacts>,
}

/// An image whose config a plan needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRequest {
    /// As the Dockerfile names it, canonical.
    pub reference: ImageRef,
    /// Which image of an index.
    pub platform: Platform,
}

/// What a registry said about an image.
#[derive(Clone, Debug)]
pub struct ImageFacts {
    /// Digest of the image's manifest for the platform (not of an index).
    pub digest: Digest,
    /// Its config.
    pub config: ConfigFile,
    /// Its `OnBuild` triggers, parsed; their spans mean nothing.
    pub triggers: Vec<Result<Statement, Vec<Diagnostic>>>,
}
