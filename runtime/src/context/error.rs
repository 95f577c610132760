//! Why a build context is not to be had.

use std::io;
use std::path::PathBuf;

use ir::Digest;
use ir::pattern::PatternError;

use crate::registry::RegistryError;

/// Why a build context is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The context's directory cannot be opened.
    #[error("cannot open build context `{}`", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A pattern of the `.dockerignore` is malformed.
    #[error("cannot use `.dockerignore`")]
    Ignore(#[from] PatternError),
    /// The server answered with an error.
    #[error("cannot fetch `{url}`: the server answered {status}")]
    Status {
        /// Without credentials and query.
        url: String,
        /// What it answered.
        status: reqwest::StatusCode,
    },
    /// The server wants to know who asks.
    #[error(
        "cannot fetch `{url}`: the server answered {status}; \
         `--secret id=HTTP_AUTH_TOKEN_{host},src=FILE` gives it a token"
    )]
    Unauthorized {
        /// Without credentials and query.
        url: String,
        /// What it answered.
        status: reqwest::StatusCode,
        /// Its name.
        host: String,
    },
    /// A secret is no header's value.
    #[error("cannot send secret `{id}` to a server: it has bytes that no header may have")]
    Authorization {
        /// Its id.
        id: String,
    },
    /// The URL is none.
    #[error("cannot fetch a URL that is none")]
    Url,
    /// No client can be made for the server.
    #[error("cannot speak to a server")]
    Client(#[from] RegistryError),
    /// The server redirects to no URL of http or https.
    #[error("cannot fetch `{url}`: the server redirects to what is no http URL")]
    Redirect {
        /// Without credentials and query.
        url: String,
    },
    /// The server redirects again and again.
    #[error("cannot fetch `{url}`: the server redirects too often")]
    Redirects {
        /// Without credentials and query.
        url: String,
    },
    /// The server could not be reached, or the answer broke off.
    #[error("cannot fetch `{url}`")]
    Transfer {
        /// Without credentials and query.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The content is not what it should be.
    #[error("cannot use `{url}`: its content is {found}, not {expected}")]
    Checksum {
        /// Without credentials and query.
        url: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// The name of the resulting file is none.
    #[error("cannot name a file `{name}`")]
    Name {
        /// The name.
        name: String,
    },
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The build was cancelled.
    #[error("cannot fetch `{url}`: the build was cancelled")]
    Cancelled {
        /// Without credentials and query.
        url: String,
    },
}
