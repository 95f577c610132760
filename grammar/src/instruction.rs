//! A logical line into a typed instruction.

mod config;
mod copy;
mod device;
mod from;
mod healthcheck;
mod mount;
mod onbuild;
mod pairs;
mod run;

use ir::instruction::{Command, Instruction};
use ir::{Code, Diagnostic, Span};

use crate::flags::{Given, Head, Spec};
use crate::json::{self, Form};
use crate::lines::Body;
use crate::span_map::{Fragment, Joined};
use crate::{suggest, words};

pub(crate) use from::from;
pub(crate) use onbuild::forbidden;

/// Every keyword of the language, in upper case and in order.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// An instruction that is being read.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// The whole logical line.
    pub(crate) line: Fragment<'a>,
    /// Where it stands, heredoc bodies included.
    pub(crate) span: Span,
    pub(crate) head: Head<'a>,
    /// The heredocs that the line opens.
    pub(crate) heredocs: &'a [Body],
    pub(crate) escape: char,
}

/// Which instruction it is, in upper case.
pub(crate) fn keyword(head: &Head<'_>) -> Option<&'static str> {
    let written = head.keyword.text();
    KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(written))
}

/// The problem of a keyword that there is not.
pub(crate) fn unknown(head: &Head<'_>) -> Diagnostic {
    let written = head.keyword.text();
    let message = format!("unknown instruction `{}`", suggest::shown(written));
    let diagnostic = Diagnostic::error(Code::UnknownInstruction, head.keyword.span(), message);
    if let Some(help) = suggest::about_unseen(written) {
        return diagnostic.help(help);
    }
    match suggest::nearest(written, KEYWORDS) {
        Some(known) => diagnostic.help(format!("write `{known}`")),
        None => {
            diagnostic.help("if it belongs to the line above, end that line with a continuation")
        }
    }
}

/// Whether an instruction, as in BuildKit, has no flags and drops those that are given.
pub(crate) fn drops_flags(keyword: &str, head: &Head<'_>) -> bool {
    match keyword {
        "ARG" | "STOPSIGNAL" => true,
        "HEALTHCHECK" => healthcheck::is_none(head),
        _ => false,
    }
}

/// Reads an instruction of a stage. `None` where too little of it could be understood; then, and
/// wherever something of it is wrong, there is a problem.
pub(crate) fn read(
    keyword: &str,
    call: &Call<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Instruction> {
    Some(match keyword {
        "ADD" => Instruction::Add(copy::add(call, problems)?),
        "ARG" => Instruction::Arg(arg(call, problems)?),
        "CMD" => Instruction::Cmd(config::cmd(call, problems)?),
        "COPY" => Instruction::Copy(copy::copy(call, problems)?),
        "ENTRYPOINT" => Instruction::Entrypoint(config::entrypoint(call, problems)?),
        "ENV" => Instruction::Env(pairs::env(call, problems)?),
        "EXPOSE" => Instruction::Expose(config::expose(call, problems)?),
        "HEALTHCHECK" => Instruction::Healthcheck(healthcheck::healthcheck(call, problems)?),
        "LABEL" => Instruction::Label(pairs::label(call, problems)?),
        "MAINTAINER" => Instruction::Maintainer(config::maintainer(call, problems)?),
        "ONBUILD" => Instruction::Onbuild(onbuild::onbuild(call, problems)?),
        "RUN" => Instruction::Run(run::run(call, problems)?),
        "SHELL" => Instruction::Shell(config::shell(call, problems)?),
        "STOPSIGNAL" => Instruction::Stopsignal(config::stopsignal(call, problems)?),
        "USER" => Instruction::User(config::user(call, problems)?),
        "VOLUME" => Instruction::Volume(config::volume(call, problems)?),
        "WORKDIR" => Instruction::Workdir(config::workdir(call, problems)?),
        _ => return None,
    })
}

pub(crate) use pairs::arg;

impl<'a> Call<'a> {
    /// The flags, checked against those that the instruction has.
    fn flags(&self, keyword: &str, specs: &[Spec], problems: &mut Vec<Diagnostic>) -> Given<'a> {
        Given::check(&self.head, keyword, specs, problems)
    }

    /// Reports every flag there is.
    fn no_flags(&self, keyword: &str, problems: &mut Vec<Diagnostic>) {
        self.flags(keyword, &[], problems);
    }

    /// The problem of an instruction with too few or too many arguments.
    fn arity(&self, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        let span = self.head.keyword.span();
        let arguments = self.head.arguments;
        let span = if arguments.text().is_empty() { span } else { span.to(arguments.span()) };
        Diagnostic::error(Code::WrongArity, span, message).help(help)
    }

    /// The arguments, which must be there; `example` is the instruction with some.
    fn some_arguments(
        &self,
        message: &str,
        example: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Fragment<'a>> {
        if self.head.arguments.text().is_empty() {
            problems.push(self.arity(message, format!("write it as in `{example}`")));
            return None;
        }
        Some(self.head.arguments)
    }
}

/// Reads a command: a JSON array to execute, else text for the shell.
fn command(text: Fragment<'_>, problems: &mut Vec<Diagnostic>) -> Option<Command> {
    match json::read(text) {
        Form::Array(elements) => Some(Command::Exec(values(&elements))),
        Form::Text => Some(Command::Shell(text.to_text())),
        Form::Bad(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// The decoded elements of a JSON array.
fn values(elements: &[Joined]) -> Vec<String> {
    elements.iter().map(|element| element.whole().text().to_owned()).collect()
}

/// Arguments that are a JSON array or words.
enum List<'a> {
    Array(Vec<Joined>),
    Words(Vec<Fragment<'a>>),
}

impl List<'_> {
    fn fragments(&self) -> Vec<Fragment<'_>> {
        match self {
            Self::Array(elements) => elements.iter().map(Joined::whole).collect(),
            Self::Words(words) => words.clone(),
        }
    }
}

fn list<'a>(arguments: Fragment<'a>, problems: &mut Vec<Diagnostic>) -> Option<List<'a>> {
    match json::read(arguments) {
        Form::Array(elements) => Some(List::Array(elements)),
        Form::Text => Some(List::Words(words::split(arguments))),
        Form::Bad(problem) => {
            problems.push(problem);
            None
        }
    }
}
