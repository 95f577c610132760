//! What a step sees beside its root.

use super::Case;

pub(crate) const EVERYWHERE: &[Case] = &[];
pub(crate) const NAMESPACES: &[Case] = &[];
