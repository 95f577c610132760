//! Runs the checks over a text, for the tests of the rules.

use ir::{ConfigFile, Diagnostic, Digest, Facts, ImageFacts, Source};

use super::Rule;
use crate::{Options, images, plan};

/// For linux/amd64, without arguments.
pub(super) fn options() -> Options {
    Options::new("linux/amd64".parse().unwrap())
}

/// Compares the texts that a rule points to, in order. Every image is known: an empty one for
/// linux/amd64.
#[track_caller]
pub(super) fn check(rule: Rule, text: &str, expected: &[&str]) {
    check_with(rule, &options(), text, expected);
}

/// As [`check`], with options.
#[track_caller]
pub(super) fn check_with(rule: Rule, options: &Options, text: &str, expected: &[&str]) {
    let source = Source::new("Dockerfile", text).unwrap();
    let program = grammar::parse(&source).program;
    let config =
        ConfigFile { os: "linux".into(), architecture: "amd64".into(), ..ConfigFile::default() };
    let digest = Digest::from_bytes([0; 32]);
    let known = ImageFacts { digest, config, triggers: Vec::new() };
    let mut facts = Facts::default();
    let needed = images(&program, options, &facts).unwrap_or_default();
    facts.images.extend(needed.into_iter().map(|(request, _)| (request, known.clone())));
    compare(rule, &source, &plan(&program, options, &facts).diagnostics, expected);
}

/// As [`check`], with no image known.
#[track_caller]
pub(super) fn check_unknown(rule: Rule, text: &str, expected: &[&str]) {
    let source = Source::new("Dockerfile", text).unwrap();
    let program = grammar::parse(&source).program;
    compare(rule, &source, &plan(&program, &options(), &Facts::default()).diagnostics, expected);
}

#[track_caller]
fn compare(rule: Rule, source: &Source, diagnostics: &[Diagnostic], expected: &[&str]) {
    let found: Vec<&str> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == rule.code)
        .map(|diagnostic| source.slice(diagnostic.span))
        .collect();
    assert_eq!(found, expected, "{diagnostics:#?}");
}
