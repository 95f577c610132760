//! A file into logical lines: directives, comments, continuations and heredoc bodies.

use std::collections::BTreeMap;
use std::ops::Range;

use ir::instruction::Heredoc;
use ir::program::Directive;
use ir::{Check, Code, Diagnostic, Span, Template};

use crate::directive::{self, Directives};
use crate::heredoc::{self, Opened, Opener};
use crate::span_map::{Joined, Origin};
use crate::suggest;
use physical::{Physical, physical};

mod physical;

pub(crate) use physical::LONGEST;

/// What a file says beside its lines.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) directives: Vec<Directive>,
    /// What the `check` directive among them says.
    pub(crate) check: Option<Check>,
    /// The first blank line within each of the lines that has one.
    pub(crate) blank_lines: Vec<Span>,
}

/// An instruction with everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Line {
    /// Continuations joined, comments dropped.
    pub(crate) text: Joined,
    /// From the first character to the end of the last line, heredoc bodies included.
    pub(crate) span: Span,
    /// The comments above it.
    pub(crate) comments: Comments,
    /// The heredocs that it opens, in order.
    pub(crate) heredocs: Vec<Body>,
    /// Where something on it does not end and so hides a heredoc.
    pub(crate) hidden: Option<Span>,
}

/// Comments since the last instruction, or since an empty comment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    /// Without their `#`, and without the `check`.
    texts: Vec<String>,
    /// The first `# check=…` among them; others have no effect.
    pub(crate) check: Option<Check>,
}

impl Comments {
    /// What they say, one a line.
    pub(crate) fn description(&self) -> String {
        self.texts.join("\n")
    }
}

/// A heredoc with its body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) opener: Opener,
    /// As written, without the terminator.
    pub(crate) text: Joined,
    pub(crate) span: Span,
}

/// What stands before the continuation mark of a line, if it has one.
pub(crate) fn continued(line: &str, escape: char) -> Option<&str> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

/// Puts a file into logical lines, one at a time: all of them at once take more memory than what
/// is made of them.
pub(crate) struct Lines<'a> {
    text: &'a str,
    origin: Origin,
    physical: Vec<Physical>,
    /// Index of the next physical line.
    next_physical: usize,
    directives: Directives,
    comments: Comments,
    /// The first blank one within each logical line that has one.
    blank: Vec<Span>,
    /// Where each text stands last among the physical lines, as written and without leading tabs;
    /// filled when a heredoc first asks. To look for each of many names would be quadratic.
    last: [BTreeMap<&'a str, usize>; 2],
}

impl<'a> Lines<'a> {
    /// Begins a file. What is wrong with its physical lines is told at once.
    pub(crate) fn new(text: &'a str, origin: Origin, problems: &mut Vec<Diagnostic>) -> Self {
        Self {
            text,
            origin,
            physical: physical(text, origin, problems),
            next_physical: 0,
            directives: Directives::new(origin),
            comments: Comments::default(),
            blank: Vec::new(),
            last: [BTreeMap::new(), BTreeMap::new()],
        }
    }

    /// The escape character; settled once there was a line.
    pub(crate) fn escape(&self) -> char {
        self.directives.escape
    }

    /// Ends a file, behind its last line.
    pub(crate) fn close(mut self, problems: &mut Vec<Diagnostic>) -> Rest {
        self.forget_comments(problems);
        let Directives { list, check, .. } = self.directives;
        Rest { directives: list, check, blank_lines: self.blank }
    }

    fn take(&mut self) -> Option<Physical> {
        let line = self.physical.get(self.next_physical).copied()?;
        self.next_physical += 1;
        Some(line)
    }

    /// The next logical line.
    pub(crate) fn next(&mut self, problems: &mut Vec<Diagnostic>) -> Option<Line> {
        loop {
            let first = self.take()?;
            let content = &self.text[first.text..first.end];
            if self.directives.read(content, first.text, problems) {
                continue;
            }
            if first.is_comment {
                self.comment(content, first.text, problems);
                continue;
            }
            if first.is_blank() {
                continue;
            }
            let mut joined = self.origin.joined(first.text);
            let end = self.join(first, &mut joined);
            if joined.whole().text().trim().is_empty() {
                let message = "no instruction follows this continuation";
                let span = self.origin.span(first.text..first.end);
                problems.push(
                    Diagnostic::error(Code::UnknownInstruction, span, message).help("remove it"),
                );
                continue;
            }
            return Some(self.finish(joined, first.text..end, problems));
        }
    }

    /// Keeps a comment for the instruction below it; an empty one forgets those above.
    fn comment(&mut self, content: &str, at: usize, problems: &mut Vec<Diagnostic>) {
        let text = content.strip_prefix('#').unwrap_or(content).trim();
        if text.is_empty() {
            self.forget_comments(problems);
        } else if let Some(check) = directive::check(content, at, self.origin) {
            match &self.comments.check {
                None => self.comments.check = Some(check),
                Some(first) => {
                    let message = "only the first `check` above an instruction is read";
                    problems.push(
                        Diagnostic::warning(Code::BadCheck, check.span, message)
                            .label(first.span, "this one is read")
                            .help("put both into one, with commas or a `;`"),
                    );
                }
            }
        } else {
            self.comments.texts.push(text.to_owned());
        }
    }

    /// Forgets the comments so far, which no instruction gets.
    fn forget_comments(&mut self, problems: &mut Vec<Diagnostic>) {
        if let Some(check) = std::mem::take(&mut self.comments).check {
            let message = "this `check` stands above no instruction";
            problems.push(
                Diagnostic::warning(Code::BadCheck, check.span, message)
                    .help("put it directly above the instruction that it is for"),
            );
        }
    }

