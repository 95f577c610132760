//! What whole-program tests need: the built binary in an environment of its own, a registry, base
//! images made on the spot, and other people's tools to read back what was built.
//!
//! And [`conformance`], for tests of other packages that compare with BuildKit.
//!
//! Nothing here knows how kaniko works inside. A tool that is missing is an error that names it,
//! never a test that passes; `tests/run` installs them all.

pub mod base;
pub mod built;
pub mod conformance;
pub mod git;
pub mod kaniko;
pub mod layout;
pub mod process;
pub mod registry;
pub mod server;
pub mod tool;
pub mod tree;
