//! BuildKit's answers, table by table and row by row.
//!
//! What agreement means is in the `README.md` of the tables. Words that are split are seen from
//! within the planner alone: `planner/src/pass/expand/conformance.rs` checks them.

#![expect(clippy::unwrap_used, reason = "a row that cannot be read fails its test")]

mod edge_cases;
mod giturl;
mod heredoc;
mod ignore;
mod lex;
mod tiny;
