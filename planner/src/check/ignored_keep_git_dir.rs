//! `IgnoredKeepGitDir`: `--keep-git-dir` is for a source that is a git repository.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::pass::lower::is_git;
use crate::step::{Action, CopyKind};

pub(super) const RULE: Rule = Rule {
    code: Code::IgnoredKeepGitDir,
    summary: "ADD --keep-git-dir has no effect without a git repository",
    kind: Kind::Own,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Copy(copy) = &step.action else { continue };
        let CopyKind::Add { keep_git_dir: Some(true), .. } = copy.kind else { continue };
        if copy.sources.iter().any(|source| is_git(&source.value)) {
            continue;
        }
        if let Some(source) = copy.sources.first() {
            let message = format!("`--keep-git-dir`: `{}` is no git repository", source.value);
            found.push(
                step.place
                    .at(Diagnostic::warning(RULE.code, source.span, message))
                    .help("remove the flag, or let the path of the URL end in `.git`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn no_source_is_a_repository() {
        check(RULE, "FROM a\nADD --keep-git-dir https://h/r /r\n", &["https://h/r"]);
        check(
            RULE,
            "FROM a\nADD --keep-git-dir https://h/r.git /r\nADD --keep-git-dir=false b /\n",
            &[],
        );
    }
}
