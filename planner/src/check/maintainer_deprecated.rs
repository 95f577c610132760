//! `MaintainerDeprecated`: an author is a label.

use ir::instruction::Instruction;
use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::MaintainerDeprecated,
    summary: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    kind: Kind::Standard,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    for statement in program.stages.iter().flat_map(|stage| &stage.statements) {
        if let Instruction::Maintainer(maintainer) = &statement.instruction {
            let message = "`MAINTAINER` instruction is deprecated in favor of using label";
            let name = &maintainer.name.value;
            found.push(
                Diagnostic::warning(RULE.code, statement.keyword.span, message)
                    .help(format!("write `LABEL org.opencontainers.image.authors={name:?}`")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn in_every_stage() {
        check(RULE, "FROM a\nMAINTAINER x\nFROM b\nmaintainer y\n", &["MAINTAINER", "maintainer"]);
    }
}
