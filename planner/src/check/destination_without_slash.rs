//! `DestinationWithoutSlash`: several sources go into a directory, and it is written as one.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::DestinationWithoutSlash,
    summary: "The destination of several sources should end in a slash",
    kind: Kind::Own,
    find: Find::Plan(find),
};

/// BuildKit takes it; where the destination is no directory yet, the sources replace each other.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Copy(copy) = &step.action else { continue };
        let written = &copy.destination.value;
        let directory = written.is_empty()
            || written.ends_with('/')
            || written.rsplit('/').next().is_some_and(|last| matches!(last, "." | ".."));
        if copy.sources.len() + copy.heredocs.len() > 1 && !directory {
            let message = format!(
                "several sources and the destination `{written}`: each replaces the one before \
                 unless that is a directory"
            );
            found.push(
                step.place
                    .at(Diagnostic::warning(RULE.code, copy.destination.span, message))
                    .help(format!("write `{written}/`")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn several_sources() {
        check(RULE, "FROM a\nCOPY b c /d\nADD b <<E d\nE\n", &["/d", "d"]);
        check(RULE, "FROM a\nCOPY b c /d/\nCOPY b c .\nCOPY b* /d\nCOPY b c ../..\n", &[]);
    }
}
