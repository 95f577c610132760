//! Executes a graph: [`ir::Graph`] → layers → image. The only crate that touches the world.
//!
//! It prints nothing, reads no environment and no clock: what it has to say goes out as
//! [`event::Event`]s, what it must know comes in as settings.

pub mod build;
pub(crate) mod cancel;
pub mod cause;
pub(crate) mod content;
pub mod context;
pub mod doctor;
pub mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod image;
pub mod layer;
pub mod op;
pub mod registry;
pub(crate) mod remove;
pub mod resolve;
pub(crate) mod rootdir;
pub mod sandbox;
pub mod schedule;
pub mod snapshot;
pub mod store;
pub mod users;

pub use tokio_util::sync::CancellationToken;
