//! `FromPlatformFlagConstDisallowed`: what a stage is built for is for the builder to say.

use ir::{Code, Diagnostic, Platform};

use super::{Bases, Find, Kind, Rule};

pub(super) const RULE: Rule = Rule {
    code: Code::FromPlatformFlagConstDisallowed,
    summary: "FROM --platform flag should not use a constant value",
    kind: Kind::Standard,
    find: Find::From(find),
};

/// A stage that has the platform in its name means it.
fn find(bases: &Bases<'_>, found: &mut Vec<Diagnostic>) {
    for stage in &bases.program.stages {
        let Some(template) = &stage.from.platform else { continue };
        if !template.variables().is_empty() {
            continue;
        }
        let Some(written) = bases.value(template) else { continue };
        let builder = &bases.options.build_platform;
        let Ok(platform) = Platform::read(&written, builder) else { continue };
        let name = stage.from.name.as_ref().map(|name| name.value.to_lowercase());
        let named = |part: &str| name.as_deref().is_some_and(|name| name.contains(part));
        if !named(&platform.os) && !named(&platform.architecture) {
            let message =
                format!("`FROM --platform` flag should not use constant value `{written}`");
            found.push(
                Diagnostic::warning(RULE.code, template.span, message).help(
                    "leave it out, use `$BUILDPLATFORM`, or name the stage after the platform",
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn a_constant_that_the_name_does_not_explain() {
        check(
            RULE,
            "FROM --platform=linux/amd64 a AS b\nFROM --platform=arm64 a\nFROM --platform=linux a\n",
            &["linux/amd64", "arm64", "linux"],
        );
        check(
            RULE,
            "FROM --platform=linux/amd64 a AS b-AMD64\nFROM --platform=linux/$TARGETARCH a\n\
             FROM --platform=linux/arm64 a AS linux\n",
            &[],
        );
    }
}
