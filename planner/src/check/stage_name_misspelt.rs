//! `StageNameMisspelt`: what is taken for an image is not nearly a stage or a build context.

use std::collections::{BTreeMap, BTreeSet};

use ir::suggest::{Sparing, shown};
use ir::{Code, Diagnostic, ImageRef, Span, Template};

use super::{Bases, Find, Kind, Rule};
use crate::pass::resolve::{image_contexts, references};

pub(super) const RULE: Rule = Rule {
    code: Code::StageNameMisspelt,
    summary: "An image should not have nearly the name of a stage",
    kind: Kind::Own,
    find: Find::From(find),
};

/// A name in a `FROM` sees the stages above it, one in a `from` all of them.
fn find(bases: &Bases<'_>, found: &mut Vec<Diagnostic>) {
    let mut names = Names::new(bases);
    let mut copied = Vec::new();
    for stage in &bases.program.stages {
        let Template { span, .. } = stage.from.image;
        let base = bases.value(&stage.from.image).unwrap_or_default();
        if stage.from.image.variables().is_empty() {
            found.extend(names.misspelt(&base, span));
        }
        if let Some(name) = &stage.from.name {
            names.stages.insert(name.value.to_lowercase(), (name.span, base));
        }
        let statements = stage.statements.iter();
        copied.extend(statements.flat_map(|statement| {
            let references = references(statement, &bases.globals, &bases.budget);
            references.into_iter().filter(|(_, fixed)| *fixed).map(|(from, _)| from)
        }));
    }
    for from in copied {
        let index = from.indices && from.word.value.parse::<i64>().is_ok();
        if !index {
            found.extend(names.misspelt(&from.word.value, from.word.span));
        }
    }
}

/// What a name may stand for.
struct Names<'a> {
    /// The stages by their names in lower case, each with the place of its name and its base image.
    stages: BTreeMap<String, (Span, String)>,
    contexts: BTreeSet<&'a str>,
    /// The contexts that are named after an image.
    images: BTreeMap<ImageRef, &'a str>,
    similar: Sparing,
}

impl<'a> Names<'a> {
    fn new(bases: &Bases<'a>) -> Self {
        let contexts = bases.options.contexts.keys().map(String::as_str).collect();
        let images = image_contexts(&bases.options.contexts);
        Self { stages: BTreeMap::new(), contexts, images, similar: Sparing::default() }
    }

    /// The problem of a name that is taken for an image, if it is near to something else.
    fn misspelt(&mut self, written: &str, span: Span) -> Option<Diagnostic> {
        let lower = written.to_lowercase();
        let known = self.stages.contains_key(&lower) || self.contexts.contains(written);
        // With these in it somebody means an image.
        if known || written == "scratch" || written.contains(['/', ':', '@', '.']) {
            return None;
        }
        if !self.images.is_empty() && self.images.contains_key(&written.parse().ok()?) {
            return None;
        }
        let stages = self.stages.keys().map(String::as_str);
        let near = self.similar.nearest(&lower, stages.chain(self.contexts.iter().copied()))?;
        let stage = self.stages.get(near);
        // A stage may be named after its base: `FROM alpine:3.22 AS alpine3`.
        if stage.is_some_and(|(_, base)| is_same_repository(base, written)) {
            return None;
        }
        let message = format!("`{}` is no stage, and is taken for an image", shown(written));
        let problem = Diagnostic::warning(RULE.code, span, message);
        Some(match stage {
            Some((named, _)) => problem
                .label(*named, format!("`{near}` is a stage"))
                .help(format!("write `{near}` if the stage is meant")),
            None => problem.help(format!("write `{near}` if the build context is meant")),
        })
    }
}

/// Whether two images have the same name but for a tag or digest.
fn is_same_repository(left: &str, right: &str) -> bool {
    let name = |image: &str| image.parse().ok().map(|image: ImageRef| image.name());
    name(left).is_some_and(|left| Some(left) == name(right))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_with, options};
    use super::RULE;
    use crate::NamedContext;

    #[test]
    fn in_a_from_and_a_mount() {
        check(RULE, "FROM a AS build\nFROM biuld\n", &["biuld"]);
        check(RULE, "FROM a AS build\nFROM a\nCOPY --from=biuld / /\n", &["biuld"]);
        let mount = "FROM a AS Build\nFROM a\nRUN --mount=from=Buidl,target=/x true\n";
        check(RULE, mount, &["Buidl"]);
    }

    #[test]
    fn what_a_name_stands_for_is_known() {
        check(RULE, "FROM a AS build\nFROM a AS build1\nFROM BUILD\nCOPY --from=Build / /\n", &[]);
        check(RULE, "FROM a\nCOPY --from=later / /\nFROM a AS latest\nFROM a AS later\n", &[]);
        check(RULE, "FROM a AS s\nFROM a AS 11\nFROM a\nCOPY --from=1 / /\n", &[]);
    }

    #[test]
    fn what_is_meant_as_an_image_is_left_alone() {
        check(RULE, "FROM alpine:3 AS alpine3\nFROM alpine\n", &[]);
        check(RULE, "FROM a AS build\nFROM buld:1\nCOPY --from=x/build / /\n", &[]);
        check(RULE, "FROM biuld\nFROM a AS build\n", &[]);
        check(RULE, "ARG b=biuld\nFROM a AS build\nFROM $b\n", &[]);
        check(RULE, "FROM a AS scratch1\nFROM scratch\n", &[]);
    }

    #[test]
    fn a_build_context_is_known_and_near() {
        let contexts = [("assets".to_owned(), NamedContext::Scratch)].into();
        let options = crate::Options { contexts, ..options() };
        let text = "FROM a\nCOPY --from=assets / /\nCOPY --from=asets / /\n";
        check_with(RULE, &options, text, &["asets"]);
    }
}
