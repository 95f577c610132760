//! `StageNameCasing`: names of stages are lower case.

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::StageNameCasing,
    summary: "Stage names should be lowercase",
    kind: Kind::Standard,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    for name in program.stages.iter().filter_map(|stage| stage.from.name.as_ref()) {
        let lower = name.value.to_lowercase();
        if lower != name.value {
            let message = format!("stage name `{}` should be lowercase", name.value);
            found.push(
                Diagnostic::warning(RULE.code, name.span, message)
                    .help(format!("write `{lower}`; stages are found in any case")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn a_name_in_upper_case() {
        check(RULE, "FROM a AS Foo\nFROM a AS b\nFROM a as C1\n", &["Foo", "C1"]);
    }
}
