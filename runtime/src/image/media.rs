//! Media types of Docker's schema 2 and of OCI, and how one becomes the other.

use crate::layer::Compression;
use crate::registry::media_type as known;

/// Docker's name of a layer type and OCI's. `None`: no client of Docker's schema 2 knows one.
const LAYERS: [(Option<&str>, &str); 5] = [
    (Some(known::DOCKER_LAYER_GZIP), known::OCI_LAYER_GZIP),
    (Some(known::DOCKER_LAYER), known::OCI_LAYER),
    (
        Some("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ),
    (
        Some("application/vnd.docker.image.rootfs.foreign.diff.tar"),
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
    ),
    (None, known::OCI_LAYER_ZSTD),
];

/// A family of media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Docker image manifest version 2, schema 2.
    Docker,
    /// OCI image-spec 1.
    Oci,
}

impl Family {
    /// The family that a manifest's type belongs to.
    pub(super) fn of_manifest(media_type: &str) -> Self {
        if media_type == known::DOCKER_MANIFEST { Self::Docker } else { Self::Oci }
    }

    pub(super) fn manifest(self) -> &'static str {
        match self {
            Self::Docker => known::DOCKER_MANIFEST,
            Self::Oci => known::OCI_MANIFEST,
        }
    }

    pub(super) fn config(self) -> &'static str {
        match self {
            Self::Docker => known::DOCKER_CONFIG,
            Self::Oci => known::OCI_CONFIG,
        }
    }

    /// The type of a layer in this family: translated where it is of the other, else as it is.
    pub(super) fn layer(self, media_type: &str) -> &str {
        let same = |(docker, oci): &&(Option<&'static str>, &'static str)| {
            *oci == media_type || docker.is_some_and(|docker| docker == media_type)
        };
        match (LAYERS.iter().find(same), self) {
            (Some((Some(docker), _)), Self::Docker) => docker,
            (Some((_, oci)), Self::Oci) => oci,
            (Some((None, _)), Self::Docker) | (None, _) => media_type,
        }
    }
}

/// OCI's type of a layer that this builder made.
pub(super) fn layer(compression: Compression) -> &'static str {
    match compression {
        Compression::None => known::OCI_LAYER,
        Compression::Gzip { .. } => known::OCI_LAYER_GZIP,
        Compression::Zstd { .. } => known::OCI_LAYER_ZSTD,
    }
}

/// Whether a layer is to be had from its vendor only, and no registry wants it.
pub(super) fn is_foreign(media_type: &str) -> bool {
    media_type.contains(".foreign.") || media_type.contains(".nondistributable.")
}

/// Whether only OCI has a name for this type of layer.
pub(super) fn is_oci_only(media_type: &str) -> bool {
    media_type == known::OCI_LAYER_ZSTD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_types_are_translated_and_back() {
        for (docker, oci) in LAYERS {
            let Some(docker) = docker else { continue };
            assert_eq!(Family::Oci.layer(docker), oci);
            assert_eq!(Family::Docker.layer(oci), docker);
            assert_eq!(Family::Docker.layer(docker), docker);
            assert_eq!(Family::Oci.layer(oci), oci);
        }
    }

    #[test]
    fn what_has_no_counterpart_stays() {
        assert_eq!(Family::Docker.layer(known::OCI_LAYER_ZSTD), known::OCI_LAYER_ZSTD);
        assert_eq!(Family::Oci.layer("application/x"), "application/x");
    }
}
