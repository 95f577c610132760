//! `docs/checks.md`: each rule has its section, whose first example it warns of and whose second not.

#![expect(clippy::unwrap_used, reason = "a document that cannot be read fails its test")]

use std::path::Path;

use ir::{ConfigFile, Digest, Facts, ImageFacts, Platform, Source};
use kaniko_planner::{Options, Rule, images, plan, rules};

#[test]
fn every_rule_is_documented_and_every_example_is_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections = text.split("\n## ");
    let introduction = sections.next().unwrap();
    assert!(introduction.starts_with("# "), "{introduction}");
    let options = sections.next().unwrap();
    assert_eq!(codes(examples(options)[0]), [] as [&str; 0], "{options}");
    let sections: Vec<(&str, &str)> =
        sections.map(|section| section.split_once('\n').unwrap()).collect();
    let documented: Vec<&str> = sections.iter().map(|(name, _)| *name).collect();
    let known: Vec<&str> = rules().map(Rule::name).collect();
    assert_eq!(documented, known);
    for (name, section) in sections {
        let examples = examples(section);
        let [bad, good] = examples[..] else { panic!("{name} has {} examples", examples.len()) };
        assert!(codes(bad).contains(&name), "{name} is silent about\n{bad}");
        assert!(!codes(good).contains(&name), "{name} warns of\n{good}");
    }
}

/// The fenced Dockerfiles of a section, each behind the rest of the line that opens it.
fn examples(section: &str) -> Vec<&str> {
    let fences = section.split("```dockerfile").skip(1);
    fences.map(|fence| fence.split("\n```").next().unwrap()).collect()
}

/// What is said of an example. Behind its fence may stand `ignore=PATTERN`, and `base=PLATFORM` if
/// base images are not for linux/amd64.
fn codes(example: &str) -> Vec<&'static str> {
    let (attributes, text) = example.split_once('\n').unwrap();
    let attribute = |name: &str| {
        attributes.split_whitespace().find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
    };
    let platform: Platform = "linux/amd64".parse().unwrap();
    let base: Platform = attribute("base").unwrap_or("linux/amd64").parse().unwrap();
    let ignore = attribute("ignore").map(str::to_owned).into_iter().collect();
    let options = Options { ignore, ..Options::new(platform) };
    let source = Source::new("Dockerfile", format!("{text}\n")).unwrap();
    let program = grammar::parse(&source).program;
    let Platform { os, architecture, variant } = base;
    let config = ConfigFile { os, architecture, variant, ..ConfigFile::default() };
    let digest = Digest::from_bytes([0; 32]);
    let known = ImageFacts { digest, config, triggers: Vec::new() };
    let mut facts = Facts::default();
    let needed = images(&program, &options, &facts).unwrap_or_default();
    facts.images.extend(needed.into_iter().map(|(request, _)| (request, known.clone())));
    let said = plan(&program, &options, &facts).diagnostics;
    said.iter().map(|diagnostic| diagnostic.code.name()).collect()
}
