//! What fuzz targets reach and nobody else may: there under `--cfg fuzzing` only.

use std::path::Path;

use crate::CancellationToken;
use crate::layer::{self, LayerError};
use crate::rootdir::RootDir;

pub use crate::layer::fuzzing::{read_in_steps, records, rewritten};

/// Applies a blob to the directory `root` as a layer.
pub fn unpack_layer(blob: &[u8], root: &Path) -> Result<(), LayerError> {
    layer::unpack(blob, &open(root), &CancellationToken::new()).map(drop)
}

/// Unpacks a blob into `into`, a path within the directory `root`, as `ADD` does.
pub fn unpack_archive(
    blob: &[u8],
    root: &Path,
    into: &Path,
    owner: Option<(u32, u32)>,
) -> Result<(), LayerError> {
    layer::unpack_archive(blob, &open(root), into, owner, &CancellationToken::new()).map(drop)
}

fn open(root: &Path) -> RootDir {
    RootDir::open(root).expect("the target has just made it")
}
