//! Why a registry could not be used, and what to do about it.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ir::{Digest, ImageRef};

use super::credentials::HelperError;
use crate::snapshot::chain;
use crate::store::StoreError;

/// An error of any kind, as a cause.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// Why a registry could not be used. An `object` names what was asked for, with its registry:
/// an image, or a blob of a repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry does not have it.
    #[error("cannot find {object}: {message}; check its name, tag and registry")]
    NotFound {
        /// What was asked for.
        object: String,
        /// The registry's words.
        message: String,
    },
    /// The registry does not let just anyone have it, or does not have it.
    #[error(
        "cannot access {object}: `{registry}` asks for credentials, and none were found for \
         it{places}; log in to it, or check the name ({message})"
    )]
    CredentialsNeeded {
        /// What was asked for.
        object: String,
        /// Whose credentials are missing.
        registry: String,
        /// Where they were looked for: ` in …`, or nothing.
        places: Box<str>,
        /// The registry's words.
        message: String,
        /// Why a credential helper gave none, if one was asked.
        source: Option<Box<HelperError>>,
    },
    /// The registry does not accept who asks, or does not let them have it.
    #[error(
        "cannot access {object}: `{registry}` refuses the credentials of {who}: {message}; check \
         that they are current and allow it"
    )]
    CredentialsRefused {
        /// What was asked for.
        object: String,
        /// Who refuses.
        registry: String,
        /// Whose credentials, and where they were found.
        who: Box<str>,
        /// The registry's words.
        message: String,
        /// Why a credential helper that comes before gave none, if one was asked.
        source: Option<Box<HelperError>>,
    },
    /// It is refused, and no credentials are asked for.
    #[error(
        "cannot access {object}: `{registry}` refuses it to everyone, without asking for \
         credentials: {message}; check its name, and what is between"
    )]
    Forbidden {
        /// What was asked for.
        object: String,
        /// Who refuses.
        registry: String,
        /// The words of whoever answered.
        message: String,
    },
    /// The image is for other platforms.
    #[error("cannot find an image for `{wanted}` in `{reference}`: it has {}", list(available))]
    NoPlatform {
        /// As asked for.
        reference: String,
        /// As asked for.
        wanted: String,
        /// What there is, sorted.
        available: Vec<String>,
    },
    /// The registry does not answer, or breaks off.
    #[error("cannot reach registry `{registry}` in {}", attempts_text(*attempts))]
    Unreachable {
        /// Who does not answer.
        registry: String,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong the last time.
        source: Cause,
    },
    /// TLS does not prove that the registry is who it should be.
    #[error(
        "cannot trust registry `{registry}`: give its certificate authority with \
         `--registry-certificate {registry}=FILE`, or do without proof with \
         `--skip-tls-verify-registry {registry}`"
    )]
    Untrusted {
        /// Who.
        registry: String,
        /// What is wrong with its certificate.
        source: Cause,
    },
    /// The registry sent something else than what has the digest.
    #[error(
        "cannot use {object}: its content has the digest `{got}`, which is not `{expected}` \
         ({}); the registry or something on the way corrupts it", attempts_text(*attempts)
    )]
    Digest {
        /// What was asked for.
        object: String,
        /// As asked for.
        expected: Digest,
        /// Of what came.
        got: Digest,
        /// How often it was fetched.
        attempts: u32,
    },
    /// The registry sent more or fewer bytes than it said.
    #[error(
        "cannot use {object}: it has {got} bytes instead of {expected} ({})",
        attempts_text(*attempts)
    )]
    Size {
        /// What was asked for.
        object: String,
        /// As announced.
        expected: u64,
        /// That came.
        got: u64,
        /// How often it was fetched.
        attempts: u32,
    },
    /// It is larger than anything sensible.
    #[error("cannot read {object}: it is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        object: String,
        /// The most that is read.
        limit: u64,
    },
    /// It is no container image.
    #[error("cannot use {object}: {hint} (media type `{media_type}`)")]
    MediaType {
        /// What was asked for.
        object: String,
        /// What it is.
        media_type: String,
        /// What that means.
        hint: &'static str,
    },
    /// It does not say what it should.
    #[error("cannot read {object}")]
    Malformed {
        /// What was read.
        object: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// The registry answers with an error.
    #[error(
        "cannot {verb} {object}: `{registry}` answers {status} in {}: {message}",
        attempts_text(*attempts)
    )]
    Server {
        /// What was tried (`pull`, `push`).
        verb: &'static str,
        /// With what.
        object: String,
        /// Who answers.
        registry: String,
        /// HTTP status.
        status: u16,
        /// The registry's words.
        message: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A blob to push cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A certificate of the settings cannot be used.
    #[error("cannot use the certificate `{path}` for registry `{registry}`")]
    Certificate {
        /// Whose.
        registry: String,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: Cause,
    },
    /// No HTTP client can be made.
    #[error("cannot set up HTTP and TLS")]
    Setup {
        /// Why not.
        source: reqwest::Error,
    },
    /// What came cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has mirrors, and is to be had at none of its places.
    #[error("cannot get {object}: {}{}", reasons(tried), not_asked_text(not_asked.as_deref()))]
    Nowhere {
        /// What was asked for.
        object: String,
        /// Every place that was tried, in order.
        tried: Vec<PassedOver>,
        /// The registry that its name says, where that is not to be asked itself.
        not_asked: Option<String>,
    },
}

