//! The patterns of `${name#…}`, `${name%…}` and `${name/…}`: `*` and `?`, nothing else.
//!
//! BuildKit turns them into Go regular expressions. What shows of that is kept: neither wildcard
//! matches a newline, and the replacement of `//` is a regexp template in which `$name` stands
//! for a group that does not exist.

use super::value::LIMIT;

/// A pattern, read.
#[derive(Debug)]
pub(crate) struct Glob(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Star,
    Any,
    Exactly(char),
}

/// How much a `*` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Shortest,
    Longest,
}

impl Glob {
    /// Reads a pattern. `\` stands before `*`, `?` and `\` to mean them, and before `}` and `/`
    /// because those end the pattern; nowhere else.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '?' | '\\' | '}' | '/')) => Token::Exactly(escaped),
                    Some(other) => return Err(format!("`\\{other}` is no escape")),
                    None => return Err("it ends in `\\`".to_owned()),
                },
                other => Token::Exactly(other),
            });
        }
        Ok(Self(tokens))
    }

    /// The text without what matches at its start.
    pub(crate) fn trim_prefix(&self, text: &str, length: Length) -> String {
        let characters: Vec<char> = text.chars().collect();
        let end = ends(&self.0, &characters, length)[0].unwrap_or(0);
        characters[end..].iter().collect()
    }

    /// The text without what matches at its end: the reversed pattern at the reversed start.
    pub(crate) fn trim_suffix(&self, text: &str, length: Length) -> String {
        let reversed: Vec<char> = text.chars().rev().collect();
        let tokens: Vec<Token> = self.0.iter().rev().copied().collect();
        let end = ends(&tokens, &reversed, length)[0].unwrap_or(0);
        reversed[end..].iter().rev().collect()
    }

    /// The text with the first match replaced, verbatim.
    pub(crate) fn replace_first(&self, text: &str, replacement: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let ends = ends(&self.0, &characters, Length::Longest);
        let first = ends.iter().enumerate().find_map(|(start, end)| Some((start, (*end)?)));
        match first {
            None => text.to_owned(),
            Some((start, end)) => {
                let mut replaced: String = characters[..start].iter().collect();
                replaced.push_str(replacement);
                replaced.extend(&characters[end..]);
                replaced
            }
        }
    }

    /// The text with every match replaced, as Go's `Regexp.ReplaceAllString` does: an empty match
    /// directly behind another match does not count. Ends early once it is too long to be used.
    pub(crate) fn replace_all(&self, text: &str, replacement: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let ends = ends(&self.0, &characters, Length::Longest);
        let (mut replaced, mut copied, mut search) = (String::new(), 0, 0);
        while let Some((start, end)) =
            (search..ends.len()).find_map(|start| Some((start, ends[start]?)))
        {
            replaced.extend(&characters[copied..start]);
            if end > copied || start == 0 {
                let matched: String = characters[start..end].iter().collect();
                replaced.push_str(&fill(replacement, &matched));
            }
            copied = end;
            search = end.max(search + 1);
            if replaced.len() > LIMIT {
                return replaced;
            }
        }
        replaced.extend(&characters[copied..]);
        replaced
    }
}

/// For each start, where the preferred match from there ends: what a backtracking matcher would
/// find first. One row a token, from the last to the first.
fn ends(tokens: &[Token], text: &[char], length: Length) -> Vec<Option<usize>> {
    let mut after: Vec<Option<usize>> = (0..=text.len()).map(Some).collect();
    for token in tokens.iter().rev() {
        let mut row = vec![None; text.len() + 1];
        for start in (0..=text.len()).rev() {
            let next = text.get(start);
            row[start] = match token {
                Token::Exactly(wanted) if next == Some(wanted) => after[start + 1],
                Token::Any if next.is_some_and(|found| *found != '\n') => after[start + 1],
                Token::Exactly(_) | Token::Any => None,
                Token::Star => {
                    let more = next.filter(|found| **found != '\n').and_then(|_| row[start + 1]);
                    match length {
                        Length::Longest => more.or(after[start]),
                        Length::Shortest => after[start].or(more),
                    }
                }
            };
        }
        after = row;
    }
    after
}

/// Go's `Regexp.Expand` for an expression without groups: `$0` is the match, `$$` a dollar, and
/// every other `$name` empty.
fn fill(template: &str, matched: &str) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            filled.push('$');
            rest = after;
            continue;
        }
        let (inner, braced) = match rest.strip_prefix('{') {
            Some(inner) => (inner, true),
            None => (rest, false),
        };
        let word = |character: char| character.is_alphanumeric() || character == '_';
        let end = inner.find(|character| !word(character)).unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        let after = if braced { after.strip_prefix('}') } else { Some(after) };
        match after {
            Some(after) if !name.is_empty() => {
                if name == "0" {
                    filled.push_str(matched);
                }
                rest = after;
            }
            Some(_) | None => filled.push('$'),
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_takes_the_shortest_or_the_longest_match() {
        for (pattern, text, shortest, longest) in [
            ("a*c", "abcabc", "abc", ""),
            ("*x", "xxyy", "xyy", "yy"),
            ("?\\?", "???y", "?y", "?y"),
            ("z", "xxyy", "xxyy", "xxyy"),
            ("*", "a\nb", "a\nb", "\nb"),
        ] {
            let glob = Glob::parse(pattern).unwrap();
            assert_eq!(glob.trim_prefix(text, Length::Shortest), shortest, "{pattern}");
            assert_eq!(glob.trim_prefix(text, Length::Longest), longest, "{pattern}");
        }
        let glob = Glob::parse("b*").unwrap();
        assert_eq!(glob.trim_suffix("abcabc", Length::Shortest), "abca");
        assert_eq!(glob.trim_suffix("abcabc", Length::Longest), "a");
    }

    #[test]
    fn replacing_all_follows_go() {
        for (pattern, text, replacement, expected) in [
            ("b", "abcabc", "X", "aXcaXc"),
            ("", "ab", "-", "-a-b-"),
            ("*", "ab", "x", "x"),
            ("b", "abc", "[$0$1]", "a[b]c"),
            ("b", "abc", "$$ $- ${x", "a$ $- ${xc"),
        ] {
            let replaced = Glob::parse(pattern).unwrap().replace_all(text, replacement);
            assert_eq!(replaced, expected, "{pattern}");
        }
        assert_eq!(Glob::parse("").unwrap().replace_first("ab", "ww"), "wwab");
    }

    #[test]
    fn only_wildcards_and_enders_can_be_escaped() {
        assert!(Glob::parse("\\n").is_err());
        assert!(Glob::parse("a\\").is_err());
        assert!(Glob::parse("\\}\\/\\*\\?\\\\").is_ok());
    }
}
