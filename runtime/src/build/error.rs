//! Why a build failed, with the node it failed at.

use std::io;
use std::path::PathBuf;

use ir::{DiffId, Digest, ImageRef, NodeId, Origin};

use crate::context::{ContextError, GitError};
use crate::image::ExportError;
use crate::layer::LayerError;
use crate::op::{CopyError, InlineError, MkdirError};
use crate::registry::RegistryError;
use crate::resolve::ResolveError;
use crate::sandbox::SandboxError;
use crate::snapshot::SnapshotError;
use crate::store::StoreError;

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A node could not do what it should.
    #[error("{source}")]
    Node {
        /// Which.
        node: NodeId,
        /// Where it was asked for.
        origin: Box<Origin>,
        /// What happened.
        source: Box<NodeError>,
    },
    /// No root can be made here.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Two choices that do not go together.
    #[error(
        "`--isolation {isolation}` needs the snapshotter `tree`; leave out `--snapshotter overlay`, \
         or the isolation"
    )]
    OverlayWithoutMounts {
        /// What steps run in.
        isolation: &'static str,
    },
    /// The image did not get to a destination.
    #[error(transparent)]
    Export(#[from] Box<ExportError>),
    /// A layer of the base could not be fetched for the export.
    #[error(transparent)]
    Registry(#[from] Box<RegistryError>),
    /// The build was stopped from outside.
    #[error("the build was stopped")]
    Cancelled,
    /// A task died; its panic was reported.
    #[error("a worker died; this is a bug in kaniko")]
    Worker,
}

/// Why a node could not do what it should.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variants wrap errors that document themselves")]
pub enum NodeError {
    #[error("the command ended with exit status {status}")]
    Exit { status: u8 },
    #[error("the command was killed by signal {signal}")]
    Signal { signal: i32 },
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Inline(#[from] InlineError),
    #[error(transparent)]
    Mkdir(#[from] MkdirError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Resolve(#[from] Box<ResolveError>),
    #[error(transparent)]
    Registry(#[from] Box<RegistryError>),
    #[error("cannot {action} `{}`", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot unpack layer {number} of `{reference}` ({digest})")]
    Unpack { reference: Box<ImageRef>, number: usize, digest: Digest, source: LayerError },
    #[error("cannot unpack `{reference}`: a layer is {found}, but its config says {expected}")]
    DiffId { reference: Box<ImageRef>, found: DiffId, expected: DiffId },
    #[error("`{reference}` was planned without asking its registry; plan again with `--resolve`")]
    Unresolved { reference: ImageRef },
    #[error("there is no context named `{name}`")]
    NoContext { name: String },
    #[error(transparent)]
    Git(#[from] Box<GitError>),
    #[error("the secret `{id}` was not given; pass it with `--secret id={id},src=FILE`")]
    NoSecret { id: String },
    #[error("the ssh agent `{id}` was not given; pass it with `--ssh {id}`")]
    NoAgent { id: String },
    #[error("cancelled")]
    Cancelled,
    #[error("a worker died; this is a bug in kaniko")]
    Worker,
}

impl BuildError {
    /// What the process ends with: the status of a failed command, 128 and the signal of a killed
    /// one, 1 for everything else.
    pub fn status(&self) -> u8 {
        let Self::Node { source, .. } = self else { return 1 };
        if let NodeError::Exit { status } = **source {
            status
        } else if let NodeError::Signal { signal } = **source {
            u8::try_from(128 + signal).unwrap_or(u8::MAX)
        } else {
            1
        }
    }
}

/// Large errors are kept in boxes, so that a result without one stays small.
macro_rules! boxed {
    ($($error:ident in $($whole:ident),*;)*) => {$($(
        impl From<$error> for $whole {
            fn from(error: $error) -> Self {
                Box::new(error).into()
            }
        }
    )*)*};
}

boxed! {
    GitError in NodeError;
    ResolveError in NodeError;
    RegistryError in NodeError, BuildError;
    ExportError in BuildError;
}
