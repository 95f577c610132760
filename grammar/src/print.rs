//! A program as the text of a Dockerfile, in one canonical layout.
//!
//! Instructions are put together from their typed fields and the result is read back, so a text
//! that is given out says the same ([`ir::Program::unplaced`]) as the program.

mod instruction;
mod line;
mod quote;

use std::fmt;

use ir::program::{Directive, Program, Stage};
use ir::{Diagnostic, Source};

use crate::directive::Directives;
use crate::lines::LONGEST;
use crate::program::parse;
use crate::span_map::Origin;

/// A program that no Dockerfile says: one that was made otherwise and, say, has a line break in
/// the text for a shell, a blank in the name of a stage, or no stage at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintError {
    /// The first place that is read back as something else, or not at all.
    pub place: Place,
}

/// A place in a program. Indices count from 0, as those of the program do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// None in particular.
    Program,
    /// One of the directives.
    Directive(usize),
    /// One of the `ARG` instructions before the first stage.
    GlobalArg(usize),
    /// What opens this stage: its `FROM` and the comment above.
    Stage(usize),
    /// An instruction.
    Statement {
        /// Its stage.
        stage: usize,
        /// Which of that stage's.
        index: usize,
        /// Its keyword, in upper case.
        keyword: &'static str,
    },
}

impl fmt::Display for PrintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no Dockerfile can say what ")?;
        match &self.place {
            Place::Program => f.write_str("the program")?,
            Place::Directive(index) => write!(f, "directive {}", index + 1)?,
            Place::GlobalArg(index) => write!(f, "`ARG` {} before the first stage", index + 1)?,
            Place::Stage(stage) => write!(f, "`FROM` of stage {}", stage + 1)?,
            Place::Statement { stage, index, keyword } => {
                write!(f, "`{keyword}`, instruction {} of stage {},", index + 1, stage + 1)?;
            }
        }
        f.write_str(" holds")
    }
}

impl std::error::Error for PrintError {}

/// The text of a program: directives, the global `ARG`s and the stages, with a blank line between
/// them; keywords in upper case, one blank between words, nothing broken over lines unless it must
/// be. Without errors when read, and then the same program.
///
/// Texts with variables are printed as they were written, quotes included. What another text
/// stands for is quoted anew where it has to be.
pub fn print(program: &Program) -> Result<String, PrintError> {
    let text = write(program);
    let source = Source::new("", text.as_str())
        .map_err(|ir::source::TooLong| PrintError { place: Place::Program })?;
    let parsed = parse(&source);
    if let Some(place) = difference(&program.unplaced(), &parsed.program.unplaced()) {
        return Err(PrintError { place });
    }
    match parsed.diagnostics.iter().find(|problem| problem.is_error()) {
        Some(problem) => Err(PrintError { place: place_of(&parsed.program, problem) }),
        None => Ok(text),
    }
}

fn write(program: &Program) -> String {
    let mut text = String::new();
    for Directive { name, value, span: _ } in &program.directives {
        comment(&format!("{name}={value}"), &mut text);
    }
    let escape = escape(&program.directives);
    if !program.global_args.is_empty() {
        separate(&mut text);
    }
    for (arg, _) in &program.global_args {
        instruction::arg(arg).write(escape, &mut text);
    }
    for stage in &program.stages {
        separate(&mut text);
        description(&stage.description, &mut text);
        instruction::from(&stage.from).write(escape, &mut text);
        for statement in &stage.statements {
            instruction::write(&statement.instruction, escape, &mut text);
        }
    }
    text
}

/// The escape character that the directives give.
fn escape(directives: &[Directive]) -> char {
    let given = directives.iter().find(|directive| directive.name == "escape");
    if given.is_some_and(|directive| directive.value == "`") { '`' } else { '\\' }
}

/// A blank line, if there is anything to separate from.
fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

/// The comment above a stage.
fn description(description: &str, text: &mut String) {
    let start = text.len();
    for line in description.split_terminator('\n') {
        comment(line, text);
    }
    // At the top of the file it would be a directive; below a blank line nothing is.
    let first = text[start..].lines().next().unwrap_or_default();
    if start == 0 && Directives::new(Origin::Source).read(first, 0, &mut Vec::new()) {
        text.insert(0, '\n');
    }
}

fn comment(line: &str, text: &mut String) {
    let mark = if "# ".len() + line.len() > LONGEST { "#" } else { "# " };
    text.push_str(mark);
    text.push_str(line);
    text.push('\n');
}

/// The first place where two programs without places differ.
fn difference(program: &Program, read: &Program) -> Option<Place> {
    let differs = |left: &Stage, right: &Stage| {
        left.from != right.from || left.description != right.description
    };
    if let Some(index) = first_unlike(&program.directives, &read.directives, |l, r| l != r) {
        return Some(Place::Directive(index));
    }
    if let Some(index) = first_unlike(&program.global_args, &read.global_args, |l, r| l != r) {
        return Some(Place::GlobalArg(index));
    }
    for (stage, (left, right)) in program.stages.iter().zip(&read.stages).enumerate() {
        if differs(left, right) {
            return Some(Place::Stage(stage));
        }
        if let Some(index) = first_unlike(&left.statements, &right.statements, |l, r| l != r) {
            return Some(statement(left, stage, index));
        }
    }
    first_unlike(&program.stages, &read.stages, differs).map(Place::Stage)
}

/// The first index where two lists differ, one that is longer included.
fn first_unlike<T>(left: &[T], right: &[T], differ: impl Fn(&T, &T) -> bool) -> Option<usize> {
    let unlike = left.iter().zip(right).position(|(left, right)| differ(left, right));
    let longer = (left.len() != right.len()).then(|| left.len().min(right.len()));
    unlike.or(longer)
}

/// An instruction of a stage; behind the last one, the last one is to blame.
fn statement(of: &Stage, stage: usize, index: usize) -> Place {
    let index = index.min(of.statements.len().saturating_sub(1));
    match of.statements.get(index) {
        Some(found) => Place::Statement { stage, index, keyword: found.instruction.keyword() },
        None => Place::Stage(stage),
    }
}

/// Where in a program a problem of its text lies.
fn place_of(program: &Program, problem: &Diagnostic) -> Place {
    let at = problem.span.start();
    let stage = program.stages.iter().rposition(|stage| stage.span.start() <= at);
    let Some(stage) = stage else {
        let args = program.global_args.iter().rposition(|(_, span)| span.start() <= at);
        let directives = program.directives.iter().rposition(|found| found.span.start() <= at);
        return match (args, directives) {
            (Some(index), _) => Place::GlobalArg(index),
            (None, Some(index)) if !program.stages.is_empty() => Place::Directive(index),
            (None, _) => Place::Program,
        };
    };
    let of = &program.stages[stage];
    match of.statements.iter().rposition(|found| found.span.start() <= at) {
        Some(index) => statement(of, stage, index),
        None => Place::Stage(stage),
    }
}
