//! Layers: from a change set to a blob, and from a blob to a tree.

mod decompress;
pub(crate) mod entry;
mod error;
mod gzip;
pub(crate) mod metadata;
mod pack;
mod pipe;
mod tar_read;
mod tar_write;

pub use error::LayerError;
pub use pack::{Compression, Layer};
pub use tar_read::{TarError, TarProblem};

pub(crate) use pack::pack;
