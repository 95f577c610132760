//! A word into a [`Template`]: quotes, escapes, `$name` and `${name…}` (BuildKit `shell/lex.go`).

use ir::Template;
use ir::template::{Modifier, Part};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::{Fragment, Origin};

#[derive(Parser)]
#[grammar = "template.pest"]
struct Pieces;

/// What may mean something where it stands. Most words have none of it.
const MARKS: &[u8] = b"$'\"\\`}/";

/// How deep `${…}` may stand within `${…}`. No Dockerfile needs it; it keeps the tree flat enough
/// for everything that walks or prints it.
const DEEPEST: usize = 16;

/// Reads a word of an instruction.
pub(crate) fn word(fragment: Fragment<'_>, escape: char) -> Template {
    Reader { fragment, at: 0, escape, quotes: true, depth: 0 }.whole()
}

/// Reads a heredoc body: quotes are literal and the escape is always the backslash.
pub(crate) fn body(fragment: Fragment<'_>) -> Template {
    Reader { fragment, at: 0, escape: '\\', quotes: false, depth: 0 }.whole()
}

/// A template of exactly this text.
pub(crate) fn verbatim(fragment: Fragment<'_>) -> Template {
    Template::literal(fragment.text(), fragment.span())
}

/// Reads a word that stands alone: `span_start` is the offset of its first byte.
pub(crate) fn standalone(text: &str, escape: char, span_start: usize) -> Template {
    let mut joined = Origin::Source.joined(span_start);
    joined.push(text, span_start);
    word(joined.whole(), escape)
}

/// The offset behind the quote or variable that stands at `at`, or `at` where none does; `None`
/// if it does not end, or cannot be read.
pub(crate) fn skip(fragment: Fragment<'_>, at: usize, escape: char) -> Option<usize> {
    let mut reader = Reader { fragment, at, escape, quotes: true, depth: 0 };
    let mut ignored = Vec::new();
    match reader.peek()? {
        '$' => reader.dollar(&mut ignored, false).ok()?,
        '\'' => reader.single(&mut ignored).ok()?,
        '"' => reader.double(&mut ignored, false).ok()?,
        _ => {}
    }
    Some(reader.at)
}

/// Why the rest of a word cannot be read.
struct Malformed {
    message: String,
    help: &'static str,
    /// Offset of the first byte of what cannot be read; it runs to the end.
    at: usize,
}

/// What to do about a quote or a brace that does not end.
const CLOSE: &str = "close it, or put an escape before it";

/// What the reader of a nested word stops at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    /// This character, which is consumed.
    At(char),
}

