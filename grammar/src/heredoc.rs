//! Heredocs: finding the words of a line that open one.

use std::ops::Range;

use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::Fragment;
use crate::{flags, json, template};

#[derive(Parser)]
#[grammar = "heredoc.pest"]
struct Openers;

/// A word that opens a heredoc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opener {
    /// Where in the logical line it stands.
    pub(crate) range: Range<usize>,
    /// The word that ends the body, quotes and escapes resolved. Never empty.
    pub(crate) name: String,
    /// The number before the `<<`.
    pub(crate) fd: u32,
    /// Whether nothing of the name is quoted.
    pub(crate) expand: bool,
    /// Whether it is `<<-`.
    pub(crate) strip_tabs: bool,
}

/// What a logical line opens.
#[derive(Debug)]
pub(crate) enum Opened {
    /// These, in order; often none.
    Heredocs(Vec<Opener>),
    /// The line has a `<<`, but a quote or a variable on it does not end, so that, as in BuildKit,
    /// no heredoc is found. What cannot be read begins at this offset of the line.
    Hidden(usize),
}

/// Finds the heredocs that a logical line opens. Only `RUN`, `COPY`, `ADD` and `ONBUILD` of these
/// have any, and not in the JSON form.
pub(crate) fn opened(line: Fragment<'_>, escape: char) -> Opened {
    if !line.text().contains("<<") || !can_open(line, escape) {
        return Opened::Heredocs(Vec::new());
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.text().len() {
        let end = match word_end(line, at) {
            Ok(end) => end,
            Err(unreadable) => return Opened::Hidden(unreadable),
        };
        found.extend(opener(&line.text()[at..end], at));
        let behind = &line.text()[end..];
        at = end + (behind.len() - behind.trim_start().len());
    }
    Opened::Heredocs(found)
}

fn can_open(line: Fragment<'_>, escape: char) -> bool {
    let head = flags::head(line, escape);
    let is = |keyword: &str, name: &str| keyword.eq_ignore_ascii_case(name);
    let inner =
        if is(head.keyword.text(), "ONBUILD") { flags::head(head.arguments, escape) } else { head };
    let keyword = inner.keyword.text();
    (is(keyword, "RUN") || is(keyword, "COPY") || is(keyword, "ADD"))
        && !matches!(json::read(inner.arguments), json::Form::Array(_))
}

/// Where the word that begins at `at` ends, or where in it something does not end.
fn word_end(line: Fragment<'_>, at: usize) -> Result<usize, usize> {
    let mut end = at;
    while let Some(next) = line.text()[end..].chars().next() {
        if next.is_whitespace() {
            break;
        }
        end = match next {
            '$' | '\'' | '"' => template::skip(line, end, '\\').ok_or(end)?,
            '\\' => {
                let behind = &line.text()[end + 1..];
                end + 1 + behind.chars().next().map_or(0, char::len_utf8)
            }
            '<' => behind_redirection(line.text(), end),
            _ => end + next.len_utf8(),
        };
    }
    Ok(end)
}

/// The offset behind the `<` at `at`. Blanks between `<<`, or `<<-`, and a word belong to the word.
fn behind_redirection(line: &str, at: usize) -> usize {
    let Some(behind) = line[at..].strip_prefix("<<") else { return at + 1 };
    let behind = behind.strip_prefix('-').unwrap_or(behind);
    let word = behind.trim_start();
    // With nothing behind it, it redirects nothing.
    let rest = if word.is_empty() { behind } else { word };
    line.len() - rest.len()
}

/// Reads one word that may open a heredoc; `at` is its offset in the line.
fn opener(word: &str, at: usize) -> Option<Opener> {
    if !word.contains("<<") {
        return None;
    }
    let pairs = Openers::parse(Rule::opener, word).ok()?;
    let mut opener = Opener {
        range: at..at + word.len(),
        name: String::new(),
        fd: 0,
        expand: true,
        strip_tabs: false,
    };
    for pair in pairs.flatten() {
        match pair.as_rule() {
            // A number that fits nothing is no file descriptor anybody has open.
            Rule::fd => opener.fd = pair.as_str().parse().unwrap_or(0),
            Rule::dash => opener.strip_tabs = true,
            Rule::quote => opener.expand = false,
            Rule::in_single
            | Rule::in_double
            | Rule::taken_in_double
            | Rule::taken
            | Rule::plain => {
                opener.name.push_str(pair.as_str());
            }
            Rule::EOI
            | Rule::opener
            | Rule::label
            | Rule::single
            | Rule::double
            | Rule::escaped
            | Rule::escaped_in_double => {}
        }
    }
    (!opener.name.is_empty()).then_some(opener)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span_map::Origin;

    /// Name, number, and the flags `e` (expanded) and `t` (tabs stripped) of what a word opens.
    fn read(word: &str) -> Option<(String, u32, String)> {
        let opener = opener(word, 0)?;
        let flag = |is: bool, flag: &str| if is { flag.to_owned() } else { String::new() };
        let flags = flag(opener.expand, "e") + &flag(opener.strip_tabs, "t");
        Some((opener.name, opener.fd, flags))
    }

    #[test]
    fn the_name_is_what_the_quotes_hold() {
        for (word, name, fd, flags) in [
            ("<<EOF", "EOF", 0, "e"),
            ("<<-EOF", "EOF", 0, "et"),
            ("3<<EOF", "EOF", 3, "e"),
            ("<< EOF", "EOF", 0, "e"),
            ("<<- EOF", "EOF", 0, "et"),
            ("<< -EOF", "-EOF", 0, "e"),
            ("<<'EOF'", "EOF", 0, ""),
            ("<<E\"O\"F", "EOF", 0, ""),
            ("<<\"a\\\"b\\c\"", "a\"b\\c", 0, ""),
            ("12<<-'x y'", "x y", 12, "t"),
            ("<<\\EOF", "EOF", 0, "e"),
            ("<<eo\\'f", "eo'f", 0, "e"),
            ("<<$X", "$X", 0, "e"),
            ("<<a/b);", "a/b);", 0, "e"),
            ("99999999999<<a", "a", 0, "e"),
        ] {
            assert_eq!(read(word), Some((name.to_owned(), fd, flags.to_owned())), "{word}");
        }
    }

    #[test]
    fn other_words_open_nothing() {
        for word in
            ["", "<<", "<<-", "<<<EOF", "<<EOF sh", "<<'EOF", "a<<EOF", "<<a<b", "<<''", "\"<<E\""]
        {
            assert_eq!(read(word), None, "{word}");
        }
    }

    fn check(line: &str, expected: &[&str]) {
        let mut joined = Origin::Source.joined(0);
        joined.push(line, 0);
        match opened(joined.whole(), '\\') {
            Opened::Heredocs(openers) => {
                let found: Vec<_> =
                    openers.iter().map(|opener| &line[opener.range.clone()]).collect();
                assert_eq!(found, expected, "{line}");
            }
            Opened::Hidden(at) => assert_eq!([&line[at..]], expected, "{line}"),
        }
    }

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        check(
            "RUN cat <<a 3<< 'b c' \"<<d\" \\<<e ${f:-<<g} $(h <<i)",
            &["<<a", "3<< 'b c'", "<<i)"],
        );
        check("run <<a", &["<<a"]);
        check("ONBUILD COPY --link <<a /", &["<<a"]);
        check("RUN cat <<", &[]);
        check("CMD <<a", &[]);
        check("ONBUILD CMD <<a", &[]);
        check("ADD [\"<<a\", \"b\"]", &[]);
    }

    #[test]
    fn what_does_not_end_hides_all_of_them() {
        check("RUN it's <<a", &["'s <<a"]);
        check("RUN <<a ${b^^} c", &["${b^^} c"]);
    }
}
