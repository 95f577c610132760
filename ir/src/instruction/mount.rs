//! A mount of a `RUN`, as it is written.

use serde::{Deserialize, Serialize};

use super::Text;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Template;

/// `RUN --mount=key=value,…`. Its values may hold variables, `type` among them, so it gets its
/// type only when it is expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// In order, those whose key is known.
    pub fields: Vec<MountField>,
    /// The others: wrong only where the stage is needed, as their values are.
    pub unreadable: Vec<UnreadableField>,
    /// The flag.
    pub span: Span,
}

/// A field of a mount with a key that there is not, or with no value where the key needs one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableField {
    /// As written.
    pub text: Text,
    /// What is wrong with it.
    pub problem: Diagnostic,
}

/// One `key=value` of a mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountField {
    /// Which key, spellings of one key made one.
    pub key: MountKey,
    /// None for a key alone (`ro`).
    pub value: Option<Template>,
    /// Where it stands.
    pub span: Span,
}

/// The keys of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKey {
    /// `type`.
    Type,
    /// `from`; its variables are the global ones.
    From,
    /// `source`, `src`.
    Source,
    /// `target`, `dst`, `destination`.
    Target,
    /// `readonly`, `ro`.
    Readonly,
    /// `readwrite`, `rw`.
    Readwrite,
    /// `id`.
    Id,
    /// `sharing`.
    Sharing,
    /// `required`.
    Required,
    /// `size`.
    Size,
    /// `mode`.
    Mode,
    /// `uid`.
    Uid,
    /// `gid`.
    Gid,
    /// `env`.
    Env,
    /// `z`, `Z` and `relabel`: accepted for buildah's sake; there is nothing to relabel here.
    Relabel,
}
