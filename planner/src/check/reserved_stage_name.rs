//! `ReservedStageName`: no stage is named `scratch` or `context`.

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::ReservedStageName,
    summary: "Reserved words should not be used as stage names",
    kind: Kind::Standard,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    for name in program.stages.iter().filter_map(|stage| stage.from.name.as_ref()) {
        let lower = name.value.to_lowercase();
        if matches!(lower.as_str(), "scratch" | "context") {
            let message =
                format!("stage name should not use the same name as reserved stage `{lower}`");
            found.push(
                Diagnostic::warning(RULE.code, name.span, message)
                    .help("choose another name: this one has a meaning of its own"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn two_names_are_reserved() {
        check(
            RULE,
            "FROM a AS scratch\nFROM a AS Context\nFROM a AS base\n",
            &["scratch", "Context"],
        );
    }
}
