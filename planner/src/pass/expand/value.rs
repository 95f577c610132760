//! The value of one template in one environment (BuildKit `shell/lex.go`).

use std::borrow::Cow;

use ir::template::{Modifier, Part};
use ir::{Code, Diagnostic, Span, Template};

use super::Env;
use super::glob::{Glob, Length};
use crate::budget::Budget;

/// How many bytes variables may bring into one value, so that a few lines that double each other
/// cannot fill the memory. No process could be given a hundredth of it; only the file of a heredoc
/// can be that large.
pub(super) const LIMIT: usize = 1 << 24;

/// The value as one word: nothing is split.
pub(crate) fn value(template: &Template, env: &Env, budget: &Budget) -> Result<String, Diagnostic> {
    let scope = Scope { env, budget };
    scope.value(template)
}

/// The value as words: split at blanks that are not quoted.
pub(crate) fn words(
    template: &Template,
    env: &Env,
    budget: &Budget,
) -> Result<Vec<String>, Diagnostic> {
    let scope = Scope { env, budget };
    scope.words(template)
}

/// What a template is expanded with.
#[derive(Clone, Copy)]
struct Scope<'a> {
    env: &'a Env,
    budget: &'a Budget,
}
impl<'a> Scope<'a> {
    fn value(self, template: &Template) -> Result<String, Diagnostic> {
        let mut text = String::new();
        let mut brought = 0;
        for part in &template.parts {
            match part {
                Part::Literal { text: literal, quoted: _ } => text.push_str(literal),
                Part::Variable { name, modifier, quoted: _, span } => {
                    let variable = self.variable(name, modifier.as_deref(), *span)?;
                    brought += variable.len();
                    if brought > LIMIT {
                        self.budget.stop(*span);
                        return Err(too_long(*span));
                    }
                    text.push_str(&variable);
                }
                Part::Malformed { message, help, span } => {
                    let error = Diagnostic::error(Code::BadExpansion, *span, message.as_str());
                    return Err(error.help(help.as_str()));
                }
            }
        }
        Ok(text)
    }

    fn words(self, template: &Template) -> Result<Vec<String>, Diagnostic> {
        let mut words = Words::default();
        for part in &template.parts {
            match part {
                Part::Literal { text, quoted } => words.push(text, *quoted),
                Part::Variable { name, modifier, quoted, span } => {
                    let text = self.variable(name, modifier.as_deref(), *span)?;
                    // BuildKit reads the word of a modifier into the buffer that also holds the
                    // beginning of the current word, which is so lost (`lex.jsonl` has it). What stands
                    // in the same quotes is put there only at their end.
                    if modifier.as_deref().is_some_and(has_word) {
                        words.forget(*quoted);
                    }
                    words.push(&text, *quoted);
                }
                Part::Malformed { message, help, span } => {
                    let error = Diagnostic::error(Code::BadExpansion, *span, message.as_str());
                    return Err(error.help(help.as_str()));
                }
            }
        }
        Ok(words.finish())
    }

