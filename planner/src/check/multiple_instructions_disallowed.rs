//! `MultipleInstructionsDisallowed`: of several `CMD`s in a stage only the last one counts.

use std::collections::BTreeMap;

use ir::instruction::Instruction;
use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::MultipleInstructionsDisallowed,
    summary: "Multiple instructions of the same type should not be used in the same stage",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, stage) in plan.stages() {
        let mut earlier = BTreeMap::new();
        for (statement, place) in &stage.statements {
            let instruction = &statement.instruction;
            if !matches!(
                instruction,
                Instruction::Cmd(_) | Instruction::Entrypoint(_) | Instruction::Healthcheck(_)
            ) {
                continue;
            }
            let keyword = instruction.keyword();
            let Some((ignored, at)) = earlier.insert(keyword, (statement, place)) else { continue };
            let message = format!(
                "multiple `{keyword}` instructions should not be used in the same stage because \
                 only the last one will be used"
            );
            let problem = Diagnostic::warning(RULE.code, ignored.keyword.span, message);
            let problem = at.at(problem);
            found.push(
                if place.foreign || at.foreign {
                    problem
                } else {
                    problem.label(statement.keyword.span, "this one replaces it")
                }
                .help("remove the one that is replaced"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn the_earlier_one_is_meant() {
        let text = "FROM a AS b\nCMD [\"x\"]\ncmd [\"y\"]\nHEALTHCHECK NONE\nHEALTHCHECK NONE\n";
        check(RULE, text, &["CMD", "HEALTHCHECK"]);
    }

    #[test]
    fn each_stage_may_have_its_own() {
        check(RULE, "FROM a AS b\nCMD [\"x\"]\nFROM b\nCMD [\"y\"]\nENTRYPOINT [\"z\"]\n", &[]);
        check(RULE, "FROM a\nCMD [\"x\"]\nCMD [\"y\"]\nFROM b\n", &[]);
    }
}
