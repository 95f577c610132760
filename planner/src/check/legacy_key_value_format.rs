//! `LegacyKeyValueFormat`: `key=value`, not `key value`.

use ir::instruction::{Instruction, Pair};
use ir::{Code, Diagnostic, Template};

use super::{Find, Kind, Plan, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::LegacyKeyValueFormat,
    summary: "Legacy key/value format with whitespace separator should not be used",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let statements = plan.stages().flat_map(|(_, stage)| &stage.statements);
    for (statement, place) in statements {
        let keyword = statement.instruction.keyword();
        for pair in legacy_pairs(&statement.instruction) {
            let message = format!(
                "`{keyword} key=value` should be used instead of legacy `{keyword} key value` format"
            );
            let span = pair.key.span.to(pair.value.span);
            found.push(
                place
                    .at(Diagnostic::warning(RULE.code, span, message))
                    .help(format!("write `{keyword} {}`", rewritten(pair))),
            );
        }
    }
}

/// What is written in the old form.
fn legacy_pairs(instruction: &Instruction) -> &[Pair] {
    if let Instruction::Env(env) = instruction
        && env.legacy
    {
        return &env.pairs;
    }
    if let Instruction::Label(label) = instruction
        && label.legacy
    {
        return &label.pairs;
    }
    &[]
}

/// The pair in the other form. All of the line was the value, so blanks in it need quotes.
fn rewritten(pair: &Pair) -> String {
    let Pair { key: Template { raw: key, .. }, value: Template { raw: value, .. } } = pair;
    if key.contains(['"', '\'']) {
        return "\"…\"=\"…\"".to_owned();
    }
    match (value.contains(char::is_whitespace), value.contains(['"', '\''])) {
        (false, _) => format!("{key}={value}"),
        (true, false) => format!("{key}=\"{value}\""),
        (true, true) => format!("{key}=\"…\""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn of_env_and_label() {
        check(RULE, "FROM a\nENV k a b\nLABEL l m\nENV x=y z=\n", &["k a b", "l m"]);
    }
}
