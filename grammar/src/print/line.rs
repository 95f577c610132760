//! The line of an instruction: its parts put together, and laid out as physical lines.

use ir::instruction::Heredoc;

use super::quote;
use crate::lines::{self, LONGEST};

/// An instruction before it is laid out.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) keyword: &'static str,
    pub(super) flags: Vec<Flag>,
    /// The rest of the line, without blanks around it.
    pub(super) arguments: String,
    /// What the line opens.
    pub(super) heredocs: &'a [Heredoc],
}

/// A flag, its value not yet quoted.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) value: Option<String>,
}

impl Line<'_> {
    /// Appends the line and the heredoc bodies.
    pub(super) fn write(&self, escape: char, text: &mut String) {
        fold(&self.logical(escape), escape, text);
        for heredoc in self.heredocs {
            text.push_str(&heredoc.body);
            text.push_str(&heredoc.name);
            text.push('\n');
        }
    }

    fn logical(&self, escape: char) -> String {
        let values = self.flags.iter().filter_map(|flag| flag.value.as_deref());
        let may_open =
            [self.arguments.as_str()].into_iter().chain(values).any(|t| t.contains("<<"));
        let flag = if may_open { quote::closed_flag } else { quote::flag };
        let mut line = self.keyword.to_owned();
        for Flag { name, value } in &self.flags {
            line.push_str(" --");
            line.push_str(name);
            if let Some(value) = value {
                line.push('=');
                line.push_str(&flag(value, escape));
            }
        }
        push_arguments(&mut line, &self.arguments);
        line
    }
}

/// Appends an `ONBUILD` of a text that goes into the image as it is: a line, and all that belongs
/// to its heredocs.
pub(super) fn write_trigger(trigger: &str, escape: char, text: &mut String) {
    let (first, bodies) = trigger.split_once('\n').unwrap_or((trigger, ""));
    let mut line = "ONBUILD".to_owned();
    push_arguments(&mut line, first);
    fold(&line, escape, text);
    if !bodies.is_empty() {
        text.push_str(bodies);
        text.push('\n');
    }
}

/// Appends arguments to what stands before them; a `--` keeps them from being flags.
fn push_arguments(line: &mut String, arguments: &str) {
    if arguments.starts_with("--") {
        line.push_str(" --");
    }
    if !arguments.is_empty() {
        line.push(' ');
        line.push_str(arguments);
    }
}

/// Appends a logical line as one physical line, or as several where it is too long for one.
fn fold(line: &str, escape: char, text: &mut String) {
    // Behind a blank that is no space or tab an escape continues nothing, and the blank is cut off.
    let end = if lines::continued(line, escape).is_some() { "\u{C}" } else { "" };
    let mut rest = line;
    while rest.len() + end.len() > LONGEST
        && let Some(at) = fold_at(rest, escape)
    {
        text.push_str(&rest[..at]);
        text.push(escape);
        text.push('\n');
        rest = &rest[at..];
    }
    text.push_str(rest);
    text.push_str(end);
    text.push('\n');
}

/// The last offset where a long line may be broken: not behind an escape, where the mark would be
/// none, nor before what would be a comment.
fn fold_at(line: &str, escape: char) -> Option<usize> {
    let longest = line.floor_char_boundary(LONGEST - escape.len_utf8());
    let mut next = line[longest..].chars().find(|c| !c.is_whitespace());
    let mut at = longest;
    for before in line[..longest].chars().rev() {
        if before != escape && next.is_some_and(|next| next != '#') {
            return Some(at);
        }
        at -= before.len_utf8();
        if !before.is_whitespace() {
            next = Some(before);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_not_broken_where_that_would_say_something_else() {
        let long = |end: &str| format!("RUN {}{end}", "x".repeat(LONGEST - 8));
        for (line, last) in [
            (long("abcdefgh"), "defgh"),
            (long("a\\\\\\\\fgh"), "\\\\\\\\fgh"),
            (long("ab##efgh"), "b##efgh"),
            (long("ab  #fgh"), "b  #fgh"),
            (long("abcé…fgh"), "é…fgh"),
        ] {
            let mut text = String::new();
            fold(&line, '\\', &mut text);
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[1], last);
            assert!(lines[0].len() <= LONGEST);
        }
    }
}
