//! Parser directives: `# escape=…`, `# syntax=…` and `# check=…` at the top of a file.

use std::ops::Range;

use ir::program::Directive;
use ir::{Code, Diagnostic};
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
        Self { list: Vec::new(), escape: '\\', open: true, origin }
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
        let line = line.trim_end();
        let Some((name, value)) = pair(Rule::directive, line) else { return false };
        if !is_known(&name) {
            return false;
        }
        let (value, value_at) = (&line[value.clone()], at + value.start);
        let span = self.origin.span(at..at + line.len());
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
            match value {
                "\\" => self.escape = '\\',
                "`" => self.escape = '`',
                _ => {
                    let value_span = self.origin.span(value_at..value_at + value.len());
                    let message = format!("bad escape character `{value}`");
                    problems.push(
                        Diagnostic::error(Code::BadDirective, value_span, message)
                            .help("use a backslash or a backtick"),
                    );
                }
            }
        }
        self.list.push(Directive { name, value: value.to_owned(), span });
        true
    }
}
