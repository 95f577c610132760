//! Go's `filepath.Match` patterns, and the `**` that `.dockerignore` adds to them.
//!
//! A pattern is run as a set of positions in it, so that time is bounded by the product of both
//! lengths whatever the pattern says.

use std::fmt;
use std::ops::RangeInclusive;

/// A pattern, parsed.
#[derive(Clone, Debug)]
pub struct Wildcard {
    tokens: Vec<Token>,
}

/// What `**` means in a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubleStar {
    /// Two stars, as in `filepath.Match`.
    Stars,
    /// Any number of directories, as in `.dockerignore`.
    Directories,
}

/// A pattern that is malformed: a `[` without its end, or a `\` with nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern } = self;
        write!(f, "cannot read pattern `{pattern}`: it has an open `[` or ends in `\\`")
    }
}

impl std::error::Error for PatternError {}

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `[…]`
    Class {
        negated: bool,
        ranges: Vec<RangeInclusive<char>>,
    },
    /// `**` at the end: anything.
    Rest,
    /// `**` elsewhere: nothing, or anything that ends in `/`. Always followed by `Inside`.
    Directories,
    /// The state in which a `Directories` has begun and not met its `/` yet.
    Inside,
}

/// How far a path got in a pattern.
struct Run {
    matched: Matched,
    /// Whether more text could match.
    alive: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Matched {
    Nothing,
    /// Not the whole path, but a directory it is in.
    Parent,
    Whole,
}

impl Wildcard {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// If it is malformed.
    pub fn parse(pattern: &str, double_star: DoubleStar) -> Result<Self, PatternError> {
        let malformed = || PatternError { pattern: pattern.to_owned() };
        // A pattern of `**` and plain text is a suffix for moby/patternmatcher, even in the middle
        // of a name; with anything special behind the stars it is not.
        if double_star == DoubleStar::Directories
            && let Some(suffix) = pattern.strip_prefix("**")
            && !suffix.starts_with('/')
            && !suffix.contains(['*', '?', '[', ']', '\\'])
        {
            let tokens = std::iter::once(Token::Rest).chain(suffix.chars().map(Token::Char));
            return Ok(Self { tokens: tokens.collect() });
        }
        let mut tokens = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(char) = rest.next() {
            match char {
                '*' if double_star == DoubleStar::Directories && rest.peek() == Some(&'*') => {
                    rest.next();
                    rest.next_if_eq(&'/');
                    if rest.peek().is_none() {
                        tokens.push(Token::Rest);
                    } else {
                        tokens.extend([Token::Directories, Token::Inside]);
                    }
                }
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::One),
                '[' => tokens.push(class(&mut rest).ok_or_else(malformed)?),
                '\\' => tokens.push(Token::Char(rest.next().ok_or_else(malformed)?)),
                char => tokens.push(Token::Char(char)),
            }
        }
        Ok(Self { tokens })
    }

    /// Whether the whole of a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.run(text).matched == Matched::Whole
    }

    /// Whether a path or one of the directories it is in matches.
    pub fn matches_with_parents(&self, path: &[u8]) -> bool {
        self.run(path).matched != Matched::Nothing
    }

    /// Whether a path below a directory could match that the directory itself does not decide.
    pub fn may_match_below(&self, directory: &[u8]) -> bool {
        self.run(directory).alive
    }

    fn run(&self, path: &[u8]) -> Run {
        let mut states = vec![false; self.tokens.len() + 1];
        let mut next = states.clone();
        self.enter(&mut states, 0);
        let mut matched = Matched::Nothing;
        for chunk in path.utf8_chunks() {
            let invalid = chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER);
            for char in chunk.valid().chars().chain(invalid) {
                if char == '/' && self.accepts(&states) {
                    matched = Matched::Parent;
                }
                if !self.step(&states, &mut next, char) {
                    return Run { matched, alive: false };
                }
                std::mem::swap(&mut states, &mut next);
            }
        }
        if self.accepts(&states) {
            matched = Matched::Whole;
        }
        let alive = path.is_empty() || self.step(&states, &mut next, '/');
        Run { matched, alive }
    }

    fn accepts(&self, states: &[bool]) -> bool {
        states[self.tokens.len()]
    }

    /// Whether a position is left.
    fn step(&self, states: &[bool], next: &mut [bool], char: char) -> bool {
        next.fill(false);
        for (at, token) in self.tokens.iter().enumerate().filter(|(at, _)| states[*at]) {
            match token {
                Token::Char(expected) if *expected == char => self.enter(next, at + 1),
                Token::One if char != '/' => self.enter(next, at + 1),
                Token::Star if char != '/' => self.enter(next, at),
                Token::Rest => self.enter(next, at),
                Token::Class { negated, ranges } => {
                    if ranges.iter().any(|range| range.contains(&char)) != *negated {
                        self.enter(next, at + 1);
                    }
                }
                Token::Directories => {
                    self.enter(next, at + 1);
                    if char == '/' {
                        self.enter(next, at + 2);
                    }
                }
                Token::Inside => {
                    self.enter(next, at);
                    if char == '/' {
                        self.enter(next, at + 1);
                    }
                }
                Token::Char(_) | Token::One | Token::Star => {}
            }
        }
        next.contains(&true)
    }

    /// Adds a position and those that are reached from it without a character. A position that is
    /// there already has brought them along, so that all of a step's take one pass together.
    fn enter(&self, states: &mut [bool], mut at: usize) {
        while !states[at] {
            states[at] = true;
            at += match self.tokens.get(at) {
                Some(Token::Star | Token::Rest) => 1,
                Some(Token::Directories) => 2,
                Some(Token::Char(_) | Token::One | Token::Class { .. } | Token::Inside) | None => {
                    return;
                }
            };
        }
    }
}

/// Whether Go's `filepath.Match` would do more with a text than compare it.
pub fn is_pattern(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// The text that a pattern without wildcards matches.
pub fn unescape(text: &str) -> String {
    let mut chars = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(char) = chars.next() {
        plain.push(if char == '\\' { chars.next().unwrap_or('\\') } else { char });
    }
    plain
}

/// What stands behind a `[`, up to its end.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.next_if_eq(&']').is_some() {
            return Some(Token::Class { negated, ranges });
        }
        let low = class_char(rest)?;
        let high = if rest.next_if_eq(&'-').is_some() { class_char(rest)? } else { low };
        ranges.push(low..=high);
    }
}

fn class_char(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '\\' => rest.next(),
        '-' | ']' => None,
        char => Some(char),
    }
}

#[cfg(test)]
mod tests;
