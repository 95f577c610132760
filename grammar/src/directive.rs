//! Parser directives: `# escape=…`, `# syntax=…` and `# check=…` at the top of a file, and the last
//! of them as a comment above an instruction.

use std::ops::Range;

use ir::instruction::Text;
use ir::program::Directive;
use ir::{Check, Code, Diagnostic, Span};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::Origin;

#[derive(Parser)]
#[grammar = "directive.pest"]
struct Lines;

/// The directives met so far.
#[derive(Debug)]
pub(crate) struct Directives {
    /// In order, without the bad ones.
    pub(crate) list: Vec<Directive>,
    /// The escape character: a backslash, or a backtick where a directive says so.
    pub(crate) escape: char,
    /// What the `check` directive says.
    pub(crate) check: Option<Check>,
    /// Whether another directive may still come.
    open: bool,
    origin: Origin,
}

/// The name of a directive, in lower case, and where its value stands in the line.
pub(crate) fn pair(rule: Rule, line: &str) -> Option<(String, Range<usize>)> {
    let (mut name, mut value) = (String::new(), 0..0);
    for pair in Lines::parse(rule, line).ok()?.flatten() {
        match pair.as_rule() {
            Rule::name => name = pair.as_str().to_ascii_lowercase(),
            Rule::value => value = pair.as_span().start()..pair.as_span().end(),
            Rule::directive | Rule::slashes | Rule::pair | Rule::blank => {}
        }
    }
    Some((name, value))
}

/// Whether there is such a directive; its name is in lower case.
pub(crate) fn is_known(name: &str) -> bool {
    matches!(name, "syntax" | "escape" | "check")
}

impl Directives {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { list: Vec::new(), escape: '\\', check: None, open: true, origin }
    }

    /// Takes the next line of the file, without blanks before it; `at` is its offset. True if it is
    /// a directive. The first line that is none ends them.
    pub(crate) fn read(&mut self, line: &str, at: usize, problems: &mut Vec<Diagnostic>) -> bool {
        if !self.open {
            return false;
        }
        self.open = self.try_read(line, at, problems);
        self.open
    }

    fn try_read(&mut self, line: &str, at: usize, problems: &mut Vec<Diagnostic>) -> bool {
        let Some(Written { name, value, span }) = written(line, at, self.origin) else {
            return false;
        };
        if !is_known(&name) {
            return false;
        }
        if let Some(first) = self.list.iter().find(|directive| directive.name == name) {
            problems.push(
                Diagnostic::error(
                    Code::BadDirective,
                    span,
                    format!("directive `{name}` is repeated"),
                )
                .label(first.span, "first given here")
                .help("remove one of the two"),
            );
            return true;
        }
        if name == "escape" {
            match value.value.as_str() {
                "\\" => self.escape = '\\',
                "`" => self.escape = '`',
                other => {
                    let message = format!("bad escape character `{other}`");
                    problems.push(
                        Diagnostic::error(Code::BadDirective, value.span, message)
                            .help("use a backslash or a backtick"),
                    );
                }
            }
        }
        if name == "check" {
            self.check = Some(Check::comment(value.clone(), span));
        }
        self.list.push(Directive { name, value: value.value, span });
        true
    }
}

/// A comment of the form `# name=value`.
struct Written {
    /// Lower case.
    name: String,
    /// Right-trimmed.
    value: Text,
    /// The comment.
    span: Span,
}

/// Reads a comment that begins at `at`; none if it has another form.
fn written(line: &str, at: usize, origin: Origin) -> Option<Written> {
    let line = line.trim_end();
    let (name, value) = pair(Rule::directive, line)?;
    let span = origin.span(at + value.start..at + value.end);
    let value = Text { value: line[value].to_owned(), span };
    Some(Written { name, value, span: origin.span(at..at + line.len()) })
}

/// What a comment `# check=…` says; none if it is another comment.
pub(crate) fn check(line: &str, at: usize, origin: Origin) -> Option<Check> {
    let Written { name, value, span } = written(line, at, origin)?;
    (name == "check").then(|| Check::comment(value, span))
}
