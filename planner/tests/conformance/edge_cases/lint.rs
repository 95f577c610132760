//! What the checks say: mode `lint`.

use ir::{Diagnostic, Source};
use kaniko_planner::{Rule, check, plan, rules};
use kaniko_tests::conformance::differences;
use serde_json::{Value, json};

use super::plan::{facts, planned};
use super::setting::{Setting, platforms};
use super::{lines, settled, source, table};

#[test]
fn warnings() {
    table("warnings", &["lint"]).check(&[], |row| {
        let (source, platform) = (source(row), &platforms(row)[0]);
        let outcome = planned(row, &source, platform);
        let mut found = settled(&row["answer"]["buildError"], outcome, &source, |_| Vec::new());
        let ours = ours(&Setting::of(row, platform), &source);
        found.extend(differences(&theirs(&row["answer"]["warnings"]), &ours));
        found
    });
}

/// Rules and lines, sorted: BuildKit's order within a line is that of its passes.
fn theirs(warnings: &Value) -> Value {
    let warning = |warning: &Value| {
        let (first, _) = lines(&warning["lines"]).unwrap();
        (warning["rule"].as_str().unwrap().to_owned(), first)
    };
    sorted(warnings.as_array().unwrap().iter().map(warning).collect())
}

/// The same of what we say of a file, whether or not it can be planned.
fn ours(setting: &Setting<'_>, source: &Source) -> Value {
    let parsed = grammar::parse(source);
    let (program, options) = (&parsed.program, &setting.options);
    let said = if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        check(program, options)
    } else {
        let facts = facts(program, setting).unwrap_or_default();
        plan(program, options, &facts).diagnostics
    };
    let theirs: Vec<&str> = rules().filter(|rule| !rule.is_own()).map(Rule::name).collect();
    let said = said.iter().filter(|diagnostic| theirs.contains(&diagnostic.code.name()));
    let warning = |diagnostic: &Diagnostic| {
        (diagnostic.code.name().to_owned(), source.line_range(diagnostic.span).0)
    };
    sorted(said.map(warning).collect())
}

fn sorted(mut warnings: Vec<(String, usize)>) -> Value {
    warnings.sort();
    json!(warnings)
}
