//! Text that may hold variables, as it was written: literal and variable parts, unexpanded.
//!
//! Read by the grammar from one word (BuildKit `shell/lex.go`), given a value by the planner.

use serde::{Deserialize, Serialize};

use crate::source::Span;

/// One word or line with its variables still in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The text as written, continuation lines joined, quotes and escapes still there.
    pub raw: String,
    /// What it consists of, in order.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub span: Span,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Text that stands for itself: quotes removed, escapes resolved.
    Literal {
        /// The text; may be empty for a quoted empty word.
        text: String,
        /// Whether it stood in quotes or behind an escape. A blank in such a part does not split
        /// a word where results are split (`EXPOSE`).
        quoted: bool,
    },
    /// `$name` or `${name…}`.
    Variable {
        /// Letters, digits and `_`, or one of the special one-character names.
        name: String,
        /// What stands between the name and the `}`.
        modifier: Option<Box<Modifier>>,
        /// Whether it stood in double quotes.
        quoted: bool,
        /// From the `$` to the last character.
        span: Span,
    },
    /// What cannot be read. An error when the template is expanded, and only then: a default that
    /// is not needed may be wrong. Always the last part.
    Malformed {
        /// What is wrong, as a diagnostic says it.
        message: String,
        /// What to do about it, likewise.
        help: String,
        /// Where.
        span: Span,
    },
}

/// What `${name…}` does with the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// `-` and `:-`: the word, if the variable is unset (or, with the colon, empty).
    Default {
        /// Whether empty counts as unset.
        colon: bool,
        /// What to use instead.
        word: Template,
    },
    /// `+` and `:+`: the word, if the variable is set (and, with the colon, not empty).
    Alternate {
        /// Whether empty counts as unset.
        colon: bool,
        /// What to use instead.
        word: Template,
    },
    /// `?` and `:?`: an error with the word, if the variable is unset (or empty).
    Required {
        /// Whether empty counts as unset.
        colon: bool,
        /// The message; may be empty.
        word: Template,
    },
    /// `#` and `##`: cut off what matches at the start.
    TrimPrefix {
        /// Whether the longest match is cut (`##`).
        longest: bool,
        /// A glob of `*` and `?`; escapes (`\*`, `\?`, `\\`) are still in it after expansion.
        pattern: Template,
    },
    /// `%` and `%%`: cut off what matches at the end.
    TrimSuffix {
        /// Whether the longest match is cut (`%%`).
        longest: bool,
        /// A glob, as in [`Modifier::TrimPrefix`].
        pattern: Template,
    },
    /// `/` and `//`: replace what matches; matches are always greedy.
    Replace {
        /// Whether every match is replaced (`//`).
        all: bool,
        /// A glob, as in [`Modifier::TrimPrefix`].
        pattern: Template,
        /// What stands there afterwards.
        replacement: Template,
    },
}

impl Template {
    /// A template that stands for exactly this text.
    pub fn literal(text: impl Into<String>, span: Span) -> Self {
        let raw = text.into();
        let parts = vec![Part::Literal { text: raw.clone(), quoted: false }];
        Self { raw, parts, span }
    }

    /// All variables in it with their places, also those within modifiers, in order of appearance.
    pub fn variables(&self) -> Vec<(&str, Span)> {
        let mut names = Vec::new();
        self.collect_variables(&mut names);
        names
    }

    fn collect_variables<'a>(&'a self, names: &mut Vec<(&'a str, Span)>) {
        for part in &self.parts {
            let Part::Variable { name, modifier, quoted: _, span } = part else { continue };
            names.push((name, *span));
            match modifier.as_deref() {
                None => {}
                Some(
                    Modifier::Default { word, colon: _ }
                    | Modifier::Alternate { word, colon: _ }
                    | Modifier::Required { word, colon: _ },
                ) => word.collect_variables(names),
                Some(
                    Modifier::TrimPrefix { pattern, longest: _ }
                    | Modifier::TrimSuffix { pattern, longest: _ },
                ) => pattern.collect_variables(names),
                Some(Modifier::Replace { pattern, replacement, all: _ }) => {
                    pattern.collect_variables(names);
                    replacement.collect_variables(names);
                }
            }
        }
    }
}
