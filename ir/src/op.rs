//! Everything a build can do.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::graph::NodeId;
use crate::instruction::{Network, Security};
use crate::platform::Platform;
use crate::reference::ImageRef;

/// One operation on file systems.
///
/// An `Op` is exactly what a definition key covers: two equal `Op`s on equal inputs give the same
/// result. (Node ids excepted: they are local names, and the inputs' keys stand for them.) Where
/// it was written and how to describe it live in [`Origin`](crate::Origin), so they cannot reach
/// a key by accident.
///
/// Matches on `Op` have no `_` arm anywhere in this workspace: a new operation does not compile
/// until every pass has decided about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Op {
    /// An empty file system.
    Scratch,
    /// The file system of an image.
    Image(ImageOp),
    /// A named build context.
    Local(LocalOp),
    /// A tree of a git repository.
    Git(GitOp),
    /// A file from a URL.
    Http(HttpOp),
    /// Files given in the Dockerfile itself.
    Inline(InlineOp),
    /// A command in a root.
    Run(RunOp),
    /// Files copied into a root.
    Copy(CopyOp),
    /// A directory made in a root, for `WORKDIR`.
    Mkdir(MkdirOp),
    /// A layer that was made on its own, put on a root.
    Merge(MergeOp),
}

/// A base image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageOp {
    /// Its name, as asked for.
    pub reference: ImageRef,
    /// Digest of its manifest for the platform: in a key it stands for the name. None in a plan
    /// that was made without asking a registry; such a plan can be shown, not run.
    pub digest: Option<Digest>,
    /// Which image of an index.
    pub platform: Platform,
}

/// A build context on the builder's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalOp {
    /// `context`, or the name of a `--build-context`.
    pub name: String,
    /// Cleaned `.dockerignore` patterns, in order; the last that matches decides.
    pub ignore: Vec<String>,
}

/// A git tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a URL, any of which may be set")]
pub struct GitOp {
    /// Where to clone from, without fragment and query.
    pub url: String,
    /// Branch, tag or commit; none for the default branch.
    pub reference: Option<String>,
    /// Path within the repository; empty for all of it.
    pub subdirectory: String,
    /// Whether `.git` stays.
    pub keep_git_dir: bool,
    /// The commit, or a prefix of it, that must come out.
    pub checksum: Option<String>,
    /// Whether submodules are checked out.
    pub submodules: bool,
    /// Whether files get the time of their commit, not that of the checkout.
    pub commit_time: bool,
    /// Whether the commit that `checksum` names is fetched itself, as no reference may lead to it.
    pub fetch_by_commit: bool,
}

/// A file from a URL, mode 0600, its mtime the response's `Last-Modified`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpOp {
    /// `http` or `https`.
    pub url: String,
    /// Name of the file that results.
    pub filename: String,
    /// What its content must hash to.
    pub checksum: Option<Digest>,
}

/// Files of heredocs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineOp {
    /// In order; of two with one name both hold the last one's text.
    pub files: Vec<InlineFile>,
}

/// One file of an [`InlineOp`] or a script of a [`RunOp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineFile {
    /// Relative path; may hold `/`.
    pub name: String,
    /// Its text, expanded.
    pub content: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOp {
    /// The root it runs in and changes.
    pub root: NodeId,
    /// Never empty; already wrapped in the shell if there was one.
    pub argv: Vec<String>,
    /// In the order of definition, one entry a name.
    pub env: Vec<(String, String)>,
    /// Absolute path in the root.
    pub cwd: String,
    /// `user[:group]` as the config has it; empty is root. Names are looked up in the root.
    pub user: String,
    /// In order.
    pub mounts: Vec<Mount>,
    /// Scripts of heredocs that start with `#!`: shown read-only, mode 0755, below `/dev/pipes/`.
    pub scripts: Vec<InlineFile>,
    /// Which network it sees.
    pub network: Network,
    /// How confined it is.
    pub security: Security,
    /// The host name that it sees; none is the builder's usual one.
    pub hostname: Option<String>,
}

/// What a [`RunOp`] sees beside its root. Targets are absolute paths in the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Mount {
    /// A directory or file of another file system.
    Bind {
        /// Where it appears.
        target: String,
        /// Where it comes from.
        from: NodeId,
        /// Path within that: absolute, cleaned, `/` for all of it.
        source: String,
        /// Whether it can be written; what is written is thrown away.
        writable: bool,
    },
    /// A directory that outlives the build.
    Cache {
        /// Where it appears.
        target: String,
        /// What it is kept under.
        id: String,
        /// Who may use it at the same time.
        sharing: Sharing,
        /// What it starts with; none is an empty directory.
        from: Option<NodeId>,
        /// Path within that.
        source: String,
        /// Mode of a new directory.
        mode: u32,
        /// Owner of a new directory.
        uid: u32,
        /// Group of a new directory.
        gid: u32,
        /// Whether it cannot be written.
        readonly: bool,
    },
    /// An empty file system in memory.
    Tmpfs {
        /// Where it appears.
        target: String,
        /// In bytes; none is the kernel's default.
        size: Option<u64>,
        /// Whether it cannot be written, and so stays empty.
        readonly: bool,
    },
    /// A secret of the caller's.
    Secret {
        /// What the caller calls it.
        id: String,
        /// The file it appears as; none for an environment variable alone.
        target: Option<String>,
        /// The environment variable it appears as.
        env: Option<String>,
        /// Whether its absence is an error.
        required: bool,
        /// Mode of the file.
        mode: u32,
        /// Owner of the file.
        uid: u32,
        /// Group of the file.
        gid: u32,
    },
    /// The caller's ssh agent.
    Ssh {
        /// Which one.
        id: String,
        /// The socket's path.
        target: String,
        /// Whether its absence is an error.
        required: bool,
        /// Mode of the socket.
        mode: u32,
        /// Owner of the socket.
        uid: u32,
        /// Group of the socket.
        gid: u32,
    },
}

