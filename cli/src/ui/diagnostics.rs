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
    let mut snippet = snippet(source, diagnostic.span);
    for label in &diagnostic.labels {
        let annotation = AnnotationKind::Context.span(range(source, label.span)).label(&label.text);
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
    finish(title.element(snippet(source, span)), help, colour)
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

fn snippet(source: &Source, span: Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(source.text())
        .path(source.name())
        .annotation(AnnotationKind::Primary.span(range(source, span)))
}

/// The span within the text, its first line only: an instruction of forty lines would fill the
/// screen.
fn range(source: &Source, span: Span) -> std::ops::Range<usize> {
    let text = source.text();
    let start = span.start().min(text.len());
    let end = span.end().clamp(start, text.len());
    let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line_end
}
