//! Problems as text: the message, the source line underlined, what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use ir::diagnostic::Label;
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
    let snippet = snippet(source, diagnostic.span, &diagnostic.labels);
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
    finish(title.element(snippet(source, span, &[])), help, colour)
}

/// A message about no place.
pub(super) fn message(message: &str, help: &[String], colour: bool) -> String {
    finish(Group::with_title(Level::ERROR.primary_title(message)), help, colour)
}

/// A message about no place, that stops nothing.
pub(super) fn warning(message: &str, colour: bool) -> String {
    finish(Group::with_title(Level::WARNING.primary_title(message)), &[], colour)
}

fn finish(group: Group<'_>, help: &[String], colour: bool) -> String {
    let group = help.iter().fold(group, |group, text| group.element(Level::HELP.message(text)));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The lines from the first place to the last. The renderer looks through all that it is given.
fn snippet<'a>(
    source: &'a Source,
    span: Span,
    labels: &'a [Label],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let primary = range(source, span);
    let (mut first, mut last) = (primary.start, primary.end);
    for label in labels {
        let range = range(source, label.span);
        (first, last) = (first.min(range.start), last.max(range.end));
    }
    let text = source.text();
    let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline + 1);
    let within = |range: Range<usize>| range.start - start..range.end - start;
    let annotations = labels.iter().map(|label| {
        AnnotationKind::Context.span(within(range(source, label.span))).label(&label.text)
    });
    Snippet::source(&text[start..end])
        .line_start(source.position(start).0)
        .path(source.name())
        .annotation(AnnotationKind::Primary.span(within(primary)))
        .annotations(annotations)
}

/// The span within the text, its first line only: an instruction of forty lines would fill the
/// screen.
fn range(source: &Source, span: Span) -> Range<usize> {
    let text = source.text();
    let start = span.start().min(text.len());
    let end = span.end().clamp(start, text.len());
    let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line_end
}
