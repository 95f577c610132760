//! What was written: directives, global arguments and stages of typed instructions.

use serde::{Deserialize, Serialize};

use crate::instruction::{Arg, From, Instruction};
use crate::source::Span;

/// A whole Dockerfile. Depends on no build argument: nothing in it is expanded or resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Parser directives at the top of the file.
    pub directives: Vec<Directive>,
    /// The `ARG` instructions before the first `FROM`, in order.
    pub global_args: Vec<(Arg, Span)>,
    /// The stages in the order of their `FROM`.
    pub stages: Vec<Stage>,
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

/// A `FROM` and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The `FROM` that opens the stage.
    pub from: From,
    /// The `FROM` instruction.
    pub span: Span,
    /// Everything up to the next `FROM`.
    pub statements: Vec<Statement>,
    /// Comment text directly above the `FROM`; empty where there is none.
    pub description: String,
}

/// One instruction where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What it says.
    pub instruction: Instruction,
    /// The logical line, continuations joined and comments dropped, without heredoc bodies. This
    /// is what messages and progress show.
    pub text: String,
    /// From the keyword to the end of the last line, heredoc bodies included.
    pub span: Span,
}
