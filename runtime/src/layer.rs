//! Layers: from a change set to a blob, and from a blob to a tree.

pub(crate) mod entry;
pub(crate) mod metadata;
