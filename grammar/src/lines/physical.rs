//! A file into physical lines.

use ir::{Code, Diagnostic};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::Origin;

#[derive(Parser)]
#[grammar = "lines.pest"]
struct Files;

/// Bytes of a physical line. BuildKit reads no longer ones.
pub(crate) const LONGEST: usize = 65_535;

/// A physical line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Physical {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offset of the first character that is no blank.
    pub(super) text: usize,
    /// Offset behind its last character; line ends are left out.
    pub(super) end: usize,
    /// Offset of the next line.
    pub(super) next: usize,
    pub(super) is_comment: bool,
}

impl Physical {
    pub(super) fn is_blank(self) -> bool {
        self.text == self.end
    }

    /// Its text as the terminator of a heredoc is looked for in it.
    pub(super) fn content(self, text: &str, strip_tabs: bool) -> &str {
        let content = &text[self.start..self.end];
        if strip_tabs { content.trim_start_matches('\t') } else { content }
    }
}

/// The physical lines of a file. Too long ones are told.
pub(super) fn physical(
    text: &str,
    origin: Origin,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Physical> {
    let pairs = Files::parse(Rule::file, text).expect("every text is a file of lines");
    let mut lines = Vec::new();
    for pair in pairs.flatten() {
        match pair.as_rule() {
            Rule::line => {
                let (start, end) = (pair.as_span().start(), pair.as_span().end());
                if start == text.len() {
                    continue;
                }
                if end - start > LONGEST {
                    let message = format!("the line is longer than {LONGEST} bytes");
                    let span = origin.span(start..end);
                    problems.push(
                        Diagnostic::error(Code::LineTooLong, span, message)
                            .help("break it with continuations, or move it to a file"),
                    );
                }
                let end = start + text[start..end].trim_end_matches('\r').len();
                let next = (pair.as_span().end() + 1).min(text.len());
                lines.push(Physical { start, text: start, end, next, is_comment: false });
            }
            Rule::indent => {
                if let Some(line) =
                    lines.last_mut().filter(|line| line.start == pair.as_span().start())
                {
                    line.text = pair.as_span().end().min(line.end);
                }
            }
            Rule::comment => {
                if let Some(line) = lines.last_mut() {
                    line.is_comment = true;
                }
            }
            Rule::EOI | Rule::file | Rule::bom | Rule::text | Rule::blank => {}
        }
    }
    lines
}
