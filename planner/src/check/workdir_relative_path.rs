//! `WorkdirRelativePath`: a directory does not depend on the base image's.

use std::collections::BTreeSet;

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::resolve::Base;
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::WorkdirRelativePath,
    summary: "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// Only the first `WORKDIR` of a chain of stages is told: where it is mended, all are.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let mut with_workdir = BTreeSet::new();
    for stage in &plan.expanded.stages {
        let resolved = &plan.resolved.stages[stage.index];
        let mut has_workdir =
            matches!(resolved.base, Base::Stage(base) if with_workdir.contains(&base));
        for step in &stage.steps {
            let Action::Workdir(path) = &step.action else { continue };
            let absolute = if resolved.platform.os == "windows" {
                is_absolute_on_windows(&path.value)
            } else {
                path.value.starts_with('/')
            };
            if !std::mem::replace(&mut has_workdir, true) && !absolute {
                let message = format!(
                    "relative workdir `{}` can have unexpected results if the base image changes",
                    path.value
                );
                found.push(
                    step.place.at(Diagnostic::warning(RULE.code, path.span, message)).help(
                        "begin it with a `/`, or put a `WORKDIR` with an absolute path above",
                    ),
                );
            }
        }
        with_workdir.extend(has_workdir.then_some(stage.index));
    }
}

/// A drive, or a separator at the start.
fn is_absolute_on_windows(path: &str) -> bool {
    let mut chars = path.chars();
    match (chars.next(), chars.next()) {
        (Some('/' | '\\'), _) => true,
        (Some(drive), Some(':')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn the_first_of_a_chain_of_stages() {
        check(RULE, "FROM a\nWORKDIR x\nWORKDIR y\n", &["x"]);
        check(RULE, "FROM a AS b\nWORKDIR /x\nFROM b\nWORKDIR y\n", &[]);
        check(RULE, "FROM a AS b\nRUN x\nFROM b\nENV d=y\nWORKDIR $d/z\n", &["$d/z"]);
    }
}
