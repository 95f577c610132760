//! `heredoc.jsonl`: which words behind `RUN` open a heredoc, and which one.

use ir::instruction::{Heredoc, Instruction};
use ir::{Diagnostic, Source};
use kaniko_tests::conformance::{Known, Table, differences};
use serde_json::{Value, json};

const KNOWN: &[Known] =
    &[("<<EOF sh", "it is two words, and behind `RUN` the first opens a heredoc, in BuildKit too")];

#[test]
fn heredocs() {
    let table = Table::open("heredoc", |row| row["in"].as_str().unwrap().to_owned());
    table.check(KNOWN, |row| {
        // A word that cannot be read opens nothing either; BuildKit drops the error.
        let heredoc = row.get("heredoc").filter(|heredoc| !heredoc.is_null());
        let theirs = Vec::from_iter(heredoc);
        let name = row["heredoc"]["name"].as_str().unwrap_or_default();
        differences(&json!(theirs), &ours(row["in"].as_str().unwrap(), name))
    });
}

/// The heredocs that a word opens, with nothing in them.
fn ours(word: &str, terminator: &str) -> Value {
    let text = format!("FROM scratch\nRUN {word}\n{terminator}\n");
    let source = Source::new("Dockerfile", text).unwrap();
    let parsed = grammar::parse(&source);
    if let Some(error) =
        parsed.diagnostics.iter().find(|diagnostic| Diagnostic::is_error(diagnostic))
    {
        return json!(error.message);
    }
    let statements = &parsed.program.stages[0].statements;
    let [Instruction::Run(run)] = [&statements[0].instruction] else {
        return json!("no `RUN`");
    };
    run.heredocs.iter().map(form).collect()
}

/// The comparable form of a heredoc: the one that the tables have.
pub(crate) fn form(heredoc: &Heredoc) -> Value {
    json!({
        "name": heredoc.name,
        "fd": heredoc.fd,
        "expand": heredoc.expand,
        "chomp": heredoc.strip_tabs,
        "content": heredoc.body,
    })
}
