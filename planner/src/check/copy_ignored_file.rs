//! `CopyIgnoredFile`: what is copied is not left out by `.dockerignore`.

use std::path::Path;

use ir::pattern::Ignore;
use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::lower::is_path;
use crate::path;
use crate::step::{Action, CopyKind};

pub(super) const RULE: Rule = Rule {
    code: Code::CopyIgnoredFile,
    summary: "Attempting to Copy file that is excluded by .dockerignore",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// With a `!` among the patterns, something below an ignored directory may be wanted, so nothing is
/// said. The whole context is ignored only by what ignores everything.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let patterns = &plan.options.ignore;
    if patterns.iter().any(|pattern| pattern.trim_start().starts_with('!')) {
        return;
    }
    let Ok(ignore) = Ignore::new(patterns) else { return };
    let all = patterns.iter().any(|pattern| matches!(pattern.trim(), "*" | "**" | "**/*"));
    for (_, step) in plan.steps() {
        let Action::Copy(copy) = &step.action else { continue };
        let verb = match &copy.kind {
            CopyKind::Copy { from: Some(_), .. } => continue,
            CopyKind::Copy { from: None, .. } => "copy",
            CopyKind::Add { .. } => "add",
        };
        for source in copy.sources.iter().filter(|source| is_path(&source.value)) {
            let rooted = path::rooted(&source.value);
            let relative = rooted.trim_start_matches('/');
            let ignored =
                if relative.is_empty() { all } else { ignore.excluded(Path::new(relative)) };
            if ignored {
                let shown = if relative.is_empty() { "." } else { relative };
                let message = format!(
                    "attempting to {verb} file `{shown}` that is excluded by `.dockerignore`"
                );
                found
                    .push(step.place.at(Diagnostic::warning(RULE.code, source.span, message)).help(
                    "take it out of the patterns of `.dockerignore`, or add one with `!` for it",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_with, options};
    use super::RULE;

    fn with(patterns: &[&str], text: &str, expected: &[&str]) {
        let mut options = options();
        options.ignore = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        check_with(RULE, &options, text, expected);
    }

    #[test]
    fn sources_in_the_context() {
        with(&["x", "z"], "FROM a\nCOPY x y /x/b /\nADD z http://h/z /\n", &["x", "/x/b", "z"]);
        with(&["x"], "FROM a AS b\nFROM b\nCOPY --from=b x /\nCOPY <<x /\nx\n", &[]);
    }

    #[test]
    fn the_context_itself_only_where_everything_is_left_out() {
        with(&[".*"], "FROM a\nCOPY . /\nCOPY .git /\n", &[".git"]);
        with(&["**"], "FROM a\nCOPY . /\n", &["."]);
    }

    #[test]
    fn an_exception_makes_it_uncertain() {
        with(&["x", "!x/y"], "FROM a\nCOPY x /\n", &[]);
    }
}
