//! Build contexts: local directories behind a `.dockerignore`, files from URLs, trees of git
//! repositories.

mod error;
pub(crate) mod git;
pub(crate) mod http;
mod http_date;
pub(crate) mod source;

pub use error::ContextError;
pub use git::GitError;
