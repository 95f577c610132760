//! The tar that `docker save` writes, which `docker load`, podman and skopeo (`docker-archive:`)
//! read.
//!
//! Docker image-spec v1.2: `manifest.json` names the config and the layers by their paths in the
//! archive. Layers are stored compressed, as they are pushed; every reader looks at their first
//! bytes.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Read};
use std::path::Path;

use ir::ImageRef;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::partial::Partial;
use super::{ExportError, Image, ImageLayer};
use crate::cancel::Checked;
use crate::store::Store;

/// Bytes written at a time.
const BUFFER: usize = 1 << 18;

/// An entry of `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Writes an image to an archive that appears whole or not at all. Blocks, until `cancel` is
/// triggered.
///
/// Every layer must be on this machine. Names without a tag are left out, as the format has no
/// place for them.
pub fn write(
    image: &Image,
    to: &Path,
    names: &[ImageRef],
    store: &Store,
    cancel: &CancellationToken,
) -> Result<(), ExportError> {
    let error = |source| ExportError::Write { to: to.to_owned(), source };
    let config = format!("{}.json", image.config.digest.hex());
    let manifest = [Entry {
        config: config.clone(),
        repo_tags: names.iter().filter_map(tagged).collect(),
        layers: image.layers.iter().map(layer_name).collect(),
    }];
    let manifest = serde_json::to_vec(&manifest).expect("an entry has strings only");

    let file = Partial::create(to).map_err(error)?;
    let mut archive = tar::Builder::new(BufWriter::with_capacity(BUFFER, file));
    append(&mut archive, &config, image.config_bytes.len() as u64, &image.config_bytes[..])
        .map_err(error)?;
    let mut written = BTreeSet::new();
    for layer in &image.layers {
        if written.insert(layer.descriptor.digest) {
            let file = Checked::new(layer.open(store, to)?, cancel);
            append(&mut archive, &layer_name(layer), layer.descriptor.size, file).map_err(error)?;
        }
    }
    append(&mut archive, "manifest.json", manifest.len() as u64, &manifest[..]).map_err(error)?;
    let file = archive.into_inner().map_err(error)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(Partial::commit)
        .map_err(error)
}

/// `registry/repository:tag`.
fn tagged(name: &ImageRef) -> Option<String> {
    name.tag().map(|tag| format!("{}:{tag}", name.name()))
}

/// kaniko's name, whatever the compression: readers do not look at it.
fn layer_name(layer: &ImageLayer) -> String {
    format!("{}.tar.gz", layer.descriptor.digest.hex())
}

/// Appends a file with nothing in its header that another build of the same image would not have.
fn append(
    archive: &mut tar::Builder<BufWriter<Partial>>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    archive.append_data(&mut header, name, content)
}
