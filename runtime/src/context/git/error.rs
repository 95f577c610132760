//! Why a tree of a git repository is not to be had.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a tree of a git repository is not to be had. No variant has credentials in it; what a server
/// or a repository says is shown without control characters.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The URL is of no repository that may be fetched.
    #[error("cannot fetch the git repository `{url}`: {reason}")]
    Url {
        /// As it is written, without password.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server could not be reached, or the connection broke off.
    #[error("cannot fetch the git repository `{url}`")]
    Transfer {
        /// Without credentials.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server says nothing any more.
    #[error("cannot fetch the git repository `{url}`: no answer for {} s", patience.as_secs())]
    Silent {
        /// Without credentials.
        url: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The server answered with an error.
    #[error("cannot fetch the git repository `{url}`: the server answered {status}")]
    Status {
        /// Without credentials.
        url: String,
        /// What it answered.
        status: reqwest::StatusCode,
    },
    /// The server wants to know who asks.
    #[error(
        "cannot fetch the git repository `{url}`: the server answered {status}; pass a token with \
         `--secret id=GIT_AUTH_TOKEN,src=FILE`, or one that only this host is given with \
         `--secret id=GIT_AUTH_TOKEN.{host},src=FILE`"
    )]
    CredentialsNeeded {
        /// Without credentials.
        url: String,
        /// With its port, if that is not the usual one.
        host: String,
        /// What it answered.
        status: reqwest::StatusCode,
    },
    /// The server knows who asks, and refuses.
    #[error(
        "cannot fetch the git repository `{url}`: the server answered {status} to the credentials \
         of {from}"
    )]
    CredentialsRefused {
        /// Without credentials.
        url: String,
        /// Where the credentials were found.
        from: String,
        /// What it answered.
        status: reqwest::StatusCode,
    },
    /// Credentials that cannot be sent.
    #[error("the secret `{id}` cannot be sent to a git server: it is no line of text")]
    Secret {
        /// Of the secret.
        id: String,
    },
    /// The server said something that a git server does not say, or refused what was asked for.
    #[error("cannot fetch the git repository `{url}`: {message}")]
    Protocol {
        /// Without credentials.
        url: String,
        /// What it said, or what is wrong with it.
        message: String,
    },
    /// There is no such branch or tag.
    #[error(
        "the git repository `{url}` has no branch or tag `{reference}`; a commit is named by all \
         40 of its digits"
    )]
    NoReference {
        /// Without credentials.
        url: String,
        /// What was looked for.
        reference: String,
    },
    /// There is nothing in the repository, or nothing is the default.
    #[error("the git repository `{url}` has no default branch; name a branch, a tag or a commit")]
    NoDefault {
        /// Without credentials.
        url: String,
    },
    /// There is no such commit.
    #[error("the git repository `{url}` has no commit `{commit}`")]
    NoCommit {
        /// Without credentials.
        url: String,
        /// What was looked for.
        commit: String,
    },
    /// The commit is not what it should be.
    #[error("cannot use the git repository `{url}`: its commit is {found}, not {expected}")]
    Checksum {
        /// Without credentials.
        url: String,
        /// What it should be, or begin with.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The repository is damaged, or made to do harm.
    #[error("cannot check out `{path}` of the git repository `{url}`: {reason}")]
    CheckOut {
        /// Without credentials.
        url: String,
        /// Within the repository.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such directory.
    #[error("the git repository `{url}` has no directory `{path}`")]
    NoDirectory {
        /// Without credentials.
        url: String,
        /// What was looked for.
        path: String,
    },
    /// A submodule could not be fetched.
    #[error("cannot check out the submodule `{path}`")]
    Submodule {
        /// Within the repository that has it.
        path: String,
        /// Why.
        source: Box<GitError>,
    },
    /// A repository over ssh, and nobody who knows the key.
    #[error(
        "cannot fetch the git repository `{url}`: it needs an ssh agent; pass one with `--ssh default`"
    )]
    NoAgent {
        /// Without credentials.
        url: String,
    },
    /// A repository over ssh, and no program for it.
    #[error("cannot fetch the git repository `{url}`: the program `ssh` cannot be started")]
    NoSsh {
        /// Without credentials.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The build was cancelled.
    #[error("cannot fetch the git repository `{url}`: the build was cancelled")]
    Cancelled {
        /// Without credentials.
        url: String,
    },
}

impl GitError {
    /// Whether another attempt may succeed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Transfer { .. } | Self::Silent { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 429)
            }
            Self::Url { .. }
            | Self::CredentialsNeeded { .. }
            | Self::CredentialsRefused { .. }
            | Self::Secret { .. }
            | Self::Protocol { .. }
            | Self::NoReference { .. }
            | Self::NoDefault { .. }
            | Self::NoCommit { .. }
            | Self::Checksum { .. }
            | Self::Write { .. }
            | Self::CheckOut { .. }
            | Self::NoDirectory { .. }
            | Self::Submodule { .. }
            | Self::NoAgent { .. }
            | Self::NoSsh { .. }
            | Self::Cancelled { .. } => false,
        }
    }
}

/// How much of what a stranger said is shown, in characters.
const LENGTH: usize = 300;

/// What a stranger said, for a terminal: without control characters, and not much of it.
pub(super) fn shown(text: &str) -> String {
    line(text).chars().take(LENGTH).collect()
}

/// The same, of a text that comes to the point at its end.
pub(super) fn shown_end(text: &str) -> String {
    let line = line(text);
    let start = line.char_indices().rev().take(LENGTH).last().map_or(0, |(start, _)| start);
    line[start..].to_owned()
}

fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
