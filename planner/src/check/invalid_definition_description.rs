//! `InvalidDefinitionDescription`: a comment above an `ARG` or a named stage describes it.

use ir::instruction::{Arg, Instruction};
use ir::{Code, Diagnostic, Program, Span};

use super::{Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::InvalidDefinitionDescription,
    summary: "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`",
    kind: Kind::Experimental,
    find: Find::Text(find),
};

fn find(program: &Program, found: &mut Vec<Diagnostic>) {
    for global in &program.global_args {
        arg(&global.arg, global.keyword.span, &global.description, found);
    }
    for stage in &program.stages {
        if let Some(name) = &stage.from.name {
            let name = name.value.to_lowercase();
            describes("FROM", &[&name], stage.keyword.span, &stage.description, found);
        }
        for statement in &stage.statements {
            if let Instruction::Arg(declared) = &statement.instruction {
                arg(declared, statement.keyword.span, &statement.description, found);
            }
        }
    }
}

fn arg(arg: &Arg, span: Span, description: &str, found: &mut Vec<Diagnostic>) {
    let names: Vec<&str> = arg.declarations.iter().map(|one| one.name.value.as_str()).collect();
    describes("ARG", &names, span, description, found);
}

/// Looks at the last line of the comment: it is to begin with one of the names.
fn describes(
    keyword: &str,
    names: &[&str],
    span: Span,
    description: &str,
    found: &mut Vec<Diagnostic>,
) {
    let Some(last) = description.lines().last() else { return };
    let first_word = last.split(' ').next().unwrap_or_default();
    if names.contains(&first_word) {
        return;
    }
    let name = if let [name] = names { name } else { "<arg_key>" };
    let message =
        format!("comment for `{keyword}` should follow the format: `# {name} <description>`");
    found.push(
        Diagnostic::warning(RULE.code, span, message)
            .help("if it is no description, put an empty comment `#` below it"),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn only_when_asked_for() {
        let text = "# foo\nARG bar\n# baz\nFROM a AS qux\n# qux\nARG c d\n";
        check(RULE, text, &[]);
        check(RULE, &format!("# check=experimental=all\n{text}"), &["ARG", "FROM", "ARG"]);
        check(RULE, "ARG x\n# check=experimental=all\n# foo\nFROM a AS b\n", &["FROM"]);
    }

    #[test]
    fn a_description_begins_with_the_name() {
        let text = "# check=experimental=InvalidDefinitionDescription\n\
                    # See the manual.\n# bar says how\nARG bar\n# Stages.\n#\nFROM a AS b\n\
                    # unnamed\nFROM b\n# d is two\nARG c d\n";
        check(RULE, text, &[]);
    }
}
