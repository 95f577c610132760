//! What the build checks warn of: the same rules, each within the lines that BuildKit names.
//!
//! Their texts are ours to write.

use ir::{Diagnostic, Source};
use kaniko_planner::rules;
use serde_json::Value;

use super::lines;

/// What only one side warns of.
pub(super) fn differing(theirs: &Value, ours: &[Diagnostic], source: &Source) -> Vec<String> {
    let mut ours: Vec<&Diagnostic> = ours.iter().filter(|warning| is_shared(warning)).collect();
    let mut found = Vec::new();
    for warning in theirs.as_array().into_iter().flatten() {
        let (first, last) = lines(&warning["lines"]).unwrap();
        let rule = rule(warning);
        let same = |ours: &&Diagnostic| {
            let (line, _) = source.line_range(ours.span);
            ours.code.name() == rule && (first..=last).contains(&line)
        };
        match ours.iter().position(same) {
            Some(index) => drop(ours.remove(index)),
            None => found.push(format!("only BuildKit warns of lines {first} to {last}: {rule}")),
        }
    }
    found.extend(ours.into_iter().map(|warning| {
        let (line, _) = source.line_range(warning.span);
        format!("only ours warns of line {line}: {}: {warning}", warning.code)
    }));
    found
}

/// The rule that a warning names, or begins with.
fn rule(warning: &Value) -> &str {
    let text = |name: &str| warning[name].as_str();
    text("rule").or_else(|| Some(text("message")?.split_once(':')?.0)).unwrap()
}

/// Whether a warning is of a check that BuildKit has, too.
fn is_shared(warning: &Diagnostic) -> bool {
    rules().any(|rule| rule.name() == warning.code.name() && !rule.is_own())
}
