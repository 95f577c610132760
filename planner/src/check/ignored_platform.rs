//! `IgnoredPlatform`: a stage that continues another one is built for what that one is built for,
//! and one from `scratch` for the target.

use ir::{Code, Diagnostic, Platform};

use super::{Find, Kind, Plan, Rule};
use crate::budget::Budget;
use crate::pass::expand::value;
use crate::pass::resolve::Base;

pub(super) const RULE: Rule = Rule {
    code: Code::IgnoredPlatform,
    summary: "FROM --platform has no effect on a stage or on scratch",
    kind: Kind::Own,
    find: Find::Plan(find),
};

/// The same platform once more does no harm.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let budget = Budget::default();
    for (index, stage) in plan.stages() {
        let base = match stage.base {
            Base::Stage(base) => Some(base),
            Base::Scratch => None,
            Base::Image(_) | Base::Context(_) | Base::Invalid(_) => continue,
        };
        let from = &plan.program.stages[index].from;
        let Some(template) = &from.platform else { continue };
        let given = value(template, &plan.resolved.globals, &budget).ok();
        let given = given.and_then(|text| Platform::read(&text, &plan.options.build_platform).ok());
        if given.is_none_or(|given| given == stage.platform) {
            continue;
        }
        let what = if base.is_some() { "a stage" } else { "an empty image" };
        let message = format!(
            "`--platform` has no effect on {what}: `{}` is built for `{}`",
            from.image.raw, stage.platform
        );
        let warning = Diagnostic::warning(RULE.code, template.span, message);
        found.push(match base {
            Some(base) => warning
                .label(plan.resolved.stages[base].span, "the platform is this stage's")
                .help("put `--platform` there"),
            None => warning.help("remove it, and build for that platform"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn another_platform_than_the_stage_is_built_for() {
        check(RULE, "FROM a AS b\nFROM --platform=linux/arm64 b\n", &["linux/arm64"]);
        check(RULE, "FROM --platform=linux/arm64 scratch\n", &["linux/arm64"]);
        check(RULE, "FROM --platform=linux scratch\n", &[]);
        check(
            RULE,
            "FROM a AS b\nFROM --platform=$BUILDPLATFORM b AS c\nFROM --platform=arm64 a\n",
            &[],
        );
    }
}
