//! BuildKit's answers as tables of JSON lines, and how a test goes through one of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A row that differs on purpose: its name, and why in one line.
pub type Known = (&'static str, &'static str);

/// Rows of one file that are compared in one way.
#[derive(Debug)]
pub struct Table {
    title: String,
    rows: BTreeMap<String, Value>,
}

impl Table {
    /// Reads `FILE.jsonl` of the folder that `KANIKO_CONFORMANCE` names, relative to the
    /// repository, or else of `../shared/conformance`. `name` gives each row its own name.
    ///
    /// # Panics
    ///
    /// If the file is not there, or is no table.
    pub fn open(file: &str, name: impl Fn(&Value) -> String) -> Self {
        let path = folder().join(file).with_extension("jsonl");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "cannot read {}: {error}\nput the conformance tables there, or set \
                 KANIKO_CONFORMANCE to the folder that holds them; `tests/run` leaves this test \
                 out where there are none",
                path.display()
            )
        });
        let mut rows = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let row = serde_json::from_str(line).expect("each line is one JSON value");
            let name = name(&row);
            assert!(rows.insert(name.clone(), row).is_none(), "two rows are named {name:?}");
        }
        assert!(!rows.is_empty(), "{} is empty", path.display());
        Self { title: file.to_owned(), rows }
    }

    /// Only the rows for which something holds, under a title of their own.
    #[must_use]
    pub fn only(mut self, title: &str, holds: impl Fn(&Value) -> bool) -> Self {
        self.rows.retain(|_, row| holds(row));
        Self { title: format!("{}, {title}", self.title), ..self }
    }

    /// Compares every row and prints how many agree. `compare` says what differs, one line for
    /// each difference, none where the answers agree.
    ///
    /// # Panics
    ///
    /// If a row differs that is not known to, or one that is known to does not.
    pub fn check(&self, known: &[Known], compare: impl Fn(&Value) -> Vec<String>) {
        let known: BTreeMap<&str, &str> = known.iter().copied().collect();
        let mut purposes = Vec::new();
        let mut failures = Vec::new();
        let mut agreeing = 0;
        for (name, row) in &self.rows {
            let differences = catch_unwind(AssertUnwindSafe(|| compare(row)))
                .unwrap_or_else(|_| vec!["it cannot be compared; the panic is above".to_owned()]);
            match (known.get(name.as_str()), differences.as_slice()) {
                (None, []) => agreeing += 1,
                (None, differences) => failures.push(shown(name, row, differences)),
                (Some(reason), [_, ..]) => purposes.push(format!("  {name}: {reason}")),
                (Some(_), []) => {
                    let done = "it is listed as different but agrees: take it off the list";
                    failures.push(shown(name, row, &[done.to_owned()]));
                }
            }
        }
        for name in known.keys().filter(|name| !self.rows.contains_key(**name)) {
            failures.push(format!("{name:?}\n  it is listed as different but is no row"));
        }
        let (title, count) = (&self.title, self.rows.len());
        report(&format!("{title}: {agreeing} of {count} agree"), &purposes);
        let failures = failures.join("\n\n");
        assert!(failures.is_empty(), "{title}: rows that differ from BuildKit\n\n{failures}\n");
    }
}

/// What differs between two values, one line for each place.
pub fn differences(theirs: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect("", theirs, ours, &mut found);
    found
}

fn collect(place: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let names = theirs.keys().chain(ours.keys().filter(|name| !theirs.contains_key(*name)));
            for name in names {
                let side = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or_default()
                };
                collect(&format!("{place}.{name}"), &side(theirs), &side(ours), found);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            for index in 0..theirs.len().max(ours.len()) {
                let side = |elements: &[Value]| elements.get(index).cloned().unwrap_or_default();
                collect(&format!("{place}[{index}]"), &side(theirs), &side(ours), found);
            }
        }
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => found.push(format!("{place}: BuildKit {theirs}, ours {ours}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told where the tables are")]
fn folder() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is in it");
    let asked = std::env::var_os("KANIKO_CONFORMANCE");
    repository.join(asked.map_or_else(|| "../shared/conformance".into(), PathBuf::from))
}

/// A row that fails, with its Dockerfile and what is wrong with it.
fn shown(name: &str, row: &Value, differences: &[String]) -> String {
    let text = row["dockerfile"].as_str().unwrap_or_default();
    let mut lines = vec![format!("{name:?}")];
    lines.extend(text.lines().map(|line| format!("  | {}", shortened(line))));
    lines.extend(differences.iter().map(|difference| format!("  {}", shortened(difference))));
    lines.join("\n")
}

/// The start of a text that is too long to be read.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 1000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

#[expect(clippy::print_stdout, reason = "how much agrees is to be seen though the test passes")]
fn report(line: &str, purposes: &[String]) {
    println!("{line}");
    if !purposes.is_empty() {
        println!(" different on purpose:\n{}", purposes.join("\n"));
    }
}
