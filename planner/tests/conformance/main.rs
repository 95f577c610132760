//! BuildKit's answers, table by table and row by row.
//!
//! What agreement means is in the `README.md` of the tables. Two tables need what no other crate
//! may see: words that are split are checked in `planner/src/pass/expand/conformance.rs`, ignore
//! patterns in `runtime/src/context/ignore/conformance.rs`.

#![expect(clippy::unwrap_used, reason = "a row that cannot be read differs")]

mod edge_cases;
mod giturl;
mod heredoc;
mod lex;
mod tiny;