/// Who may use a cache mount at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Everyone at once.
    #[default]
    Shared,
    /// Everyone a copy of their own.
    Private,
    /// One after another.
    Locked,
}

/// Files copied into a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOp {
    /// The root that is changed.
    pub root: NodeId,
    /// At least one. An instruction with sources of several kinds is still one copy, as it is
    /// one layer.
    pub sources: Vec<CopySource>,
    /// Absolute path in the root, made so with the working directory and cleaned; a trailing `/`
    /// or `/.` is kept: it says that the destination is a directory.
    pub destination: String,
    /// `--chown`, expanded: `user[:group]`, names or numbers, looked up in the root.
    pub owner: Option<String>,
    /// `--chmod`.
    pub mode: Option<Mode>,
    /// Patterns relative to the copy's root.
    pub exclude: Vec<String>,
    /// Whether the sources' directories are kept.
    pub parents: bool,
}

impl CopyOp {
    /// A copy without options.
    pub fn new(root: NodeId, sources: Vec<CopySource>, destination: impl Into<String>) -> Self {
        Self {
            root,
            sources,
            destination: destination.into(),
            owner: None,
            mode: None,
            exclude: Vec::new(),
            parents: false,
        }
    }
}

/// One source of a [`CopyOp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySource {
    /// The file system it is in.
    pub from: NodeId,
    /// Path within that: absolute, cleaned, `/` for all of it. May hold wildcards (Go's
    /// `filepath.Match`) and, with `parents`, one `/./` behind which directories are kept.
    pub path: String,
    /// Whether an archive is unpacked instead of copied.
    pub unpack: bool,
}

/// `--chmod`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// At most 0o7777.
    Octal(u32),
    /// As chmod(1) reads it, e.g. `u=rwX,go=rX`; checked by the planner.
    Symbolic(String),
}

/// A directory for `WORKDIR`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MkdirOp {
    /// The root that is changed.
    pub root: NodeId,
    /// Absolute path in the root. Parents are made too; what exists is left alone.
    pub path: String,
    /// Who owns the directories made: the config's `User`; empty is root.
    pub owner: String,
}

/// A layer on a root: what `--link` makes of a copy into an empty root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeOp {
    /// The root that is changed.
    pub root: NodeId,
    /// The root whose files replace those of the other: directories that both have become one, and
    /// look like this one's; anything else is as here.
    pub layer: NodeId,
}

impl Op {
    /// The root that this operation changes; none where it starts from nothing.
    pub fn root(&self) -> Option<NodeId> {
        match self {
            Self::Run(RunOp { root, .. })
            | Self::Copy(CopyOp { root, .. })
            | Self::Mkdir(MkdirOp { root, .. })
            | Self::Merge(MergeOp { root, .. }) => Some(*root),
            Self::Scratch
            | Self::Image(_)
            | Self::Local(_)
            | Self::Git(_)
            | Self::Http(_)
            | Self::Inline(_) => None,
        }
    }

    /// What this operation only reads, in order; may name a node more than once.
    pub fn sources(&self) -> Vec<NodeId> {
        match self {
            Self::Copy(copy) => copy.sources.iter().map(|source| source.from).collect(),
            Self::Run(run) => run.mounts.iter().filter_map(Mount::node).collect(),
            Self::Merge(merge) => vec![merge.layer],
            Self::Scratch
            | Self::Image(_)
            | Self::Local(_)
            | Self::Git(_)
            | Self::Http(_)
            | Self::Inline(_)
            | Self::Mkdir(_) => Vec::new(),
        }
    }

    /// Every node this operation needs, sorted, each once.
    pub fn inputs(&self) -> Vec<NodeId> {
        let mut inputs = self.sources();
        inputs.extend(self.root());
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// Renames every input.
    pub fn map_inputs(&mut self, mut rename: impl FnMut(NodeId) -> NodeId) {
        match self {
            Self::Scratch
            | Self::Image(_)
            | Self::Local(_)
            | Self::Git(_)
            | Self::Http(_)
            | Self::Inline(_) => {}
            Self::Run(run) => {
                run.root = rename(run.root);
                for mount in &mut run.mounts {
                    if let Some(from) = mount.node_mut() {
                        *from = rename(*from);
                    }
                }
            }
            Self::Copy(copy) => {
                copy.root = rename(copy.root);
                for source in &mut copy.sources {
                    source.from = rename(source.from);
                }
            }
            Self::Mkdir(mkdir) => mkdir.root = rename(mkdir.root),
            Self::Merge(merge) => {
                merge.root = rename(merge.root);
                merge.layer = rename(merge.layer);
            }
        }
    }
}

impl Mount {
    /// The node it shows, if it shows one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Bind { from, .. } => Some(*from),
            Self::Cache { from, .. } => *from,
            Self::Tmpfs { .. } | Self::Secret { .. } | Self::Ssh { .. } => None,
        }
    }

    fn node_mut(&mut self) -> Option<&mut NodeId> {
        match self {
            Self::Bind { from, .. } => Some(from),
            Self::Cache { from, .. } => from.as_mut(),
            Self::Tmpfs { .. } | Self::Secret { .. } | Self::Ssh { .. } => None,
        }
    }
}
