//! `edge-cases.jsonl`: whole Dockerfiles, one test for each kind of answer.

use ir::{Diagnostic, Program, Source};
use kaniko_tests::conformance::Table;
use serde_json::Value;

mod graph;
mod image;
mod lint;
mod nodes;
mod outcome;
mod parse;
mod plan;
mod program;
mod setting;
mod syntax;
mod targets;
mod vertices;
mod warnings;

/// The rows of some modes.
fn table(title: &str, modes: &[&str]) -> Table {
    let name = |row: &Value| {
        let field = |name: &str| row[name].as_str().unwrap();
        format!("{}/{}", field("theme"), field("about"))
    };
    let wanted = |row: &Value| modes.contains(&row["mode"].as_str().unwrap());
    Table::open("edge-cases", name).only(title, wanted)
}

fn source(row: &Value) -> Source {
    Source::new("Dockerfile", row["dockerfile"].as_str().unwrap()).unwrap()
}

/// The program of a Dockerfile without errors, else the errors.
fn parsed(source: &Source) -> Result<Program, Vec<Diagnostic>> {
    let parsed = grammar::parse(source);
    let errors: Vec<_> = parsed.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if errors.is_empty() { Ok(parsed.program) } else { Err(errors) }
}

/// Compares whether both sides accept, where both refuse the line, and where neither does
/// everything else.
fn settled<T>(
    error: &Value,
    ours: Result<T, Vec<Diagnostic>>,
    source: &Source,
    compare: impl FnOnce(T) -> Vec<String>,
) -> Vec<String> {
    match (error, ours) {
        (Value::Null, Ok(ours)) => compare(ours),
        (Value::Null, Err(errors)) => vec![format!("only ours refuses it: {}", errors[0])],
        (error, Ok(_)) => vec![format!("only BuildKit refuses it: {}", error["message"])],
        (error, Err(errors)) => refusals(error, &errors[0], source),
    }
}

/// Our first error has to be within the instruction that BuildKit names.
fn refusals(error: &Value, ours: &Diagnostic, source: &Source) -> Vec<String> {
    let Some((first, last)) = lines(&error["lines"][0]) else { return Vec::new() };
    let (line, _) = source.line_range(ours.span);
    if (first..=last).contains(&line) {
        return Vec::new();
    }
    let (message, theirs) = (&ours.message, &error["message"]);
    vec![
        format!("BuildKit refuses lines {first} to {last}: {theirs}"),
        format!("ours refuses line {line}: {message}"),
    ]
}

/// The first and last line of a place; none where BuildKit names no place.
fn lines(place: &Value) -> Option<(usize, usize)> {
    let line = |index: usize| usize::try_from(place[index].as_u64()?).ok();
    Some((line(0)?, line(1)?)).filter(|lines| *lines != (0, 0))
}
