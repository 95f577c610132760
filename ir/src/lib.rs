//! The shared vocabulary: what a Dockerfile says ([`Program`]), what a build will do ([`Graph`]),
//! and how problems in the text are told ([`Diagnostic`]).
//!
//! Pure data. The grammar produces a [`Program`], the planner turns it into a [`Graph`], the
//! runtime executes that; none of them knows another, all of them know this crate.

pub mod diagnostic;
pub mod instruction;
pub mod platform;
pub mod program;
pub mod source;
pub mod template;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use instruction::Instruction;
pub use platform::{Platform, PlatformError};
pub use program::{Program, Stage, Statement};
pub use source::{Source, Span};
pub use template::Template;
