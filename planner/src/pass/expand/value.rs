//! The value of one template in one environment (BuildKit `shell/lex.go`).

use ir::template::{Modifier, Part};
use ir::{Code, Diagnostic, Span, Template};

use super::Env;
use super::glob::{Glob, Length};

/// How many bytes variables may bring into one value, so that a few lines that double each other
/// cannot fill the memory. A process could not be given a tenth of it.
pub(super) const LIMIT: usize = 1 << 20;

/// The most steps that matching one pattern may take.
const MATCHING_LIMIT: usize = 1 << 28;

/// The value as one word: nothing is split.
pub(crate) fn value(template: &Template, env: &Env) -> Result<String, Diagnostic> {
    let mut text = String::new();
    let mut brought = 0;
    for part in &template.parts {
        match part {
            Part::Literal { text: literal, quoted: _ } => text.push_str(literal),
            Part::Variable { name, modifier, quoted: _, span } => {
                let variable = variable(name, modifier.as_ref(), *span, env)?;
                brought += variable.len();
                if brought > LIMIT {
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

/// The value as words: split at blanks that are not quoted.
pub(crate) fn words(template: &Template, env: &Env) -> Result<Vec<String>, Diagnostic> {
    let mut words = Words::default();
    for part in &template.parts {
        match part {
            Part::Literal { text, quoted } => words.push(text, *quoted),
            Part::Variable { name, modifier, quoted, span } => {
                let text = variable(name, modifier.as_ref(), *span, env)?;
                // BuildKit reads the word of a modifier into the buffer that also holds the
                // beginning of the current word, which is so lost (`lex.jsonl` has it).
                if modifier.as_ref().is_some_and(has_word) {
                    words.forget();
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

#[derive(Default)]
struct Words {
    done: Vec<String>,
    current: String,
    started: bool,
}

impl Words {
    fn push(&mut self, text: &str, quoted: bool) {
        if quoted {
            self.current.push_str(text);
            self.started = true;
            return;
        }
        for character in text.chars() {
            if character.is_whitespace() {
                self.end();
            } else {
                self.current.push(character);
                self.started = true;
            }
        }
    }

    fn forget(&mut self) {
        self.current.clear();
        self.started = false;
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.started) {
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

/// The words of a modifier are always expanded, needed or not: what is wrong in one is an error
/// also where it would not be used.
fn variable(
    name: &str,
    modifier: Option<&Modifier>,
    span: Span,
    env: &Env,
) -> Result<String, Diagnostic> {
    let known = env.get(name);
    let filled = |colon: bool| known.filter(|text| !colon || !text.is_empty());
    let plain = known.unwrap_or_default();
    let Some(modifier) = modifier else { return Ok(plain.to_owned()) };
    let glob = |pattern: &Template| {
        let pattern = value(pattern, env)?;
        if pattern.len().saturating_mul(plain.len()) > MATCHING_LIMIT {
            let message = "the pattern and the value are too long to match";
            return Err(Diagnostic::error(Code::BadExpansion, span, message).help(SHORTER));
        }
        Glob::parse(&pattern).map_err(|reason| {
            let message = format!("the pattern `{pattern}` cannot be read: {reason}");
            let help = "write `\\` only before `*`, `?`, `}`, `/` or another one";
            Diagnostic::error(Code::BadExpansion, span, message).help(help)
        })
    };
    let length = |longest: bool| if longest { Length::Longest } else { Length::Shortest };
    match modifier {
        Modifier::Default { colon, word } => {
            let word = value(word, env)?;
            Ok(filled(*colon).map_or(word, str::to_owned))
        }
        Modifier::Alternate { colon, word } => {
            let word = value(word, env)?;
            Ok(if filled(*colon).is_some() { word } else { String::new() })
        }
        Modifier::Required { colon, word } => {
            let word = value(word, env)?;
            match (filled(*colon), known) {
                (Some(text), _) => Ok(text.to_owned()),
                (None, known) => Err(required(name, known.is_some(), &word, span)),
            }
        }
        Modifier::TrimPrefix { longest, pattern } => {
            Ok(glob(pattern)?.trim_prefix(plain, length(*longest)))
        }
        Modifier::TrimSuffix { longest, pattern } => {
            Ok(glob(pattern)?.trim_suffix(plain, length(*longest)))
        }
        Modifier::Replace { all, pattern, replacement } => {
            let (pattern, replacement) = (glob(pattern)?, value(replacement, env)?);
            Ok(if *all {
                pattern.replace_all(plain, &replacement)
            } else {
                pattern.replace_first(plain, &replacement)
            })
        }
    }
}

fn too_long(span: Span) -> Diagnostic {
    let message = format!("the variables bring more than {LIMIT} bytes");
    Diagnostic::error(Code::BadExpansion, span, message).help(SHORTER)
}

const SHORTER: &str = "keep long texts in a file";

fn required(name: &str, set: bool, word: &str, span: Span) -> Diagnostic {
    let message = match (word.is_empty(), set) {
        (false, _) => format!("`{name}` is required: {word}"),
        (true, false) => format!("`{name}` is required and not set"),
        (true, true) => format!("`{name}` is required and empty"),
    };
    Diagnostic::error(Code::RequiredVariable, span, message)
        .help(format!("declare it with `ARG {name}` and give it a value with `--build-arg`"))
}
