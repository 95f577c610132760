//! Build contexts: local directories behind a `.dockerignore`, files from URLs, files from the Dockerfile.

mod error;
pub(crate) mod http;
mod http_date;
pub(crate) mod source;

pub use error::ContextError;
