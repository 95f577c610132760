//! `UndefinedArgInFrom`: a `FROM` uses arguments that are declared before the first one.

use std::collections::BTreeSet;

use ir::suggest::Sparing;
use ir::{Code, Diagnostic};

use super::{Bases, Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::UndefinedArgInFrom,
    summary: "FROM command must use declared ARGs",
    kind: Kind::Standard,
    find: Find::From(find),
};

fn find(bases: &Bases<'_>, found: &mut Vec<Diagnostic>) {
    let declarations = bases.program.global_args.iter().flat_map(|global| &global.arg.declarations);
    let mut known: BTreeSet<&str> = declarations.map(|one| one.name.value.as_str()).collect();
    known.extend(bases.globals.iter().map(|(name, _)| name));
    let mut similar = Sparing::default();
    for stage in &bases.program.stages {
        let templates = std::iter::once(&stage.from.image).chain(&stage.from.platform);
        for (name, span) in templates.flat_map(ir::Template::variables) {
            if known.contains(name) {
                continue;
            }
            let message = format!("`FROM` argument `{name}` is not declared");
            let problem = Diagnostic::warning(RULE.code, span, message);
            found.push(match similar.nearest(name, known.iter().copied()) {
                Some(similar) => problem.help(format!("write `${similar}`")),
                None => {
                    problem.help(format!("declare it with `ARG {name}` before the first `FROM`"))
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn in_the_image_and_the_platform() {
        check(RULE, "FROM ${x:-alpine}\nARG x\n", &["${x:-alpine}"]);
        check(RULE, "FROM --platform=$nope a\n", &["$nope"]);
        check(RULE, "ARG v\nFROM --platform=$BUILDPLATFORM a:${v:-1}\n", &[]);
    }
}
