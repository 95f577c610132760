//! A named text, places in it, and how a byte offset becomes a line and a column.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A half-open range of **byte** offsets into one Dockerfile.
///
/// Invariants: `start <= end`, and both lie on character boundaries of the source. A source is
/// at most `u32::MAX` bytes, so eight bytes hold a span.
///
/// A span is never part of a key: moving an instruction down a line must not rebuild it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The range `start..end`.
    ///
    /// # Panics
    ///
    /// If `start > end`, or `end` does not fit 32 bits ([`Source::new`] refuses such texts).
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end, "a span runs forwards: {start}..{end}");
        let narrow = |n: usize| u32::try_from(n).expect("a source is at most 4 GiB");
        Self { start: narrow(start), end: narrow(end) }
    }

    /// Offset of the first byte.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// Offset after the last byte.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One text with a name for messages.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Byte offset of the start of each line; never empty.
    lines: Vec<usize>,
    /// Byte offsets of the characters that stand for one byte that starts no character, in order.
    replaced: Vec<usize>,
}

/// How much longer U+FFFD is than the byte it stands for.
const GAIN: usize = char::REPLACEMENT_CHARACTER.len_utf8() - 1;

/// The text is longer than a [`Span`] can address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is longer than 4 GiB")
    }
}

impl std::error::Error for TooLong {}

impl Source {
    /// A text under the name that messages show for it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Result<Self, TooLong> {
        let text = text.into();
        if u32::try_from(text.len()).is_err() {
            return Err(TooLong);
        }
        let starts =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        Ok(Self { name: name.into(), text, lines, replaced: Vec::new() })
    }

    /// A text as it stands in a file: UTF-8, with U+FFFD for each byte that starts no character.
    pub fn decode(name: impl Into<String>, bytes: &[u8]) -> Result<Self, TooLong> {
        let mut text = String::with_capacity(bytes.len());
        let mut replaced = Vec::new();
        let mut rest = bytes;
        loop {
            let (good, bad) = match std::str::from_utf8(rest) {
                Ok(good) => (good, &[][..]),
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    (std::str::from_utf8(good).expect("it is valid up to there"), bad)
                }
            };
            text.push_str(good);
            let Some((_, after)) = bad.split_first() else { break };
            replaced.push(text.len());
            text.push(char::REPLACEMENT_CHARACTER);
            rest = after;
        }
        Ok(Self { replaced, ..Self::new(name, text)? })
    }

    /// The name that messages show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty where the span does not fit this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start()..span.end()).unwrap_or_default()
    }

    /// Where U+FFFD stands for one byte of the file that starts no character, in order.
    pub fn replaced(&self) -> &[usize] {
        &self.replaced
    }

    /// How many bytes of the file a span covers.
    pub fn len_in_file(&self, span: Span) -> usize {
        let before = |offset: usize| self.replaced.partition_point(|at| *at < offset);
        let replaced = before(span.end()) - before(span.start());
        span.end() - span.start() - GAIN * replaced
    }

    /// The 1-based line and the 1-based **byte** column, as in the file, of an offset.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        (line, self.len_in_file(Span::new(self.lines[line - 1], offset)) + 1)
    }

    /// The 1-based first and last line that a span touches.
    pub fn line_range(&self, span: Span) -> (usize, usize) {
        let last = if span.end() > span.start() { span.end() - 1 } else { span.end() };
        (self.position(span.start()).0, self.position(last).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_newlines_belong_to_their_line() {
        let source = Source::new("Dockerfile", "ab\ncd\n").unwrap();
        let positions: Vec<_> = (0..=6).map(|offset| source.position(offset)).collect();
        assert_eq!(positions, [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1)]);
        assert_eq!(source.line_range(Span::new(0, 3)), (1, 1));
        assert_eq!(source.line_range(Span::new(1, 4)), (1, 2));
    }

    #[test]
    fn columns_are_those_of_the_file_whatever_its_bytes_are() {
        // Latin-1, a cut character, one that is whole, and a replacement character of its own.
        let source =
            Source::decode("Dockerfile", b"a\xe9b\n\xe2\x82c\xc3\xa9d\xef\xbf\xbde").unwrap();
        let text = source.text();
        assert_eq!(text, "a\u{fffd}b\n\u{fffd}\u{fffd}c\u{e9}d\u{fffd}e");
        let replaced = source.replaced().iter().map(|at| source.position(*at));
        assert_eq!(replaced.collect::<Vec<_>>(), [(1, 2), (2, 1), (2, 2)]);
        let position = |wanted| source.position(text.find(wanted).unwrap());
        assert_eq!(["b", "c", "d", "e"].map(position), [(1, 3), (2, 3), (2, 6), (2, 10)]);
        assert_eq!(source.len_in_file(Span::new(0, text.len())), 14);
    }
}
