//! What whole-program tests need: the built binary in an environment of its own, a registry, base
//! images made on the spot, and other people's tools to read back what was built.
//!
//! And for tests of other packages: [`conformance`], for those that compare with BuildKit, and
//! [`attack`].
//!
//! Nothing here knows how kaniko works inside. A tool that is missing is an error that names it,
//! never a test that passes; `tests/run` installs them all.

pub mod attack;
pub mod base;
pub mod built;
pub mod bundle;
pub mod conformance;
pub mod docker;
pub mod environment;
pub mod git;
pub mod kaniko;
pub mod layout;
pub mod process;
pub mod registry;
pub mod seccomp;
pub mod server;
pub mod suite;
pub mod tool;
pub mod tree;
pub mod user;
