//! `JSONArgsRecommended`: `CMD` and `ENTRYPOINT` are run without a shell in between.

use std::collections::BTreeSet;

use ir::instruction::{Command, Instruction};
use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::resolve::Base;

pub(super) const RULE: Rule = Rule {
    code: Code::JsonArgsRecommended,
    summary: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// Who sets a `SHELL` wants one. A base image that is not known is taken to have none.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let mut with_shell = BTreeSet::new();
    for (index, stage) in plan.stages() {
        let mut has_shell = match &stage.base {
            Base::Stage(base) => with_shell.contains(base),
            Base::Image(request) => plan.facts.images.get(request).is_some_and(|image| {
                image.config.config.shell.as_ref().is_some_and(|shell| !shell.is_empty())
            }),
            Base::Scratch | Base::Context(_) | Base::Invalid(_) => false,
        };
        for (statement, place) in &stage.statements {
            let command = if let Instruction::Cmd(cmd) = &statement.instruction {
                &cmd.command
            } else if let Instruction::Entrypoint(entrypoint) = &statement.instruction {
                &entrypoint.command
            } else {
                has_shell |= matches!(statement.instruction, Instruction::Shell(_));
                continue;
            };
            if let Command::Shell(text) = command
                && !has_shell
            {
                let keyword = statement.instruction.keyword();
                let message = format!(
                    "JSON arguments recommended for `{keyword}` to prevent unintended behavior \
                     related to OS signals"
                );
                found
                    .push(place.at(Diagnostic::warning(RULE.code, text.span, message)).help(format!(
                    "write `{keyword} [\"command\", \"argument\"]`, or `SHELL` above it if a shell \
                         is meant"
                )));
            }
        }
        with_shell.extend(has_shell.then_some(index));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn the_shell_form() {
        check(RULE, "FROM a\nCMD x y\nENTRYPOINT z\n", &["x y", "z"]);
        check(RULE, "FROM a\nCMD [\"x\"]\nRUN y\nHEALTHCHECK CMD z\n", &[]);
    }

    #[test]
    fn a_shell_that_was_chosen_is_meant() {
        check(RULE, "FROM a AS b\nCMD w\nSHELL [\"s\"]\nCMD x\nFROM b\nENTRYPOINT y\n", &["w"]);
    }
}
