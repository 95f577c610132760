//! What a statement says once every template in it has its value: what `expand` hands to `lower`.

use std::sync::Arc;

use ir::diagnostic::Diagnostic;
use ir::instruction::{Command, Device, Heredoc, MountKey, Network, Security};
use ir::{Span, Statement};

use crate::pass::expand::Env;

/// A value and where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// The value.
    pub(crate) value: String,
    /// The template it came from.
    pub(crate) span: Span,
}

/// A stage with its values.
#[derive(Debug)]
pub(crate) struct ExpandedStage<'a> {
    /// Position in the Dockerfile.
    pub(crate) index: usize,
    /// What to do, in order; triggers that fire come first.
    pub(crate) steps: Vec<Step<'a>>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// What it does.
    pub(crate) action: Action,
    /// What was written.
    pub(crate) statement: &'a Statement,
    /// Where diagnostics and the origin point.
    pub(crate) place: Place,
}

/// Where a statement stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The statement.
    pub(crate) span: Span,
    /// Whether it is a trigger of a base image: its own spans mean nothing, and `span` is the
    /// `FROM` that fires it.
    pub(crate) foreign: bool,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum Action {
    Arg(Vec<(String, Option<String>)>),
    Cmd(Command),
    Copy(CopyStep),
    Entrypoint(Command),
    Env(Vec<(String, String)>),
    Expose(Vec<Word>),
    Healthcheck(ir::instruction::Healthcheck),
    Label(Vec<(String, String)>),
    Maintainer(String),
    Onbuild(String),
    Run(RunStep),
    Shell(Vec<String>),
    Stopsignal(Word),
    User(String),
    Volume(Vec<Word>),
    Workdir(Word),
}

/// A `RUN`.
#[derive(Debug)]
pub(crate) struct RunStep {
    /// What to execute.
    pub(crate) command: Command,
    /// Bodies, never expanded.
    pub(crate) heredocs: Vec<Heredoc>,
    /// `--mount`.
    pub(crate) mounts: Vec<MountStep>,
    /// `--network`.
    pub(crate) network: Network,
    /// `--security`.
    pub(crate) security: Security,
    /// `--device`.
    pub(crate) devices: Vec<Device>,
    /// The environment of this moment, arguments included.
    pub(crate) env: Arc<Env>,
    /// The arguments declared so far, each once, in order, for the history.
    pub(crate) args: Vec<(String, String)>,
}

/// A `--mount`.
#[derive(Debug)]
pub(crate) struct MountStep {
    /// In order.
    pub(crate) fields: Vec<(MountKey, Option<Word>, Span)>,
    /// The flag.
    pub(crate) span: Span,
}

/// A `COPY` or an `ADD`.
#[derive(Debug)]
pub(crate) struct CopyStep {
    /// Paths and URLs.
    pub(crate) sources: Vec<Word>,
    /// Files given in the Dockerfile, by name.
    pub(crate) heredocs: Vec<(String, String)>,
    /// The destination.
    pub(crate) destination: Word,
    /// `--chown`; empty is none.
    pub(crate) chown: Word,
    /// `--chmod`.
    pub(crate) chmod: Option<Word>,
    /// `--exclude`.
    pub(crate) exclude: Vec<String>,
    /// `--link`.
    pub(crate) link: bool,
    /// What only one of the two has.
    pub(crate) kind: CopyKind,
}

/// What only one of `COPY` and `ADD` has.
#[derive(Debug)]
pub(crate) enum CopyKind {
    Copy {
        /// `--from`.
        from: Option<Word>,
        /// `--parents`.
        parents: bool,
    },
    Add {
        /// `--keep-git-dir`.
        keep_git_dir: Option<bool>,
        /// `--checksum`.
        checksum: Option<Word>,
        /// `--unpack`.
        unpack: Option<bool>,
    },
}

impl Place {
    /// The diagnostic, moved to the `FROM` where its own place means nothing.
    pub(crate) fn at(self, mut diagnostic: Diagnostic) -> Diagnostic {
        if self.foreign {
            diagnostic.span = self.span;
            diagnostic.labels.clear();
        }
        diagnostic
    }
}