    /// The words of a modifier are always expanded, needed or not: what is wrong in one is an
    /// error also where it would not be used.
    fn variable(
        self,
        name: &str,
        modifier: Option<&Modifier>,
        span: Span,
    ) -> Result<Cow<'a, str>, Diagnostic> {
        let known = self.env.get(name);
        let plain = known.unwrap_or_default();
        let filled = |colon: bool| known.filter(|text| !colon || !text.is_empty());
        let text: Cow<'a, str> = match modifier {
            None => plain.into(),
            Some(Modifier::Default { colon, word }) => {
                let word = self.value(word)?;
                filled(*colon).map_or(word.into(), Cow::Borrowed)
            }
            Some(Modifier::Alternate { colon, word }) => {
                let word = self.value(word)?;
                if filled(*colon).is_some() { word.into() } else { "".into() }
            }
            Some(Modifier::Required { colon, word }) => {
                let word = self.value(word)?;
                let filled = filled(*colon);
                filled.ok_or_else(|| required(name, known.is_some(), &word, span))?.into()
            }
            Some(Modifier::TrimPrefix { longest, pattern }) => {
                let pattern = self.value(pattern)?;
                let (pattern, length) = trimmed(&pattern, '#', *longest);
                self.glob(pattern, plain, span)?.trim_prefix(plain, length).into()
            }
            Some(Modifier::TrimSuffix { longest, pattern }) => {
                let pattern = self.value(pattern)?;
                let (pattern, length) = trimmed(&pattern, '%', *longest);
                self.glob(pattern, plain, span)?.trim_suffix(plain, length).into()
            }
            Some(Modifier::Replace { all, pattern, replacement }) => {
                let pattern = self.glob(&self.value(pattern)?, plain, span)?;
                let replacement = self.value(replacement)?;
                if *all {
                    pattern.replace_all(plain, &replacement).into()
                } else {
                    pattern.replace_first(plain, &replacement).into()
                }
            }
        };
        self.budget.spend(text.len(), span)?;
        Ok(text)
    }

    /// A pattern that is to be matched with a text. Each of its characters is tried at each of the
    /// text's.
    fn glob(self, pattern: &str, text: &str, span: Span) -> Result<Glob, Diagnostic> {
        self.budget.spend(pattern.len().saturating_mul(text.len()), span)?;
        Glob::parse(pattern).map_err(|reason| {
            let message = format!("the pattern `{pattern}` cannot be read: {reason}");
            let help = "write `\\` only before `*`, `?`, `}`, `/` or another one";
            Diagnostic::error(Code::BadExpansion, span, message).help(help)
        })
    }
}

/// Words; none of them is empty, not even where it is quoted.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    current: String,
    /// How much of the current word stands before the quoted text at its end.
    unquoted: usize,
}

impl Words {
    fn push(&mut self, text: &str, quoted: bool) {
        if quoted {
            self.current.push_str(text);
            return;
        }
        for character in text.chars() {
            if character.is_whitespace() {
                self.end();
            } else {
                self.current.push(character);
            }
        }
        self.unquoted = self.current.len();
    }

    /// Drops the beginning of the current word; with `quoted` all but the quoted text at its end.
    fn forget(&mut self, quoted: bool) {
        let end = if quoted { self.unquoted } else { self.current.len() };
        self.current.drain(..end);
        self.unquoted = 0;
    }

    fn end(&mut self) {
        self.unquoted = 0;
        if !self.current.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.end();
        self.done
    }
}

/// Exhaustive, so that a new modifier has to be thought about here.
fn has_word(modifier: &Modifier) -> bool {
    match modifier {
        Modifier::Default { .. }
        | Modifier::Alternate { .. }
        | Modifier::Required { .. }
        | Modifier::TrimPrefix { .. }
        | Modifier::TrimSuffix { .. }
        | Modifier::Replace { .. } => true,
    }
}

/// The pattern of a trim, and how much it takes. As in BuildKit, the second `mark` is looked for
/// once the pattern is expanded: `${v#'#'}` is `${v##}`.
fn trimmed(pattern: &str, mark: char, longest: bool) -> (&str, Length) {
    match pattern.strip_prefix(mark) {
        _ if longest => (pattern, Length::Longest),
        Some(rest) => (rest, Length::Longest),
        None => (pattern, Length::Shortest),
    }
}

fn too_long(span: Span) -> Diagnostic {
    let message = format!("up to here the variables of one value have more than {LIMIT} bytes");
    Diagnostic::error(Code::PlanTooLarge, span, message).help("keep long texts in a file")
}

fn required(name: &str, set: bool, word: &str, span: Span) -> Diagnostic {
    let message = match (word.is_empty(), set) {
        (false, _) => format!("`{name}` is required: {word}"),
        (true, false) => format!("`{name}` is required and not set"),
        (true, true) => format!("`{name}` is required and empty"),
    };
    Diagnostic::error(Code::RequiredVariable, span, message)
        .help(format!("declare it with `ARG {name}` and give it a value with `--build-arg`"))
}