struct Reader<'a> {
    fragment: Fragment<'a>,
    /// Offset of the next byte.
    at: usize,
    escape: char,
    /// Whether quotes quote.
    quotes: bool,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn whole(mut self) -> Template {
        let mut parts = Vec::new();
        // BuildKit's scanner takes a byte order mark before a word for that of a file.
        if self.peek() == Some('\u{FEFF}') {
            self.next();
        }
        if let Err(Malformed { message, help, at }) = self.until(Stop::End, false, &mut parts) {
            let span = self.fragment.from(at).span();
            parts.push(Part::Malformed { message, help: help.to_owned(), span });
        }
        // A large file has millions of templates, and most of them one part.
        parts.shrink_to_fit();
        Template { raw: self.fragment.text().to_owned(), parts, span: self.fragment.span() }
    }

    fn rest(&self) -> &'a str {
        &self.fragment.text()[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Reads up to `stop`. With `raw`, escapes stay in the text.
    fn until(&mut self, stop: Stop, raw: bool, parts: &mut Vec<Part>) -> Result<(), Malformed> {
        while let Some(next) = self.peek() {
            match next {
                _ if stop == Stop::At(next) => {
                    self.at += next.len_utf8();
                    return Ok(());
                }
                '$' => self.dollar(parts, false)?,
                '\'' if self.quotes => self.single(parts)?,
                '"' if self.quotes => self.double(parts, raw)?,
                _ if next == self.escape => self.escaped(parts, raw),
                _ => self.plain(parts, false),
            }
        }
        match stop {
            Stop::End => Ok(()),
            Stop::At(_) => Err(Malformed { message: String::new(), help: CLOSE, at: self.at }),
        }
    }

    /// An unquoted escape and the character that it makes literal. At the end it is dropped.
    fn escaped(&mut self, parts: &mut Vec<Part>, raw: bool) {
        let start = self.at;
        self.at += self.escape.len_utf8();
        let literal = self.at;
        self.next();
        let start = if raw { start } else { literal };
        push_text(parts, &self.fragment.text()[start..self.at], true);
    }

    fn single(&mut self, parts: &mut Vec<Part>) -> Result<(), Malformed> {
        let pair = Pieces::parse(Rule::single_quoted, self.rest())
            .ok()
            .and_then(|mut pairs| pairs.next())
            .ok_or_else(|| Malformed {
                message: "unterminated single quote".into(),
                help: CLOSE,
                at: self.at,
            })?;
        self.at += pair.as_str().len();
        let inside = pair.into_inner().next().expect("a quoted text has an inside");
        push_quoted(parts, inside.as_str());
        Ok(())
    }

    fn double(&mut self, parts: &mut Vec<Part>, raw: bool) -> Result<(), Malformed> {
        let open = self.at;
        self.at += 1;
        push_quoted(parts, "");
        loop {
            match self.peek() {
                None => {
                    return Err(Malformed {
                        message: "unterminated double quote".into(),
                        help: CLOSE,
                        at: open,
                    });
                }
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('$') => self.dollar(parts, true)?,
                Some(next) if next == self.escape => self.escaped_in_quotes(parts, raw),
                Some(_) => self.plain(parts, true),
            }
        }
    }

    /// In double quotes the escape is one only before `"`, `$` and itself.
    fn escaped_in_quotes(&mut self, parts: &mut Vec<Part>, raw: bool) {
        let mut escape = [0; 4];
        let escape: &str = self.escape.encode_utf8(&mut escape);
        self.at += escape.len();
        if raw {
            push_quoted(parts, escape);
        }
        match self.peek() {
            None => {}
            Some(next) if next == '"' || next == '$' || next == self.escape => {
                let start = self.at;
                self.at += next.len_utf8();
                push_quoted(parts, &self.fragment.text()[start..self.at]);
            }
            Some(_) => push_quoted(parts, escape),
        }
    }

    /// Text up to the next character that may mean something, or that character itself.
    fn plain(&mut self, parts: &mut Vec<Part>, quoted: bool) {
        let rest = self.rest();
        let marked = rest.bytes().position(|byte| MARKS.contains(&byte));
        let text = &rest[..marked.map_or(rest.len(), |at| at.max(1))];
        self.at += text.len();
        push_text(parts, text, quoted);
    }

    fn dollar(&mut self, parts: &mut Vec<Part>, quoted: bool) -> Result<(), Malformed> {
        let start = self.at;
        let (name, modifier) = if self.rest().starts_with("${") {
            self.braced()?
        } else {
            let pairs = Pieces::parse(Rule::dollar, self.rest()).expect("a `$` is a piece");
            let text = pairs.as_str();
            self.at += text.len();
            if text == "$" {
                push_text(parts, "$", quoted);
                return Ok(());
            }
            (text[1..].to_owned(), None)
        };
        let span = self.fragment.part(start..self.at).span();
        let modifier = modifier.map(Box::new);
        parts.push(Part::Variable { name, modifier, quoted, span });
        Ok(())
    }

    fn braced(&mut self) -> Result<(String, Option<Modifier>), Malformed> {
        let start = self.at;
        let Ok(pairs) = Pieces::parse(Rule::braced, self.rest()) else {
            return Err(not_braced(self.rest(), start));
        };
        self.at += pairs.as_str().len();
        let mut name = String::new();
        let mut modifier = None;
        for pair in pairs.flatten() {
            match pair.as_rule() {
                Rule::name => pair.as_str().clone_into(&mut name),
                Rule::conditional => modifier = Some(self.conditional(start, pair.as_str())?),
                Rule::trim => modifier = Some(self.trim(start, pair.as_str())?),
                Rule::replace => modifier = Some(self.replace(start, pair.as_str())?),
                Rule::single_quoted
                | Rule::inside
                | Rule::dollar
                | Rule::lone
                | Rule::variable
                | Rule::braced
                | Rule::operator
                | Rule::close
                | Rule::colon
                | Rule::condition => {}
            }
        }
        Ok((name, modifier))
    }

    fn conditional(&mut self, start: usize, operator: &str) -> Result<Modifier, Malformed> {
        let word = self.nested(start, '}', false)?;
        let colon = operator.starts_with(':');
        Ok(match operator.trim_start_matches(':') {
            "-" => Modifier::Default { colon, word },
            "+" => Modifier::Alternate { colon, word },
            _ => Modifier::Required { colon, word },
        })
    }

    fn trim(&mut self, start: usize, operator: &str) -> Result<Modifier, Malformed> {
        let pattern = self.nested(start, '}', true)?;
        let longest = operator.len() == 2;
        Ok(if operator.starts_with('#') {
            Modifier::TrimPrefix { longest, pattern }
        } else {
            Modifier::TrimSuffix { longest, pattern }
        })
    }

    fn replace(&mut self, start: usize, operator: &str) -> Result<Modifier, Malformed> {
        let pattern = self.nested(start, '/', true)?;
        let replacement = self.nested(start, '}', true)?;
        Ok(Modifier::Replace { all: operator == "//", pattern, replacement })
    }

    /// A word within the `${` at `start`, up to `stop`. With `raw`, its escapes stay in it.
    fn nested(&mut self, start: usize, stop: char, raw: bool) -> Result<Template, Malformed> {
        if self.depth == DEEPEST {
            let message = format!("`${{…}}` is nested more than {DEEPEST} deep");
            return Err(Malformed { message, help: "nest fewer of them", at: start });
        }
        let word = self.at;
        let mut parts = Vec::new();
        self.depth += 1;
        let result = self.until(Stop::At(stop), raw, &mut parts);
        self.depth -= 1;
        if let Err(malformed) = result {
            return Err(if self.peek().is_none() && malformed.message.is_empty() {
                let message = format!("missing `{stop}` in `${{…}}`");
                Malformed { message, help: CLOSE, at: start }
            } else {
                malformed
            });
        }
        let text = self.fragment.part(word..self.at - stop.len_utf8());
        parts.shrink_to_fit();
        Ok(Template { raw: text.text().to_owned(), parts, span: text.span() })
    }
}

