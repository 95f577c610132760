//! What was written: directives, global arguments and stages of typed instructions.

use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::instruction::{Arg, From, Instruction, Text};
use crate::source::Span;

/// A whole Dockerfile. Depends on no build argument: nothing in it is expanded or resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Parser directives at the top of the file.
    pub directives: Vec<Directive>,
    /// What the `check` directive among them says.
    pub check: Option<Check>,
    /// The `ARG` instructions before the first `FROM`, in order.
    pub global_args: Vec<GlobalArg>,
    /// The stages in the order of their `FROM`.
    pub stages: Vec<Stage>,
    /// Flags of instructions that have none and drop them without a word: of `ARG`, `STOPSIGNAL` and
    /// `HEALTHCHECK NONE`. In order.
    pub ignored_flags: Vec<Text>,
    /// The first blank line within each instruction that goes on behind it, in order.
    pub blank_lines: Vec<Span>,
}

/// `# name=value` at the top of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directive {
    /// Lower case: `syntax`, `escape` or `check`.
    pub name: String,
    /// As written, right-trimmed.
    pub value: String,
    /// The comment line.
    pub span: Span,
}

/// An `ARG` before the first `FROM`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalArg {
    /// What it says.
    pub arg: Arg,
    /// The keyword, in the case in which it is written.
    pub keyword: Text,
    /// The instruction.
    pub span: Span,
    /// The comments directly above it, one a line; empty where there are none.
    pub description: String,
    /// `# check=…` among these comments.
    pub check: Option<Check>,
}

/// A `FROM` and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The `FROM` that opens the stage.
    pub from: From,
    /// The `FROM` instruction.
    pub span: Span,
    /// The `FROM` itself, in the case in which it is written.
    pub keyword: Text,
    /// Everything up to the next `FROM`.
    pub statements: Vec<Statement>,
    /// The comments directly above the `FROM`, one a line; empty where there are none.
    pub description: String,
    /// `# check=…` among these comments.
    pub check: Option<Check>,
}

/// One instruction where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What it says.
    pub instruction: Instruction,
    /// The keyword, in the case in which it is written.
    pub keyword: Text,
    /// The logical line, continuations joined and comments dropped, without heredoc bodies. This
    /// is what messages and progress show.
    pub text: String,
    /// From the keyword to the end of the last line, heredoc bodies included.
    pub span: Span,
    /// The comments directly above it, one a line; empty where there are none.
    pub description: String,
    /// `# check=…` among these comments.
    pub check: Option<Check>,
}
