//! Layers: from a change set to a blob, and from a blob to a tree.

mod decompress;
pub(crate) mod entry;
mod error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod gzip;
mod limits;
pub(crate) mod metadata;
mod pack;
mod path;
mod pipe;
mod tar_read;
mod tar_write;
#[cfg(test)]
pub(crate) mod testing;
mod unpack;

pub use error::LayerError;
pub use limits::UnpackLimits;
pub use pack::{Compression, Layer};
pub use tar_read::{TarError, TarProblem};

pub(crate) use decompress::{ARCHIVE_HEAD, is_archive};
pub(crate) use limits::Bounds;
pub(crate) use pack::pack;
pub(crate) use unpack::{Ahead, Coming, Decompression, unpack, unpack_archive};
