//! A program as text for review: indented fields, without those that say nothing.
//!
//! Places are `line:column`, with the end if it is on the same line; text is shown with its place,
//! a template with its parts unless it is the one literal that it looks like.

use std::fmt::Write as _;

use ir::{Program, Source, Span};
use serde_json::{Map, Value};

/// The whole program.
pub(crate) fn program(program: &Program, source: &Source) -> String {
    let value = serde_json::to_value(program).unwrap();
    let mut text = String::new();
    block(&value, 0, source, &mut text);
    text
}

fn block(value: &Value, depth: usize, source: &Source, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Array(elements) => {
            for element in elements {
                entry("-", element, &indent, depth, (source, text));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter().filter(|(name, field)| says_something(name, field)) {
                entry(&format!("{name}:"), field, &indent, depth, (source, text));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn entry(
    name: &str,
    value: &Value,
    indent: &str,
    depth: usize,
    (source, text): (&Source, &mut String),
) {
    if let Some(inline) = inline(value, source) {
        writeln!(text, "{indent}{name} {inline}").unwrap();
    } else {
        writeln!(text, "{indent}{name}").unwrap();
        block(value, depth + 1, source, text);
    }
}

fn says_something(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "none",
        Value::Bool(false) => matches!(name, "unpack" | "keep_git_dir"),
        Value::Object(fields) if matches!(name, "skip" | "experimental") => {
            fields.iter().any(|(name, field)| says_something(name, field))
        }
        // A keyword is told where it is not written as usual.
        Value::Object(fields) if name.ends_with("keyword") => {
            let written = fields["value"].as_str().unwrap();
            written.to_uppercase() != written
        }
        Value::Array(elements) => !elements.is_empty() || name == "exec",
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// What fits on the line of its name.
fn inline(value: &Value, source: &Source) -> Option<String> {
    match value {
        Value::Array(elements) if elements.iter().all(Value::is_string) => Some(value.to_string()),
        Value::Array(_) => None,
        Value::Object(fields) => place(fields, source).or_else(|| placed(fields, source)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Some(value.to_string())
        }
    }
}

fn place(fields: &Map<String, Value>, source: &Source) -> Option<String> {
    if fields.len() != 2 {
        return None;
    }
    let offset = |name: &str| usize::try_from(fields.get(name)?.as_u64()?).ok();
    let span = Span::new(offset("start")?, offset("end")?);
    let (line, column) = source.position(span.start());
    let (last, end) = source.position(span.end());
    let end = if last == line { end.to_string() } else { format!("{last}:{end}") };
    Some(format!("{line}:{column}-{end}"))
}

/// A text or a template.
fn placed(fields: &Map<String, Value>, source: &Source) -> Option<String> {
    let place = place(fields.get("span")?.as_object()?, source)?;
    if let (Some(value), 2) = (fields.get("value"), fields.len()) {
        return Some(format!("{value} at {place}"));
    }
    let raw = fields.get("raw")?.to_string();
    let parts = fields.get("parts")?.as_array()?;
    let shown: Vec<_> = parts.iter().map(|part| self::part(part, source)).collect();
    let shown = shown.join(" ");
    if shown == raw || (shown.is_empty() && raw == "\"\"") {
        return Some(format!("{raw} at {place}"));
    }
    Some(format!("{raw} at {place} = {shown}"))
}

/// A literal as it is, after a `q` where it is quoted; a variable as `$name`, likewise.
fn part(part: &Value, source: &Source) -> String {
    let (kind, fields) = part.as_object().unwrap().iter().next().unwrap();
    let quoted = if fields["quoted"] == Value::Bool(true) { "q" } else { "" };
    match kind.as_str() {
        "literal" => format!("{quoted}{}", fields["text"]),
        "variable" => {
            let name = fields["name"].as_str().unwrap();
            let place = inline(&fields["span"], source).unwrap();
            format!("{quoted}${name}{} at {place}", modifier(&fields["modifier"], source))
        }
        _ => format!(
            "malformed {} at {}",
            fields["message"],
            inline(&fields["span"], source).unwrap()
        ),
    }
}

fn modifier(value: &Value, source: &Source) -> String {
    let Some((kind, fields)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return String::new();
    };
    let fields =
        fields.as_object().unwrap().iter().filter(|(name, field)| says_something(name, field));
    let shown: Vec<_> = fields
        .map(|(name, field)| match inline(field, source) {
            Some(text) if field.is_object() => format!("{name} {text}"),
            _ => name.clone(),
        })
        .collect();
    format!("({kind} {})", shown.join(", "))
}
