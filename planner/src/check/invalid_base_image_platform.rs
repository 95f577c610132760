//! `InvalidBaseImagePlatform`: a base image is for the platform that was asked for.

use ir::{Code, Diagnostic, Platform};

use super::{Find, Kind, Plan, Rule};
use crate::pass::resolve::Base;

pub(super) const RULE: Rule = Rule {
    code: Code::InvalidBaseImagePlatform,
    summary: "Base image platform does not match expected target platform",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// The variant is not compared. An image that does not say what it is for is believed.
fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    for (index, stage) in plan.stages() {
        let Base::Image(request) = &stage.base else { continue };
        let Some(image) = plan.facts.images.get(request) else { continue };
        let Platform { os, architecture, variant: _ } = &request.platform;
        let config = &image.config;
        let silent = config.os.is_empty() || config.architecture.is_empty();
        if silent || (config.os == *os && config.architecture == *architecture) {
            continue;
        }
        let written = &plan.program.stages[index].from.image;
        let message = format!(
            "base image `{}` was pulled with platform `{}/{}`, expected `{os}/{architecture}` for \
             current build",
            written.raw, config.os, config.architecture
        );
        found.push(Diagnostic::warning(RULE.code, written.span, message).help(
            "choose a base image for that platform, or say with `--platform` that this one is meant",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_with, options};
    use super::RULE;

    #[test]
    fn another_architecture() {
        let mut options = options();
        options.platform = "linux/arm64".parse().unwrap();
        let text = "FROM a AS b\nFROM --platform=linux/amd64 c\nCOPY --from=b / /\nFROM x\n\
                    COPY --from=1 / /\n";
        check_with(RULE, &options, text, &["a", "x"]);
        check(RULE, text, &[]);
    }
}
