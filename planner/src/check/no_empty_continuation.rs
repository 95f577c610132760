//! `NoEmptyContinuation`: no blank line within an instruction.

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::NoEmptyContinuation,
    summary: "Empty continuation lines will become errors in a future release",
    kind: Kind::Standard,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    found.extend(program.blank_lines.iter().map(|line| {
        Diagnostic::warning(RULE.code, *line, "empty continuation line")
            .help("remove it, or put a `#` on it")
    }));
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn one_warning_an_instruction_and_none_for_comments() {
        check(RULE, "FROM a\nRUN a \\\n\n\n b\nRUN c \\\n  \n d\n", &["\n", "  \n"]);
        check(RULE, "FROM a\n\nRUN a \\\n#\n b\n", &[]);
        check(RULE, "FROM a\n# check=skip=NoEmptyContinuation\nRUN a \\\n\n b\n", &[]);
    }
}
