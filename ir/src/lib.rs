//! The shared vocabulary: what a Dockerfile says ([`Program`]), what a build will do ([`Graph`]),
//! and how problems in the text are told ([`Diagnostic`]).
//!
//! Pure data. The grammar produces a [`Program`], the planner turns it into a [`Graph`], the
//! runtime executes that; none of them knows another, all of them know this crate.

mod boolean;
pub mod check;
pub mod config;
pub mod diagnostic;
pub mod digest;
pub mod facts;
pub mod graph;
pub mod instruction;
pub mod json;
pub mod op;
pub mod pattern;
pub mod platform;
pub mod program;
pub mod reference;
mod size;
pub mod source;
pub mod suggest;
pub mod template;
mod text;
mod unplaced;
pub mod verify;

pub use boolean::parse_bool;
pub use check::Check;
pub use config::{ConfigFile, ContainerConfig, HistoryEntry};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use digest::{DiffId, Digest, DigestError};
pub use facts::{Facts, ImageFacts, ImageRequest};
pub use graph::{Graph, Node, NodeId, Origin, StageHistory};
pub use instruction::Instruction;
pub use op::Op;
pub use platform::{Platform, PlatformError};
pub use program::{Program, Stage, Statement};
pub use reference::{ImageRef, ReferenceError, RegistryPath};
pub use size::parse_size;
pub use source::{Source, Span};
pub use template::Template;
