//! `IgnoredLink`: `--link` has no effect beside `--chmod`.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::IgnoredLink,
    summary: "COPY --link and ADD --link have no effect beside --chmod",
    kind: Kind::Own,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Copy(copy) = &step.action else { continue };
        if let Some(mode) = copy.chmod.as_ref().filter(|_| copy.link) {
            let message = "`--link` has no effect beside `--chmod`";
            found.push(
                step.place
                    .at(Diagnostic::warning(RULE.code, mode.span, message))
                    .help("remove one of the two"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn both_flags() {
        check(RULE, "FROM a\nCOPY --link --chmod=755 b /\n", &["755"]);
        check(
            RULE,
            "FROM a\nCOPY --link b /\nCOPY --chmod=755 b /\nADD --link=false --chmod=1 c /\n",
            &[],
        );
    }
}
