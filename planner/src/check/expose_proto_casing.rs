//! `ExposeProtoCasing`: protocols are lower case.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::lower::Port;
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::ExposeProtoCasing,
    summary: "Protocol in EXPOSE instruction should be lowercase",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Expose(words) = &step.action else { continue };
        for word in words {
            let protocol = Port::split(&word.value).protocol;
            let lower = protocol.to_lowercase();
            if lower != protocol {
                let message = format!(
                    "defined protocol `{}` in `EXPOSE` instruction should be lowercase",
                    word.value
                );
                found.push(
                    step.place
                        .at(Diagnostic::warning(RULE.code, word.span, message))
                        .help(format!("write `{lower}`")),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn upper_case() {
        check(RULE, "FROM a\nEXPOSE 80 81/udp 86/TCP\nEXPOSE 1:2/Udp\n", &["86/TCP", "1:2/Udp"]);
    }
}
