//! `ignore.jsonl`: what ignore files say, and which paths they leave out.

use std::path::Path;

use ir::pattern::Ignore;
use kaniko_tests::conformance::{Table, differences};
use serde_json::{Value, json};

#[test]
fn ignore_files() {
    let table = Table::open("ignore", |row| row["patternsText"].as_str().unwrap().to_owned());
    table.check(&[], |row| {
        let paths = row["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap());
        let ours = ours(row["patternsText"].as_str().unwrap(), paths);
        let patterns = row["patterns"].as_array().cloned().unwrap_or_default();
        let accepted = row["ok"].as_bool().unwrap();
        let theirs = accepted.then(|| json!({"patterns": patterns, "ignored": row["ignored"]}));
        differences(&json!(theirs), &json!(ours))
    });
}

/// The form that a row has; none where the file is refused.
fn ours<'a>(text: &str, paths: impl Iterator<Item = &'a str>) -> Option<Value> {
    let patterns = grammar::parse_ignore(text).ok()?;
    let ignore = Ignore::new(&patterns).ok()?;
    let ignored = paths.map(|path| (path.to_owned(), json!(ignore.excluded(Path::new(path)))));
    Some(json!({"patterns": patterns, "ignored": Value::Object(ignored.collect())}))
}
