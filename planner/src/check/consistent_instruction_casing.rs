//! `ConsistentInstructionCasing`: keywords are in the case that most of them are in.

use ir::instruction::Text;
use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::ConsistentInstructionCasing,
    summary: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    kind: Kind::Standard,
    find: Find::Text(find),
};

/// Global `ARG`s are not looked at, as in BuildKit. Of as many of both, upper case wins.
fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    let keywords: Vec<&Text> = program
        .stages
        .iter()
        .flat_map(|stage| {
            let statements = stage.statements.iter().map(|statement| &statement.keyword);
            std::iter::once(&stage.keyword).chain(statements)
        })
        .collect();
    let lower = keywords.iter().filter(|keyword| keyword.value == keyword.value.to_lowercase());
    let upper = keywords.iter().filter(|keyword| keyword.value == keyword.value.to_uppercase());
    let is_lower = lower.count() > upper.count();
    for keyword in keywords {
        let written = &keyword.value;
        let (expected, case) = if is_lower {
            (written.to_lowercase(), "lowercase")
        } else {
            (written.to_uppercase(), "uppercase")
        };
        if expected != *written {
            let message = format!(
                "command `{written}` should match the case of the command majority ({case})"
            );
            found.push(
                Diagnostic::warning(RULE.code, keyword.span, message)
                    .help(format!("write `{expected}`")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn the_majority_decides() {
        check(RULE, "FROM a\nrun x\nRUN y\nCmd [\"z\"]\n", &["run", "Cmd"]);
        check(RULE, "from a\nrun x\nRUN y\n", &["RUN"]);
        check(RULE, "from a\nRUN x\n", &["from"]);
        check(RULE, "arg a\nFROM a\nRUN y\n", &[]);
    }
}
