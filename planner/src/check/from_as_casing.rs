//! `FromAsCasing`: `AS` is in the case of its `FROM`.

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::FromAsCasing,
    summary: "The `as` keyword should match the case of the `from` keyword",
    kind: Kind::Standard,
    find: Find::Text(find),
};

/// A `FROM` in mixed case is for `ConsistentInstructionCasing`.
fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    for stage in &program.stages {
        let from = &stage.keyword.value;
        let Some(written) = &stage.from.as_keyword else { continue };
        let expected = match from.as_str() {
            "FROM" => "AS",
            "from" => "as",
            _ => continue,
        };
        if written.value != expected {
            let message = format!("`{}` and `{from}` keywords' casing do not match", written.value);
            found.push(
                Diagnostic::warning(RULE.code, written.span, message)
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
    fn both_in_one_case() {
        check(RULE, "FROM a as b\nfrom a AS c\nFROM a As d\n", &["as", "AS", "As"]);
        check(RULE, "FROM a AS b\nfrom a as c\nFrom a aS d\nFROM a\n", &[]);
    }
}
