//! `.dockerignore` text into patterns (moby `ignorefile`). Matching them is done elsewhere.

use std::fmt;

use pest::Parser as _;
use pest_derive::Parser;

use crate::suggest;

#[derive(Parser)]
#[grammar = "ignore.pest"]
struct Patterns;

/// A line of an ignore file that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreError {
    /// 1-based number of the line.
    pub line: usize,
    /// The pattern, cleaned.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: IgnoreProblem,
}

/// What can be wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoreProblem {
    /// A `!` with no pattern behind it.
    EmptyException,
    /// A `[` that does not end, or an escape of nothing.
    Malformed,
}

impl fmt::Display for IgnoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            IgnoreProblem::EmptyException => "an exception needs a pattern",
            IgnoreProblem::Malformed => "a bracket or an escape does not end",
        };
        write!(
            f,
            "bad pattern `{}` in line {}: {problem}",
            suggest::shown(&self.pattern),
            self.line
        )
    }
}

impl std::error::Error for IgnoreError {}

/// Reads an ignore file: the patterns in order, cleaned and without a leading `/`. An exception
/// keeps its `!` in front.
pub fn parse_ignore(text: &str) -> Result<Vec<String>, IgnoreError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut patterns = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        // Only at the very start: behind a blank, a `#` is part of a pattern.
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let (mark, pattern) = match line.trim().strip_prefix('!') {
            Some(pattern) => ("!", pattern.trim()),
            None => ("", line.trim()),
        };
        let pattern = clean(pattern);
        let error =
            |problem| IgnoreError { line: index + 1, pattern: format!("{mark}{pattern}"), problem };
        if !mark.is_empty() && matches!(pattern.as_str(), "" | "/") {
            return Err(error(IgnoreProblem::EmptyException));
        }
        if Patterns::parse(Rule::pattern, &pattern).is_err() {
            return Err(error(IgnoreProblem::Malformed));
        }
        patterns.push(format!("{mark}{pattern}"));
    }
    Ok(patterns)
}

/// Go's `filepath.Clean`, and a leading `/` dropped unless nothing else is left.
fn clean(pattern: &str) -> String {
    if pattern.is_empty() {
        return String::new();
    }
    let rooted = pattern.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in pattern.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if rooted => {}
            _ => names.push(name),
        }
    }
    match (names.is_empty(), rooted) {
        (true, true) => "/".to_owned(),
        (true, false) => ".".to_owned(),
        (false, _) => names.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let patterns = parse_ignore(text).unwrap();
        assert_eq!(patterns, expected, "{text:?}");
    }

    // rule: ignore.lines
    #[test]
    fn patterns_are_trimmed_cleaned_and_relative() {
        check("\u{feff}x\r\n  y z\t\n\n", &["x", "y z"]);
        check("/a/./b//c/../d/\n../e\n/..\n/\n./", &["a/b/d", "../e", "/", "/", "."]);
        check("!a\n! /b/\n!c", &["!a", "!b", "!c"]);
        check("**/[a-c]\\[?", &["**/[a-c]\\[?"]);
    }

    #[test]
    fn a_comment_begins_at_the_first_column() {
        check("#a\n #b\nc#d", &["#b", "c#d"]);
    }

    // rule: ignore.malformed
    #[test]
    fn a_bad_pattern_is_named_with_its_line() {
        let error = |text: &str| {
            let error = parse_ignore(text).unwrap_err();
            (error.line, error.problem)
        };
        assert_eq!(error("a\n#\n!\n"), (3, IgnoreProblem::EmptyException));
        assert_eq!(error("!/"), (1, IgnoreProblem::EmptyException));
        for text in ["[", "[]", "[]a]", "[^]", "[a-]", "[-a]", "a\\", "!["] {
            assert_eq!(error(text), (1, IgnoreProblem::Malformed), "{text}");
        }
    }
}
