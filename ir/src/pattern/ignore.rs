//! Patterns as `.dockerignore` and `--exclude` have them: moby/patternmatcher's rules.
//!
//! They are anchored at a root, a match of any parent directory counts, and of several patterns
//! that match a path the last decides.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::pattern::{DoubleStar, PatternError, Wildcard};

/// An ordered list of patterns.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// Whether what it matches is included after all.
    negated: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// No wildcard in it, as in most patterns.
    Plain(String),
    Wildcard(Wildcard),
}

impl Ignore {
    /// Reads patterns, each of which may start with `!`. Empty ones are left out.
    pub fn new(patterns: &[String]) -> Result<Self, PatternError> {
        let patterns = patterns.iter().filter(|pattern| !pattern.trim().is_empty());
        Ok(Self { patterns: patterns.map(|text| Pattern::parse(text)).collect::<Result<_, _>>()? })
    }

    /// Whether there are no patterns, so that nothing matches.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a path is matched. It is relative to the root, without `.` and `..`; the root
    /// itself never is.
    pub fn excluded(&self, path: &Path) -> bool {
        self.deciding(path).is_some_and(|(_, negated)| !negated)
    }

    /// Whether something in an excluded directory could be included after all, by a `!` pattern
    /// that comes after what excludes the directory.
    pub fn may_hold_included(&self, directory: &Path) -> bool {
        let after = self.deciding(directory).map_or(0, |(index, _)| index + 1);
        let bytes = directory.as_os_str().as_bytes();
        let mut later = self.patterns[after..].iter();
        later.any(|pattern| pattern.negated && pattern.matcher.may_match_below(bytes))
    }

    /// The last pattern that matches: which, and whether it is negated.
    fn deciding(&self, path: &Path) -> Option<(usize, bool)> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() {
            return None;
        }
        self.patterns
            .iter()
            .enumerate()
            .rev()
            .find(|(_, pattern)| pattern.matcher.matches_with_parents(bytes))
            .map(|(index, pattern)| (index, pattern.negated))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let trimmed = text.trim();
        let Some(negated) = trimmed.strip_prefix('!') else { return Self::plain(trimmed) };
        if negated.trim().is_empty() {
            return Err(PatternError { pattern: text.to_owned() });
        }
        Ok(Self { negated: true, ..Self::plain(negated.trim())? })
    }

    fn plain(text: &str) -> Result<Self, PatternError> {
        let cleaned = clean(text);
        let matcher = if cleaned.contains(['*', '?', '[', '\\']) {
            Matcher::Wildcard(Wildcard::parse(&cleaned, DoubleStar::Directories)?)
        } else {
            Matcher::Plain(cleaned)
        };
        Ok(Self { negated: false, matcher })
    }
}

impl Matcher {
    fn matches_with_parents(&self, path: &[u8]) -> bool {
        match self {
            Self::Plain(plain) => match path.strip_prefix(plain.as_bytes()) {
                Some([]) => true,
                Some([next, ..]) => *next == b'/',
                None => false,
            },
            Self::Wildcard(wildcard) => wildcard.matches_with_parents(path),
        }
    }

    fn may_match_below(&self, directory: &[u8]) -> bool {
        match self {
            Self::Plain(plain) => {
                let below = plain.as_bytes().strip_prefix(directory);
                below.is_some_and(|below| directory.is_empty() || below.first() == Some(&b'/'))
            }
            Self::Wildcard(wildcard) => wildcard.may_match_below(directory),
        }
    }
}

/// Go's `path.Clean`, and no `/` at the start.
fn clean(pattern: &str) -> String {
    let rooted = pattern.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in pattern.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            ".." if rooted => {}
            name => names.push(name),
        }
    }
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

#[cfg(test)]
mod tests;
