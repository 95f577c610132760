//! `IgnoredMtime`: files of a repository have the time of the checkout.

use ir::{Code, Diagnostic};

use super::{Find, Kind, Plan, Rule};
use crate::giturl::GitUrl;
use crate::step::Action;

pub(super) const RULE: Rule = Rule {
    code: Code::IgnoredMtime,
    summary: "mtime=commit in the URL of an ADD has no effect",
    kind: Kind::Own,
    find: Find::Plan(find),
};

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in plan.steps() {
        let Action::Copy(copy) = &step.action else { continue };
        for source in &copy.sources {
            if GitUrl::parse(&source.value).is_ok_and(|url| url.commit_time) {
                let message = "`mtime=commit` has no effect in an `ADD`";
                found.push(
                    step.place
                        .at(Diagnostic::warning(RULE.code, source.span, message))
                        .help("remove it: the files get the time of the checkout"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn in_the_query() {
        check(
            RULE,
            "FROM a\nADD https://h/r.git?mtime=commit /r\n",
            &["https://h/r.git?mtime=commit"],
        );
        check(RULE, "FROM a\nADD https://h/r.git?mtime=checkout /r\n", &[]);
    }
}
