//! `UndefinedVar`: variables are set or declared above their use.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::UndefinedVar,
    summary: "Variables should be defined before their use",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// `expand` has noted them. Below a base image that is not known it notes nothing.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for unset in &plan.expanded.unset {
        let name = &unset.name;
        let message = format!("usage of undefined variable `${name}`");
        let problem = unset.place.at(Diagnostic::warning(RULE.code, unset.span, message));
        found.push(match &unset.similar {
            Some(similar) => problem.help(format!("write `${similar}`")),
            None if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                problem.help("if the text is meant, put an escape before the `$`")
            }
            None => {
                problem.help(format!("set it above with `ENV {name}=…`, or declare `ARG {name}`"))
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_unknown};
    use super::RULE;

    #[test]
    fn in_what_is_expanded() {
        check(RULE, "FROM a\nENV foo=1\nCOPY $fop ${x:-y} /$foo\n", &["$fop", "${x:-y}"]);
        check(RULE, "FROM a\nARG v=${x}\nENV a=$v b=$v$w c=$w\n", &["${x}", "$w", "$w"]);
        check(RULE, "FROM a\nRUN --mount=target=/$m echo $n\nCMD echo $n\n", &["$m"]);
        check(RULE, "FROM a\nCOPY <<E <<'F' /\n$x$x\nE\n$y\nF\n", &["$x"]);
    }

    #[test]
    fn what_an_arg_declares_is_known() {
        check(RULE, "FROM a AS b\nARG x\nLABEL l=$x p=$PATH\nFROM b\nLABEL m=$x\n", &[]);
    }

    #[test]
    fn only_in_stages_that_are_needed() {
        check(RULE, "FROM a AS b\nCOPY $x /\nFROM c AS d\n", &[]);
    }

    #[test]
    fn what_an_unknown_base_may_set_is_not_judged() {
        check_unknown(RULE, "FROM a AS b\nCOPY $x /\nFROM b\nCOPY $y /\n", &[]);
        check_unknown(RULE, "FROM scratch\nCOPY $x /\n", &["$x"]);
    }

    #[test]
    fn an_instruction_may_be_excused() {
        check(RULE, "FROM a\n# check=skip=UndefinedVar\nCOPY $x /\nCOPY $y /\n", &["$y"]);
    }
}
