//! The passes, in the order in which [`plan`](crate::plan) runs them.

pub(crate) mod expand;
pub(crate) mod key;
pub(crate) mod lower;
pub(crate) mod prune;
pub(crate) mod resolve;
pub(crate) mod schedule;
