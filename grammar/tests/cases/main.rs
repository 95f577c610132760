//! Every file below `tests/cases/parse` and `tests/cases/reject`, parsed.
//!
//! A `parse` case has its program in `snapshots/grammar`. A `reject` case says what is wrong with
//! it, in lines below the line they speak of: `#~ FROM-TO message`, 1-based inclusive byte columns,
//! with `warning: ` before the message of a warning. `#~ help: text` lines below such a line are the
//! help of that diagnostic. These lines are taken out before parsing, and written anew where insta is
//! told to accept what it finds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dump;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ir::{Diagnostic, Severity, Source};
use kaniko_grammar::parse;

#[test]
fn parse_cases_have_their_programs() {
    for path in cases("parse") {
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Source::new("Dockerfile", text).unwrap();
        let parsed = parse(&source);
        assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{path:?}: {parsed:#?}");
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../../snapshots/grammar");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, dump::program(&parsed.program, &source)));
    }
}

#[test]
fn reject_cases_have_exactly_their_diagnostics() {
    let mut wrong = Vec::new();
    for path in cases("reject") {
        let text = std::fs::read_to_string(&path).unwrap();
        let (text, expected) = expectations(&text);
        let source = Source::new("Dockerfile", text).unwrap();
        let found: Vec<_> = parse(&source).diagnostics.iter().map(|d| said(d, &source)).collect();
        if expected == found {
            continue;
        }
        if accepting() {
            std::fs::write(&path, with_expectations(source.text(), &found)).unwrap();
        } else {
            wrong.push(format!("{}\nexpected {expected:#?}\nfound {found:#?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A diagnostic as a case file says it.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    line: usize,
    text: String,
    help: Vec<String>,
}

/// Whether what is found is to be written into the cases, as insta does with snapshots.
#[expect(clippy::disallowed_methods, reason = "insta reads the variable as well")]
fn accepting() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always")
}

/// The text with what is said about each line below it.
fn with_expectations(text: &str, found: &[Said]) -> String {
    let mut written = String::new();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        lines.push("");
    }
    for (line, number) in lines.into_iter().zip(1..) {
        written.push_str(line);
        for said in found.iter().filter(|said| said.line == number) {
            writeln!(written, "#~ {}", said.text).unwrap();
            for help in &said.help {
                writeln!(written, "#~ help: {help}").unwrap();
            }
        }
    }
    written
}

fn said(diagnostic: &Diagnostic, source: &Source) -> Said {
    let (line, from) = source.position(diagnostic.span.start());
    let rest = &source.text()[diagnostic.span.start()..];
    let in_line = rest.find('\n').unwrap_or(rest.len());
    let length = (diagnostic.span.end() - diagnostic.span.start()).min(in_line).max(1);
    let severity = match diagnostic.severity {
        Severity::Error => "",
        Severity::Warning => "warning: ",
    };
    let text = format!("{from}-{} {severity}{}", from + length - 1, diagnostic.message);
    Said { line, text, help: diagnostic.help.clone() }
}

/// The text without its expectations, and these.
fn expectations(text: &str) -> (String, Vec<Said>) {
    let mut rest = String::new();
    let mut expected: Vec<Said> = Vec::new();
    let mut lines = 0;
    for line in text.split_inclusive('\n') {
        let Some(expectation) = line.trim_end().strip_prefix("#~ ") else {
            rest.push_str(line);
            lines += 1;
            continue;
        };
        match expectation.strip_prefix("help: ") {
            Some(help) => expected.last_mut().unwrap().help.push(help.to_owned()),
            None => expected.push(Said {
                line: lines.max(1),
                text: expectation.to_owned(),
                help: Vec::new(),
            }),
        }
    }
    (rest, expected)
}

#[expect(clippy::disallowed_methods, reason = "the entries are sorted")]
fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases").join(kind);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "dockerfile"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    paths
}
