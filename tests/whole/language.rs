//! The page of the language and the cases speak of the same rules.
//!
//! A rule is a line `` - `name`: … `` of `docs/language.md`. What shows one says so: a case in a line
//! `# rule: name, name`, a test of ours in a line `// rule: name`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kaniko_tests::tree;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The rules of the page, in its order, each with what is said about it.
fn rules() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let mut rules: Vec<(String, String)> = Vec::new();
    for line in page.lines() {
        if let Some((name, text)) = line.strip_prefix("- `").and_then(|line| line.split_once("`: "))
        {
            rules.push((name.to_owned(), text.to_owned()));
        } else if let (Some(more), Some((_, text))) = (line.strip_prefix("  "), rules.last_mut()) {
            text.push(' ');
            text.push_str(more);
        }
    }
    assert!(rules.len() > 150, "the rules were not found");
    rules
}

/// The rules that the lines of a text name behind `mark`.
fn named<'a>(text: &'a str, mark: &str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.trim().strip_prefix(mark)).flat_map(|l| l.split(", "))
}

/// Which cases name which rule. Every case of the language names at least one; those of build checks,
/// `check-…`, are about what `docs/checks.md` says.
fn cases() -> BTreeMap<String, Vec<String>> {
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut silent = Vec::new();
    for kind in ["parse", "reject", "plan"] {
        let folder = root().join("tests/cases").join(kind);
        for name in tree::names(&folder).into_iter().filter(|name| !name.starts_with("check-")) {
            let text = fs::read_to_string(folder.join(&name)).unwrap();
            let before = cases.values().map(Vec::len).sum::<usize>();
            for rule in named(&text, "# rule: ") {
                cases.entry(rule.to_owned()).or_default().push(format!("{kind}/{name}"));
            }
            if cases.values().map(Vec::len).sum::<usize>() == before {
                silent.push(format!("{kind}/{name}"));
            }
        }
    }
    assert_eq!(silent, [] as [&str; 0], "these cases name no rule");
    cases
}

#[test]
fn every_rule_has_a_case_and_every_case_a_rule() {
    let rules = rules();
    let cases = cases();
    let names: BTreeSet<&str> = rules.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), rules.len(), "a rule stands twice in the page");
    let unknown: Vec<_> = cases.iter().filter(|(name, _)| !names.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "these rules are not in the page: {unknown:#?}");
    let mut uncovered = Vec::new();
    for (name, text) in &rules {
        let covered = match text.split_once("(tested in `") {
            None => cases.contains_key(name),
            Some((_, path)) => {
                let path = root().join(path.split_once('`').unwrap().0);
                let text = fs::read_to_string(&path).unwrap_or_default();
                named(&text, "// rule: ").any(|rule| rule == name)
            }
        };
        if !covered {
            uncovered.push(name);
        }
    }
    assert!(uncovered.is_empty(), "nothing shows these rules: {uncovered:#?}");
}
