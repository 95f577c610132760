//! `InvalidDefaultArgInFrom`: the defaults of the global `ARG`s make names of images.

use std::collections::BTreeMap;

use ir::{Code, Diagnostic, ImageRef};

use super::{Bases, Find, Kind, Rule};
use crate::Options;

pub(super) const RULE: Rule = Rule {
    code: Code::InvalidDefaultArgInFrom,
    summary: "Default value for global ARG results in an empty or invalid base image name",
    kind: Kind::Standard,
    find: Find::From(find),
};

/// Looked at without any build argument, for the file is to work for everyone. A name without a
/// variable is as bad with arguments: that is an error, not for this rule.
fn find(bases: &Bases<'_>, found: &mut Vec<Diagnostic>) {
    if bases.program.stages.iter().all(|stage| stage.from.image.variables().is_empty()) {
        return;
    }
    let options = Options { build_args: BTreeMap::new(), ..bases.options.clone() };
    let Some(defaults) = Bases::new(bases.program, &options) else { return };
    for stage in &bases.program.stages {
        let image = &stage.from.image;
        let variables = image.variables();
        let Some(name) = defaults.value(image) else { return };
        // The culprit is the first without a value, or else the first.
        let unset = variables.iter().find(|(name, _)| defaults.globals.get(name).is_none());
        let Some((culprit, span)) = unset.or(variables.first()) else { continue };
        if name.parse::<ImageRef>().is_ok() {
            continue;
        }
        let message = format!(
            "default value for `ARG {culprit}` results in empty or invalid base image name `{name}`"
        );
        found.push(
            Diagnostic::warning(RULE.code, *span, message).help(format!(
                "give it a default: `ARG {culprit}=…`, or write `${{{culprit}:-…}}`"
            )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_with, options};
    use super::RULE;

    #[test]
    fn also_where_a_build_argument_helps() {
        let text = "ARG n=a\nARG v\nFROM $n:${v}\n";
        check(RULE, text, &["${v}"]);
        let mut options = options();
        options.build_args.insert("v".to_owned(), "1".to_owned());
        check_with(RULE, &options, text, &["${v}"]);
        check(RULE, "ARG v=1\nARG w\nFROM a:${v}\nFROM a:${w:-2}\n", &[]);
    }
}