/// A place that did not give what was looked for.
#[derive(Debug)]
pub struct PassedOver {
    /// The image there.
    pub place: ImageRef,
    /// Why not.
    pub error: RegistryError,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at `{}`: {}", self.place, chain(&self.error))
    }
}

impl RegistryError {
    /// Whether it is about the place that was asked, so that another may do better; not about this
    /// machine.
    pub(super) fn is_of_place(&self) -> bool {
        !matches!(
            self,
            Self::Read { .. }
                | Self::Certificate { .. }
                | Self::Setup { .. }
                | Self::Store(_)
                | Self::Nowhere { .. }
        )
    }

    /// Whether the registry said nothing for as long as one waits.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is::<Silence>())
    }

    /// The same error of a last attempt, which was the n-th.
    pub(super) fn after(mut self, number: u32) -> Self {
        if let Self::Unreachable { attempts, .. }
        | Self::Digest { attempts, .. }
        | Self::Size { attempts, .. }
        | Self::Server { attempts, .. } = &mut self
        {
            *attempts = number;
        }
        self
    }

    /// Whether a registry refuses to have a tag lead to something else than before. There is no code
    /// for it: each has its own words (Google, Amazon, Harbor).
    pub(crate) fn is_immutable_tag(&self) -> bool {
        if let Self::CredentialsRefused { message, .. }
        | Self::Forbidden { message, .. }
        | Self::Server { message, status: 400..=499, .. } = self
        {
            return message.to_ascii_lowercase().contains("immutab");
        }
        false
    }
}

/// Why one attempt failed, and whether another may help.
#[derive(Debug)]
pub(super) struct Failure {
    /// Why; it counts one attempt.
    pub error: RegistryError,
    /// Whether to try again.
    pub retry: Retry,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// No.
    Never,
    /// Yes, and not before the registry's `Retry-After`.
    After(Option<Duration>),
}

impl Failure {
    /// One that may not be there the next time.
    pub(super) fn transient(error: RegistryError) -> Self {
        Self { error, retry: Retry::After(None) }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self { error, retry: Retry::Never }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        RegistryError::from(error).into()
    }
}

/// What is wrong with something that was read, where no library says it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Flaw(pub &'static str);

/// A peer that says nothing any more.
#[derive(Debug, thiserror::Error)]
#[error("nothing came for {} seconds", .0.as_secs())]
pub(super) struct Silence(pub Duration);

fn attempts_text(number: u32) -> String {
    if number == 1 { "1 attempt".to_owned() } else { format!("{number} attempts") }
}

fn reasons(tried: &[PassedOver]) -> String {
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn not_asked_text(registry: Option<&str>) -> String {
    registry.map_or_else(String::new, |registry| {
        format!("; `{registry}` itself is not asked (`--skip-default-registry-fallback`)")
    })
}

fn list(available: &[String]) -> String {
    if available.is_empty() { "none".to_owned() } else { available.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_have_their_own_words_for_an_immutable_tag() {
        let answer = |status: u16, message: &str| RegistryError::Server {
            verb: "push",
            object: "`r.io/a:1`".to_owned(),
            registry: "r.io".to_owned(),
            status,
            message: message.to_owned(),
            attempts: 1,
        };
        let amazon = "the image tag '1' already exists in the 'a' repository and cannot be \
            overwritten because the repository is immutable";
        let google = "cannot update tag 1. The repository has enabled tag immutability";
        assert!(answer(400, amazon).is_immutable_tag());
        assert!(answer(400, google).is_immutable_tag());
        assert!(answer(412, "Configured as IMMUTABLE, cannot be updated").is_immutable_tag());
        assert!(!answer(400, "manifest invalid").is_immutable_tag());
        assert!(!answer(500, google).is_immutable_tag());
    }
}
