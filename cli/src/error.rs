//! Why a command failed, and the exit status that this gives.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use ir::{Diagnostic, Source};

pub(crate) use runtime::cause::chain;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The command line cannot be read.
    Usage(clap::Error),
    /// The arguments contradict each other, or the machine lacks something.
    User {
        /// One line.
        message: String,
        /// What to do about it.
        help: Vec<String>,
    },
    /// The Dockerfile has errors.
    Source {
        /// The Dockerfile.
        source: Box<Source>,
        /// At least one of them an error.
        diagnostics: Vec<Diagnostic>,
    },
    /// A file cannot be read.
    Read {
        /// What it is for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Nothing can be written to the standard streams.
    Output {
        /// Why.
        error: io::Error,
    },
    /// The build failed while it ran.
    Build {
        /// What failed, with the chain of causes, one line.
        message: String,
        /// What to do about it.
        help: Vec<String>,
        /// The instruction, where it is known.
        place: Option<(Box<Source>, ir::Span)>,
        /// The exit status: that of a failed RUN, else 1.
        status: u8,
    },
}

impl CommandError {
    /// A mistake of the user's with one line to say about it.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::User { message: message.into(), help: Vec::new() }
    }

    /// The same with what to do about it.
    pub(crate) fn user_with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::User { message: message.into(), help: vec![help.into()] }
    }

    /// What the process ends with. kaniko's users rely on 1 for everything but a failed RUN.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Build { status, .. } => ExitCode::from(*status),
            Self::Usage(_)
            | Self::User { .. }
            | Self::Source { .. }
            | Self::Read { .. }
            | Self::Output { .. } => ExitCode::from(1),
        }
    }
}
