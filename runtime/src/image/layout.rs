//! Directories in the OCI image layout (image-spec, `image-layout.md`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use ir::Digest;
use tokio_util::sync::CancellationToken;

use super::partial::{self, Partial};
use super::{ExportError, Image};
use crate::cancel::Checked;
use crate::registry::{Descriptor, Index, media_type};
use crate::store::Store;

mod read;

pub use read::{LayoutError, LayoutImage};

/// Bytes written at a time.
const BUFFER: usize = 1 << 18;

const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
const VERSION: &str = "1.0.0";
const REFERENCE_NAME: &str = "org.opencontainers.image.ref.name";

/// Writes an image to a directory, made if it is missing. Blocks, until `cancel` is triggered.
///
/// A layout that is there already keeps its blobs and has its index replaced, as the last step.
/// `name` is what other tools then call the image by (`oci:DIRECTORY:NAME`). Every layer must be
/// on this machine.
pub fn write(
    image: &Image,
    to: &Path,
    name: Option<&str>,
    store: &Store,
    cancel: &CancellationToken,
) -> Result<(), ExportError> {
    let error = |source| ExportError::Write { to: to.to_owned(), source };
    fs::create_dir_all(blob_path(to, &image.digest).parent().expect("blobs have a directory"))
        .map_err(error)?;
    for layer in &image.layers {
        let (digest, size) = (&layer.descriptor.digest, layer.descriptor.size);
        let path = blob_path(to, digest);
        if !is_there(&path, size) {
            let mut content = Checked::new(layer.open(store, to)?, cancel);
            // Not a link into the store: who owns the layout may change its files.
            copy(&mut content, &path).map_err(error)?;
        }
    }
    for (digest, bytes) in
        [(&image.config.digest, &image.config_bytes), (&image.digest, &image.manifest_bytes)]
    {
        partial::write(&blob_path(to, digest), bytes).map_err(error)?;
    }
    let mut manifest =
        Descriptor::new(&image.media_type, image.digest, image.manifest_bytes.len() as u64);
    manifest.annotations =
        name.map(|name| (REFERENCE_NAME.to_owned(), name.to_owned())).into_iter().collect();
    let index = Index {
        schema_version: 2,
        media_type: Some(media_type::OCI_INDEX.to_owned()),
        manifests: vec![manifest],
        annotations: BTreeMap::new(),
        extra: BTreeMap::new(),
    };
    let index = serde_json::to_vec(&index).expect("an index has strings for keys");
    let marker = format!("{{\"imageLayoutVersion\":\"{VERSION}\"}}");
    partial::write(&to.join(MARKER), marker.as_bytes()).map_err(error)?;
    partial::write(&to.join(INDEX), &index).map_err(error)
}

/// Where a blob of a layout lies.
fn blob_path(layout: &Path, digest: &Digest) -> PathBuf {
    layout.join("blobs/sha256").join(digest.hex())
}

/// Whether a file with the name of a blob is the blob: it appeared by a rename, whole.
fn is_there(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|known| known.is_file() && known.len() == size)
}

fn copy(content: &mut impl io::Read, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER, Partial::create(path)?);
    io::copy(content, &mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
}
