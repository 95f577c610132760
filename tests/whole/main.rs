//! Whole-program tests: Dockerfiles in, images out, read back by other people's tools.
//!
//! They need root, Debian's tools (`tests/run` installs them) and the built binary.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod alone;
mod attacks;
mod attacks_in_place;
mod busybox;
mod changes;
mod commands;
mod configs;
mod contexts;
mod copies;
mod debian;
mod destinations;
mod diagnostics;
mod doctor;
mod environment;
mod environments;
mod harness;
mod hostile;
mod hostile_contexts;
mod in_place;
mod instructions;
mod kept;
mod language;
mod linked;
mod logins;
mod lookup;
mod mirrors;
mod output;
mod parallel;
mod refused;
mod rules;
mod screens;
mod snapshotter;
