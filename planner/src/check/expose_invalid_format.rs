//! `ExposeInvalidFormat`: an image exposes ports of the container, and maps none.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::lower::Port;
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::ExposeInvalidFormat,
    summary: "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Expose(words) = &step.action else { continue };
        for word in words {
            let port = Port::split(&word.value);
            if !port.ip.is_empty() || !port.host.is_empty() {
                let message = format!(
                    "`EXPOSE` instruction should not define an IP address or host-port mapping, \
                     found `{}`",
                    word.value
                );
                found.push(
                    step.place
                        .at(Diagnostic::warning(RULE.code, word.span, message))
                        .help(format!("write `{}`; who runs the image maps it", port.container())),
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
    fn addresses_and_host_ports() {
        check(RULE, "FROM a\nEXPOSE 1:2 127.0.0.1:3:4 5\n", &["1:2", "127.0.0.1:3:4"]);
        check(RULE, "FROM a\nEXPOSE 80 81-82/udp\n", &[]);
    }
}
