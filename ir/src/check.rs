//! `# check=…`: which build checks are silent, which experimental ones speak, whether warnings fail.
//!
//! Written as a directive at the top of a file, as a comment above an instruction, or given as the
//! build argument `BUILDKIT_DOCKERFILE_CHECK` (BuildKit `linter.ParseLintOptions`).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic};
use crate::instruction::Text;
use crate::source::Span;
use crate::{parse_bool, suggest};

/// The options of one `check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What stands behind `check=`, as written.
    pub text: Text,
    /// The comment.
    pub span: Span,
    /// Checks that are to be silent.
    pub skip: Selection,
    /// Experimental checks that are to speak.
    pub experimental: Selection,
    /// Whether a warning fails the build. It has no effect above an instruction.
    pub error: bool,
    /// Options that cannot be read (errors), and text that has no effect (warnings). They matter
    /// where the options are used, for the build argument replaces the directive unread.
    pub problems: Vec<Diagnostic>,
}

/// Some of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// `all`.
    pub all: bool,
    /// Names as written, known or not.
    pub names: Vec<Text>,
}

impl Selection {
    /// Whether it holds a check by name.
    pub fn names(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.value == name)
    }
}

/// The options, in alphabetical order.
const OPTIONS: [&str; 3] = ["error", "experimental", "skip"];

/// How many options are read.
const MOST: usize = 3;

impl Check {
    /// Reads the value of a directive or comment. As in BuildKit it ends at the first space.
    pub fn comment(text: Text, span: Span) -> Self {
        let value = text.value.clone();
        let (read, cut) = value.split_once(' ').unwrap_or((&value, ""));
        let mut check = Self::read(text, span, read.len());
        if !cut.trim().is_empty() {
            let at = check.at(read.len()..value.len());
            let message = "nothing behind the blank is read";
            check.problems.push(
                Diagnostic::warning(Code::BadCheck, at, message)
                    .help("write the options without blanks: `skip=A,B;error=true`"),
            );
        }
        check
    }

    /// Reads the value of the build argument, which has no place in the file.
    pub fn argument(value: &str) -> Self {
        let text = Text { value: value.to_owned(), span: Span::default() };
        Self::read(text, Span::default(), value.len())
    }

    fn read(text: Text, span: Span, end: usize) -> Self {
        let value = text.value[..end].to_owned();
        let mut check = Self {
            text,
            span,
            skip: Selection::default(),
            experimental: Selection::default(),
            error: false,
            problems: Vec::new(),
        };
        if value.trim().is_empty() {
            return check;
        }
        let mut given = Vec::new();
        let mut start = 0;
        for part in value.splitn(MOST, ';') {
            check.part(part, start, &mut given);
            start += part.len() + 1;
        }
        check
    }

    /// Reads one `option=value` that begins at an offset of the text.
    fn part<'t>(&mut self, part: &'t str, start: usize, given: &mut Vec<&'t str>) {
        let whole = start..start + part.len();
        if let Some(extra) = part.find(';') {
            let at = self.at(start + extra..whole.end);
            let message = format!("only {MOST} options are read: this belongs to the last of them");
            self.problems.push(
                Diagnostic::warning(Code::BadCheck, at, message).help("give each option once"),
            );
        }
        let (name, given_value) = part.split_once('=').unwrap_or((part, ""));
        let value_start = start + name.len() + 1;
        let name = name.trim();
        if !part.contains('=') || !OPTIONS.contains(&name) {
            self.unknown(name, whole);
            return;
        }
        if given.contains(&name) {
            let message = format!("`{name}` is given twice");
            let at = self.at(whole);
            self.problems.push(
                Diagnostic::warning(Code::BadCheck, at, message)
                    .help("put all names behind one, with commas: of two lists the last counts"),
            );
        }
        given.push(name);
        match name {
            "skip" => self.skip = self.selection(given_value, value_start, self.skip.all),
            "experimental" => {
                let all = self.experimental.all;
                self.experimental = self.selection(given_value, value_start, all);
            }
            _ => self.set_error(given_value, value_start),
        }
    }

    fn selection(&self, value: &str, start: usize, all: bool) -> Selection {
        if value.trim() == "all" {
            return Selection { all: true, names: Vec::new() };
        }
        let mut names = Vec::new();
        let mut at = start;
        for name in value.split(',') {
            let indent = name.len() - name.trim_start().len();
            let name_start = at + indent;
            let value = name.trim().to_owned();
            let span = self.at(name_start..name_start + value.len());
            names.push(Text { value, span });
            at += name.len() + 1;
        }
        Selection { all, names }
    }

    fn set_error(&mut self, value: &str, start: usize) {
        let at = self.at(start..start + value.len());
        let value = value.trim();
        if let Some(error) = parse_bool(value) {
            self.error = error;
            return;
        }
        let message = format!("`error` is `{}`, not true or false", suggest::shown(value));
        self.problems.push(
            Diagnostic::error(Code::BadCheck, at, message)
                .help("write `error=true` or `error=false`"),
        );
    }

    fn unknown(&mut self, name: &str, range: Range<usize>) {
        let message = match name {
            "" => "an option of `check` is missing".to_owned(),
            name if OPTIONS.contains(&name) => format!("the option `{name}` has no value"),
            name => format!("`{}` is no option of `check`", suggest::shown(name)),
        };
        let problem = Diagnostic::error(Code::BadCheck, self.at(range), message);
        self.problems.push(match suggest::nearest(name, OPTIONS) {
            Some(known) => problem.help(format!("write `{known}=…`")),
            None => problem.help(
                "the options are `skip=…`, `experimental=…` and `error=true`, with a `;` and no \
                 blank between them",
            ),
        });
    }

    /// The place of a part of the text; all of it where the text stands nowhere.
    fn at(&self, range: Range<usize>) -> Span {
        let span = self.text.span;
        if span.end() - span.start() == self.text.value.len() {
            Span::new(span.start() + range.start, span.start() + range.end)
        } else {
            span
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Check {
        Check::comment(
            Text { value: value.to_owned(), span: Span::new(0, value.len()) },
            Span::default(),
        )
    }

    fn problems(value: &str) -> Vec<(bool, &str)> {
        let problems = read(value).problems;
        problems.iter().map(|p| (p.is_error(), &value[p.span.start()..p.span.end()])).collect()
    }

    #[test]
    fn options_are_read_with_their_names() {
        let check = read("skip=A,B;experimental=all;error=true");
        assert!(check.skip.names("A") && check.skip.names("B") && !check.skip.all);
        assert!(check.experimental.all && check.error);
        assert_eq!(check.problems, []);
        assert_eq!(check.skip.names[1].span, Span::new(7, 8));
        assert!(Check::argument(" skip = A , B ; error = 1 ").skip.names("B"));
        assert!(!Check::argument("").error);
    }

    #[test]
    fn what_is_not_read_is_told() {
        assert_eq!(problems("skip=A error=true"), [(false, " error=true")]);
        assert_eq!(problems("skip=A;error=1;experimental=B;skip=C"), [(false, ";skip=C")]);
        assert_eq!(problems("skip=A;skip=B"), [(false, "skip=B")]);
        assert_eq!(problems("skip=A; error=true"), [(true, ""), (false, " error=true")]);
        assert_eq!(problems("skp=A"), [(true, "skp=A")]);
        assert_eq!(problems("skip"), [(true, "skip")]);
        assert_eq!(problems("error=yes"), [(true, "yes")]);
    }
}
