//! Patterns over paths: what `.dockerignore`, `--exclude` and the wildcards of `COPY` mean.

mod ignore;
mod wildcard;

pub use ignore::Ignore;
pub use wildcard::{DoubleStar, PatternError, Wildcard, is_pattern, unescape};
