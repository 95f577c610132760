//! What the operations of a graph do to a root.

mod chmod;
pub(crate) mod copy;
mod directories;
mod glob;
pub(crate) mod inline;
pub(crate) mod mkdir;
mod refused;

pub use chmod::ModeError;
pub use copy::CopyError;
pub use inline::InlineError;
pub use mkdir::MkdirError;