/// Why what begins with `${` at `at` is no variable.
fn not_braced(text: &str, at: usize) -> Malformed {
    const MODIFIERS: &str =
        "use one of `-`, `+` and `?`, with or without a `:` before it, `#`, `%` or `/`";
    const NAME: &str = "put the name of a variable between the braces, or an escape before the `$`";
    let inside = &text[2..];
    let name = Pieces::parse(Rule::name, inside).map_or(0, |pairs| pairs.as_str().len());
    let behind = &inside[name..];
    let modifier: String =
        behind.chars().take(if behind.starts_with(':') { 2 } else { 1 }).collect();
    let (message, help) = if modifier.is_empty() || modifier == ":" {
        ("missing `}` in `${…}`".to_owned(), CLOSE)
    } else if inside.starts_with(['{', '}', ':']) {
        ("`${…}` without a name".to_owned(), NAME)
    } else {
        (format!("unsupported modifier `{modifier}` in `${{…}}`"), MODIFIERS)
    };
    Malformed { message, help, at }
}

/// Appends text, to the last part where that is of the same kind.
fn push_text(parts: &mut Vec<Part>, more: &str, is_quoted: bool) {
    if let Some(Part::Literal { text, quoted }) = parts.last_mut()
        && *quoted == is_quoted
    {
        text.push_str(more);
    } else if is_quoted || !more.is_empty() {
        parts.push(Part::Literal { text: more.to_owned(), quoted: is_quoted });
    }
}

fn push_quoted(parts: &mut Vec<Part>, more: &str) {
    push_text(parts, more, true);
}