    /// Joins a line and its continuations; the offset where the last of them ends.
    fn join(&mut self, first: Physical, joined: &mut Joined) -> usize {
        let mut end = first.end;
        let mut goes_on = self.push(first.text..first.end, joined);
        let mut blank = None;
        while goes_on {
            let Some(line) = self.take() else { break };
            end = line.end.max(end);
            if line.is_comment {
                continue;
            }
            if line.is_blank() {
                end = line.next.max(end);
                blank.get_or_insert(self.origin.span(line.start..line.next));
                continue;
            }
            goes_on = self.push(line.start..line.end, joined);
        }
        self.blank.extend(blank);
        end
    }

    /// Appends a physical line without its continuation mark. True if it had one.
    fn push(&self, range: Range<usize>, joined: &mut Joined) -> bool {
        let text = &self.text[range.clone()];
        let before = continued(text, self.directives.escape);
        joined.push(before.unwrap_or(text), range.start);
        before.is_some()
    }

    fn finish(
        &mut self,
        joined: Joined,
        mut range: Range<usize>,
        problems: &mut Vec<Diagnostic>,
    ) -> Line {
        let line = joined.whole();
        let mut heredocs = Vec::new();
        let mut hidden = None;
        match heredoc::opened(line, self.directives.escape) {
            Opened::Hidden(at) => hidden = Some(line.from(at).span()),
            Opened::Heredocs(openers) => {
                for opener in openers {
                    let word = line.part(opener.range.clone()).span();
                    match self.body(opener) {
                        Ok((body, end)) => {
                            range.end = end;
                            heredocs.push(body);
                        }
                        Err(opener) => {
                            let problem = unterminated(&opener, word);
                            problems.push(match self.almost(&opener) {
                                Some(line) => problem.label(line, "this line has blanks around it"),
                                None => problem,
                            });
                            // In arithmetic, what follows are instructions. Else it is the body.
                            if !opener.name.contains(')') {
                                self.next_physical = self.physical.len();
                                range.end = range.end.max(self.end());
                            }
                        }
                    }
                }
            }
        }
        let comments = std::mem::take(&mut self.comments);
        Line { text: joined, span: self.origin.span(range), comments, heredocs, hidden }
    }

    fn end(&self) -> usize {
        self.physical.last().map_or(0, |line| line.end)
    }

    /// Takes the lines up to the terminator, which ends at the offset returned. Takes nothing if
    /// there is none.
    fn body(&mut self, opener: Opener) -> Result<(Body, usize), Opener> {
        let last = self.last(opener.strip_tabs).get(opener.name.as_str()).copied();
        if last.is_none_or(|last| last < self.next_physical) {
            return Err(opener);
        }
        let rest = &self.physical[self.next_physical..];
        let ends = |line: &Physical| line.content(self.text, opener.strip_tabs) == opener.name;
        let count = rest.iter().position(ends).expect("the last one is among them");
        let terminator = rest[count];
        let range = rest[0].start..terminator.start;
        self.next_physical += count + 1;
        let mut text = self.origin.joined(range.start);
        text.push(&self.text[range.clone()], range.start);
        Ok((Body { opener, text, span: self.origin.span(range) }, terminator.end))
    }

    /// The next line that would be the terminator but for blanks around it. As nothing is read
    /// behind such a heredoc, it is looked for once.
    fn almost(&self, opener: &Opener) -> Option<Span> {
        if opener.name.contains(')') {
            return None;
        }
        let content = |line: &Physical| self.text[line.text..line.end].trim_end() == opener.name;
        let line = self.physical[self.next_physical..].iter().find(|line| content(line))?;
        Some(self.origin.span(line.start..line.end))
    }

    fn last(&mut self, strip_tabs: bool) -> &BTreeMap<&'a str, usize> {
        let last = &mut self.last[usize::from(strip_tabs)];
        if last.is_empty() {
            let lines = self.physical.iter().enumerate();
            last.extend(lines.map(|(at, line)| (line.content(self.text, strip_tabs), at)));
        }
        last
    }
}

fn unterminated(opener: &Opener, span: Span) -> Diagnostic {
    let name = suggest::shown(&opener.name);
    let message = format!("no line `{name}` ends this heredoc");
    let diagnostic = Diagnostic::error(Code::UnterminatedHeredoc, span, message);
    if opener.name.contains(')') {
        diagnostic.help("if this is a shift, write it without a blank before the `<<`")
    } else {
        diagnostic.help(format!("put `{name}` on a line of its own, with nothing around it"))
    }
}

impl Body {
    /// The body without leading tabs, if they are to be removed.
    pub(crate) fn stripped(&self) -> Joined {
        let whole = self.text.whole();
        if !self.opener.strip_tabs {
            return self.text.clone();
        }
        let mut ranges = Vec::new();
        let mut at = 0;
        for line in whole.text().split_inclusive('\n') {
            let tabs = line.len() - line.trim_start_matches('\t').len();
            ranges.push(at + tabs..at + line.len());
            at += line.len();
        }
        whole.select(&ranges)
    }

    /// The heredoc, with what the instruction makes of the body.
    pub(crate) fn heredoc(&self, template: Template) -> Heredoc {
        Heredoc {
            name: self.opener.name.clone(),
            fd: self.opener.fd,
            expand: self.opener.expand,
            strip_tabs: self.opener.strip_tabs,
            body: self.text.whole().text().to_owned(),
            template,
            span: self.span,
        }
    }
}
