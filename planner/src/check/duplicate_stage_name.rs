//! `DuplicateStageName`: no two stages have one name.

use std::collections::BTreeMap;

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::DuplicateStageName,
    summary: "Stage names should be unique",
    kind: Kind::Standard,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    let mut known = BTreeMap::new();
    for name in program.stages.iter().filter_map(|stage| stage.from.name.as_ref()) {
        let lower = name.value.to_lowercase();
        let message = format!("duplicate stage name `{lower}`, stage names should be unique");
        if let Some(first) = known.insert(lower, name.span) {
            found.push(
                Diagnostic::warning(RULE.code, name.span, message)
                    .label(first, "also named so")
                    .help("rename one of them; what refers to the name now gets the last one above it"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn names_are_compared_in_lower_case() {
        check(RULE, "FROM a AS x\nFROM a AS X\nFROM a AS y\nFROM a AS x\n", &["X", "x"]);
    }
}
