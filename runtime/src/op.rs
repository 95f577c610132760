//! What the operations of a graph do to a root.

pub(crate) mod chmod;
pub(crate) mod copy;
pub(crate) mod directories;
pub(crate) mod glob;
pub(crate) mod inline;
pub(crate) mod mkdir;
