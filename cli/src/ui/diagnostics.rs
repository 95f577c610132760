//! Problems as text: the message, the source line underlined, what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use ir::{Diagnostic, Severity, Source, Span};

/// A diagnostic with its source line.
pub(super) fn render(source: &Source, diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.name());
    // What is wrong with the command or with the whole file stands nowhere in it.
    if diagnostic.span == Span::default() {
        return finish(title.element(Origin::path(source.name())), &diagnostic.help, colour);
    }
    let labels = diagnostic.labels.iter();
    let excerpt =
        Excerpt::of(source, labels.map(|label| label.span).fold(diagnostic.span, Span::to));
    let mut snippet = excerpt.snippet(diagnostic.span);
    for label in &diagnostic.labels {
        let annotation = AnnotationKind::Context.span(excerpt.range(label.span)).label(&label.text);
        snippet = snippet.annotation(annotation);
    }
    finish(title.element(snippet), &diagnostic.help, colour)
}

/// A message about a place in the source.
pub(super) fn at(
    source: &Source,
    span: Span,
    message: &str,
    help: &[String],
    colour: bool,
) -> String {
    let title = Level::ERROR.primary_title(message);
    finish(title.element(Excerpt::of(source, span).snippet(span)), help, colour)
}

/// A message about no place.
pub(super) fn message(message: &str, help: &[String], colour: bool) -> String {
    finish(Group::with_title(Level::ERROR.primary_title(message)), help, colour)
}

fn finish(group: Group<'_>, help: &[String], colour: bool) -> String {
    let group = help.iter().fold(group, |group, text| group.element(Level::HELP.message(text)));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The lines of a source that a message is about. To look through all of a long file for each of
/// its many messages would take time in proportion to the square of its length.
struct Excerpt<'a> {
    source: &'a Source,
    /// Offset of the first of the lines.
    start: usize,
    /// Offset behind the last of them.
    end: usize,
}

impl<'a> Excerpt<'a> {
    fn of(source: &'a Source, span: Span) -> Self {
        let text = source.text();
        let (first, last) = (span.start().min(text.len()), span.end().min(text.len()));
        let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline + 1);
        Self { source, start, end }
    }

    fn snippet(&self, span: Span) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let (line, _) = self.source.position(self.start);
        Snippet::source(&self.source.text()[self.start..self.end])
            .line_start(line)
            .path(self.source.name())
            .annotation(AnnotationKind::Primary.span(self.range(span)))
    }

    /// The span within the lines, its first line only: an instruction of forty lines would fill
    /// the screen.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let text = self.source.text();
        let start = span.start().min(text.len());
        let end = span.end().clamp(start, text.len());
        let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
        start - self.start..line_end - self.start
    }
}
