//! A program as the text of a Dockerfile, in one canonical layout.
//!
//! Instructions are put together from their typed fields and the result is read back, so a text
//! that is given out says the same ([`ir::Program::unplaced`]) as the program.

mod instruction;
mod line;
mod quote;

use std::fmt;

use ir::Source;
use ir::check::Check;
use ir::program::{Directive, Program, Stage};

use crate::directive::Directives;
use crate::lines::LONGEST;
use crate::program::parse;
use crate::span_map::Origin;

/// A program that no Dockerfile says: one that was made otherwise and, say, has a line break in
/// the text for a shell, a blank in the name of a stage, or no stage at all.
///
/// A Dockerfile that was read says its program, and it can be printed. The one exception is a `<<`
/// beside a flag in which a quote ends elsewhere for the flag than for what looks for heredocs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintError {
    /// The first place that is read back as something else, or not at all.
    pub place: Place,
}

/// A place in a program, in their order. Indices count from 0, as those of the program do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// One of the directives.
    Directive(usize),
    /// One of the `ARG` instructions before the first stage.
    GlobalArg(usize),
    /// An instruction.
    Instruction {
        /// Its stage.
        stage: usize,
        /// Which of that stage's statements; none for what opens the stage, the comment above it
        /// included.
        statement: Option<usize>,
        /// Its keyword, in upper case.
        keyword: &'static str,
    },
    /// No place in particular.
    Program,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(index) => write!(f, "directive {}", index + 1),
            Self::GlobalArg(index) => write!(f, "`ARG` {} before the first stage", index + 1),
            Self::Instruction { stage, statement: None, keyword } => {
                write!(f, "`{keyword}` of stage {}", stage + 1)
            }
            Self::Instruction { stage, statement: Some(index), keyword } => {
                write!(f, "`{keyword}`, instruction {} of stage {},", index + 1, stage + 1)
            }
            Self::Program => f.write_str("the program"),
        }
    }
}

impl fmt::Display for PrintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no Dockerfile can say what {} holds", self.place)
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
    let nowhere = PrintError { place: Place::Program };
    if program.stages.is_empty() {
        return Err(nowhere);
    }
    let Printed { text, starts } = write(program);
    let source = Source::new("", text.as_str()).map_err(|ir::source::TooLong| nowhere)?;
    let parsed = parse(&source);
    let errors = parsed.diagnostics.iter().filter(|problem| problem.is_error());
    let errors = errors.map(|problem| {
        let next = starts.partition_point(|(start, _)| *start <= problem.span.start());
        next.checked_sub(1).map_or(Place::Program, |index| starts[index].1)
    });
    let difference = difference(&program.unplaced(), &parsed.program.unplaced());
    match errors.chain(difference).min() {
        Some(place) => Err(PrintError { place }),
        None => Ok(text),
    }
}

/// A text, and where in it each place begins.
#[derive(Default)]
struct Printed {
    text: String,
    starts: Vec<(usize, Place)>,
}

impl Printed {
    /// What is appended from here on stands for this place.
    fn at(&mut self, place: Place) -> &mut String {
        self.starts.push((self.text.len(), place));
        &mut self.text
    }
}

fn write(program: &Program) -> Printed {
    let mut printed = Printed::default();
    for (index, Directive { name, value, span: _ }) in program.directives.iter().enumerate() {
        comment(&format!("{name}={value}"), printed.at(Place::Directive(index)));
    }
    let escape = escape(&program.directives);
    if !program.global_args.is_empty() {
        separate(&mut printed.text);
    }
    for (index, global) in program.global_args.iter().enumerate() {
        let text = printed.at(Place::GlobalArg(index));
        comments(&global.description, global.check.as_ref(), text);
        instruction::arg(&global.arg).write(escape, text);
    }
    for (index, stage) in program.stages.iter().enumerate() {
        separate(&mut printed.text);
        let text = printed.at(place(stage, index, None));
        comments(&stage.description, stage.check.as_ref(), text);
        instruction::from(&stage.from).write(escape, text);
        for (statement, of) in stage.statements.iter().enumerate() {
            let text = printed.at(place(stage, index, Some(statement)));
            comments(&of.description, of.check.as_ref(), text);
            instruction::write(&of.instruction, escape, text);
        }
    }
    printed
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

/// The comments above an instruction.
fn comments(description: &str, check: Option<&Check>, text: &mut String) {
    let start = text.len();
    for line in description.split_terminator('\n') {
        comment(line, text);
    }
    if let Some(check) = check {
        comment(&format!("check={}", check.text.value), text);
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
    if let Some(index) = first_unlike(&program.directives, &read.directives, PartialEq::eq) {
        return Some(Place::Directive(index));
    }
    if let Some(index) = first_unlike(&program.global_args, &read.global_args, PartialEq::eq) {
        return Some(Place::GlobalArg(index));
    }
    let alike = |left: &Stage, right: &Stage| {
        left.from == right.from
            && left.description == right.description
            && left.check == right.check
    };
    for (index, (left, right)) in program.stages.iter().zip(&read.stages).enumerate() {
        if !alike(left, right) {
            return Some(place(left, index, None));
        }
        let unlike = first_unlike(&left.statements, &right.statements, PartialEq::eq);
        if let Some(statement) = unlike {
            // Behind the last one, the last one is to blame.
            let last = left.statements.len().checked_sub(1);
            return Some(place(left, index, last.map(|last| statement.min(last))));
        }
    }
    let index = first_unlike(&program.stages, &read.stages, alike)?;
    Some(program.stages.get(index).map_or(Place::Program, |of| place(of, index, None)))
}

/// The first index where two lists differ, one that is longer included.
fn first_unlike<T>(left: &[T], right: &[T], alike: impl Fn(&T, &T) -> bool) -> Option<usize> {
    let unlike = left.iter().zip(right).position(|(left, right)| !alike(left, right));
    let longer = (left.len() != right.len()).then(|| left.len().min(right.len()));
    unlike.or(longer)
}

fn place(of: &Stage, stage: usize, statement: Option<usize>) -> Place {
    let found = statement.and_then(|index| of.statements.get(index));
    let keyword = found.map_or("FROM", |found| found.instruction.keyword());
    Place::Instruction { stage, statement, keyword }
}
