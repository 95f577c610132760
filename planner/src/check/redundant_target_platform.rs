//! `RedundantTargetPlatform`: a stage is built for the target platform anyway.

use ir::{Code, Diagnostic};

use super::{Bases, Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::RedundantTargetPlatform,
    summary: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    kind: Kind::Standard,
    find: Find::From(find),
};

/// What else stands there may make another platform of it, so the value counts.
fn find(bases: &Bases<'_>, found: &mut Vec<Diagnostic>) {
    let target = bases.globals.get("TARGETPLATFORM");
    for platform in bases.program.stages.iter().filter_map(|stage| stage.from.platform.as_ref()) {
        let variables = platform.variables();
        let alone = matches!(variables.as_slice(), [("TARGETPLATFORM", _)]);
        if alone && bases.value(platform).as_deref() == target {
            let message = "setting platform to predefined `$TARGETPLATFORM` in `FROM` is redundant \
                           as this is the default behavior";
            found.push(
                Diagnostic::warning(RULE.code, platform.span, message).help("remove `--platform`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn the_target_platform_alone() {
        check(
            RULE,
            "FROM --platform=$TARGETPLATFORM a\nFROM --platform=${TARGETPLATFORM:-x} b\n",
            &["$TARGETPLATFORM", "${TARGETPLATFORM:-x}"],
        );
        check(RULE, "FROM --platform=$BUILDPLATFORM a\nFROM --platform=linux/$TARGETARCH a\n", &[]);
    }
}
