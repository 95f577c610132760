//! `IgnoredFlag`: an instruction that has no flags is given none.

use ir::{Code, Diagnostic, Program};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::IgnoredFlag,
    summary: "ARG, STOPSIGNAL and HEALTHCHECK NONE have no flags",
    kind: Kind::Own,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    found.extend(program.ignored_flags.iter().map(|flag| {
        let message = format!("`{}` has no effect: this instruction has no flags", flag.value);
        Diagnostic::warning(RULE.code, flag.span, message).help("remove it")
    }));
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn of_instructions_that_drop_them() {
        check(
            RULE,
            "ARG --a b\nFROM a\nSTOPSIGNAL --c 9\nHEALTHCHECK --d=e none\nARG f --g\n",
            &["--a", "--c", "--d=e"],
        );
        check(RULE, "FROM a\nHEALTHCHECK --interval=1s CMD x\n", &[]);
    }
}
