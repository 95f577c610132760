//! What fuzz targets reach and nobody else may: there under `--cfg fuzzing` only.

use std::path::Path;

use crate::CancellationToken;
use crate::layer::{self, Ahead, Bounds, Coming, Decompression, LayerError, UnpackLimits};
use crate::rootdir::RootDir;

pub use crate::layer::fuzzing::{read_in_steps, records, rewritten};

/// Applies a blob to the directory `root` as a layer. With `aside`, a new directory beside the
/// root, its files are made there ahead of its turn.
pub fn unpack_layer(blob: &[u8], root: &Path, aside: Option<&Path>) -> Result<(), LayerError> {
    let bounds = Bounds { limits: UnpackLimits::default(), cancel: &CancellationToken::new() };
    let blob = start(blob)?;
    let layer = match aside {
        Some(aside) => Coming::Ahead(Ahead::start(blob, aside.to_owned(), bounds)?),
        None => Coming::Now(blob),
    };
    layer::unpack(layer, &open(root), bounds).map(drop)
}

/// Unpacks a blob into `into`, a path within the directory `root`, as `ADD` does.
pub fn unpack_archive(
    blob: &[u8],
    root: &Path,
    into: &Path,
    owner: Option<(u32, u32)>,
) -> Result<(), LayerError> {
    let bounds = Bounds { limits: UnpackLimits::default(), cancel: &CancellationToken::new() };
    layer::unpack_archive(start(blob)?, &open(root), into, owner, bounds).map(drop)
}

fn start(blob: &[u8]) -> Result<Decompression, LayerError> {
    Decompression::start(std::io::Cursor::new(blob.to_vec()), UnpackLimits::default())
}

fn open(root: &Path) -> RootDir {
    RootDir::open(root).expect("the target has just made it")
}
