//! Text put together from pieces of a source, and the way back from it to the source's bytes.

use std::ops::Range;

use ir::Span;

/// Joined text that knows where each of its bytes came from.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    text: String,
    map: Map,
}

#[derive(Clone, Debug)]
enum Map {
    /// The pieces in order, adjacent in the joined text. `anchor` places an empty text.
    Pieces { pieces: Vec<Piece>, anchor: usize },
    /// Everything stands at this one place: decoded or foreign text.
    Fixed(Span),
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Offset in the joined text.
    at: usize,
    /// Offset in the source.
    source: usize,
    len: usize,
}

/// Where the text that is being parsed stands in the Dockerfile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// It is the Dockerfile.
    Source,
    /// It comes from elsewhere, and this is the place to blame.
    Foreign(Span),
}

impl Origin {
    /// The span of a byte range of the text that is being parsed.
    pub(crate) fn span(self, range: Range<usize>) -> Span {
        match self {
            Self::Source => Span::new(range.start, range.end),
            Self::Foreign(span) => span,
        }
    }

    /// An empty joined text that begins at an offset.
    pub(crate) fn joined(self, anchor: usize) -> Joined {
        let map = match self {
            Self::Source => Map::Pieces { pieces: Vec::new(), anchor },
            Self::Foreign(span) => Map::Fixed(span),
        };
        Joined { text: String::new(), map }
    }
}

impl Joined {
    /// Text that does not stand in the source as it is.
    pub(crate) fn fixed(text: String, span: Span) -> Self {
        Self { text, map: Map::Fixed(span) }
    }

    /// Appends a piece that stands at `source`.
    pub(crate) fn push(&mut self, text: &str, source: usize) {
        if let Map::Pieces { pieces, anchor: _ } = &mut self.map
            && !text.is_empty()
        {
            pieces.push(Piece { at: self.text.len(), source, len: text.len() });
        }
        self.text.push_str(text);
    }

    /// Appends a part of another joined text.
    fn push_part(&mut self, other: &Self, range: Range<usize>) {
        let Map::Pieces { pieces, anchor: _ } = &other.map else {
            self.text.push_str(&other.text[range]);
            return;
        };
        let first = pieces.partition_point(|piece| piece.at + piece.len <= range.start);
        for piece in pieces[first..].iter().take_while(|piece| piece.at < range.end) {
            let start = piece.at.max(range.start);
            let end = (piece.at + piece.len).min(range.end);
            if start < end {
                self.push(&other.text[start..end], piece.source + (start - piece.at));
            }
        }
    }

    /// Whether the byte at this offset of the source is part of it.
    pub(crate) fn holds(&self, source: usize) -> bool {
        let Map::Pieces { pieces, anchor: _ } = &self.map else { return false };
        let next = pieces.partition_point(|piece| piece.source <= source);
        next.checked_sub(1).is_some_and(|at| source < pieces[at].source + pieces[at].len)
    }

    /// The whole of it.
    pub(crate) fn whole(&self) -> Fragment<'_> {
        Fragment { joined: self, start: 0, end: self.text.len() }
    }

    fn span(&self, range: Range<usize>) -> Span {
        let (pieces, anchor) = match &self.map {
            Map::Fixed(span) => return *span,
            Map::Pieces { pieces, anchor } => (pieces, *anchor),
        };
        // The piece that holds a byte, and how far behind its start the byte is.
        let locate = |byte: usize| {
            let next = pieces.partition_point(|piece| piece.at <= byte);
            let piece = pieces.get(next.checked_sub(1)?)?;
            Some(piece.source + (byte - piece.at).min(piece.len))
        };
        let start = locate(range.start).unwrap_or(anchor);
        if range.is_empty() {
            return Span::new(start, start);
        }
        let end = locate(range.end - 1).map_or(start, |last| last + 1);
        Span::new(start, end.max(start))
    }
}

/// A part of a joined text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    joined: &'a Joined,
    start: usize,
    end: usize,
}

impl<'a> Fragment<'a> {
    /// Its text.
    pub(crate) fn text(self) -> &'a str {
        &self.joined.text[self.start..self.end]
    }

    /// Where it stands in the source.
    pub(crate) fn span(self) -> Span {
        self.joined.span(self.start..self.end)
    }

    /// A part of it, by byte offsets within [`Fragment::text`].
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let end = self.start + range.end;
        debug_assert!(range.start <= range.end && end <= self.end, "a part lies within");
        Self { joined: self.joined, start: self.start + range.start, end }
    }

    /// From an offset within [`Fragment::text`] to its end.
    pub(crate) fn from(self, start: usize) -> Self {
        self.part(start..self.text().len())
    }

    /// From its start to the end of the other one, of the same joined text, that it is a part of.
    pub(crate) fn to_end_of(self, whole: Self) -> Self {
        Self { end: whole.end, ..self }
    }

    /// Without Unicode blanks at both ends.
    pub(crate) fn trim(self) -> Self {
        let text = self.text();
        let start = text.len() - text.trim_start().len();
        self.part(start..start + text.trim().len())
    }

    /// What stands before and behind the first `separator`.
    pub(crate) fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let at = self.text().find(separator)?;
        Some((self.part(0..at), self.from(at + separator.len_utf8())))
    }

    /// Whether all of the other one, of the same joined text, stands within this one.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether it ends before the other one, of the same joined text, begins.
    pub(crate) fn stands_before(self, other: Self) -> bool {
        self.end <= other.start
    }

    /// Whether nothing of the other one, of the same joined text, stands behind this one.
    pub(crate) fn ends(self, other: Self) -> bool {
        self.end >= other.end
    }

    /// Only these ranges of it, put together.
    pub(crate) fn select(self, ranges: &[Range<usize>]) -> Joined {
        let mut joined = self.empty();
        for range in ranges {
            joined.push_part(self.joined, self.start + range.start..self.start + range.end);
        }
        joined
    }

    /// All of it, as a text of its own.
    pub(crate) fn to_joined(self) -> Joined {
        let mut joined = self.empty();
        joined.push_part(self.joined, self.start..self.end);
        joined
    }

    /// An empty text behind it.
    fn empty(self) -> Joined {
        let span = self.span();
        let map = match self.joined.map {
            Map::Fixed(span) => Map::Fixed(span),
            Map::Pieces { .. } => Map::Pieces { pieces: Vec::new(), anchor: span.end() },
        };
        Joined { text: String::new(), map }
    }

    /// As text that is never expanded.
    pub(crate) fn to_text(self) -> ir::instruction::Text {
        ir::instruction::Text { value: self.text().to_owned(), span: self.span() }
    }
}
