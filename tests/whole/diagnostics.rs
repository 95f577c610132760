//! The page of the diagnostics shows what kaniko prints.
//!
//! Each section of `docs/diagnostics.md`, `` ## `code` ``, has a Dockerfile and, below it, a command
//! and what that prints. The command is run on the Dockerfile; where insta is told to accept what it
//! finds, what is printed is written into the page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kaniko_tests::kaniko;

/// Codes whose examples would fill the page, or cannot stand in it.
const WITHOUT_EXAMPLE: [&str; 3] = ["line-too-long", "not-utf8", "plan-too-large"];

const HEADING: &str = "\n## `";
const DOCKERFILE: &str = "\n```dockerfile\n";
const CONSOLE: &str = "\n```console\n$ kaniko ";
const END: &str = "\n```\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of all codes, as their definition lists them, but for the build checks: these have names
/// in upper case and a page of their own.
fn codes() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("ir/src/diagnostic.rs")).unwrap();
    let (_, list) = text.split_once("\ncodes! {\n").unwrap();
    let (list, _) = list.split_once("\n}\n").unwrap();
    let name = |line: &str| Some(line.split_once(" = \"")?.1.strip_suffix("\",")?.to_owned());
    let is_check = |name: &String| name.starts_with(|first: char| first.is_ascii_uppercase());
    list.lines().filter_map(name).filter(|name| !is_check(name)).collect()
}

fn block(console: &str) -> String {
    format!("{CONSOLE}{console}{END}")
}

/// A section of the page.
struct Section<'a> {
    code: &'a str,
    text: &'a str,
}

impl<'a> Section<'a> {
    /// What stands between a mark and the end of its block.
    fn block(&self, mark: &str) -> Option<&'a str> {
        let (_, rest) = self.text.split_once(mark)?;
        rest.split_once(END).map(|(block, _)| block)
    }

    /// The command and what the page says that it prints.
    fn example(&self) -> Option<(&'a str, &'a str)> {
        let block = self.block(CONSOLE)?;
        Some(block.split_once('\n').unwrap_or((block, "")))
    }

    /// What kaniko prints, but for a plan, which is not the same on every machine.
    fn printed(&self, command: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let text = self.block(DOCKERFILE).expect("an example has a Dockerfile");
        fs::write(directory.path().join("Dockerfile"), format!("{text}\n")).unwrap();
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let screen = kaniko::screen(directory.path(), "kaniko", &arguments);
        let (screen, status) = screen.trim_end().rsplit_once('\n').unwrap();
        let lines: Vec<&str> = screen.lines().skip_while(|line| code_of(line).is_none()).collect();
        let printed = lines.join("\n");
        let failed = printed.contains("error[");
        assert_eq!(status == "exit status: 1", failed, "{}: {screen}", self.code);
        printed
    }
}

/// The codes that a text of diagnostics tells.
fn told(printed: &str) -> BTreeSet<&str> {
    printed.lines().filter_map(code_of).collect()
}

fn code_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("error[").or_else(|| line.strip_prefix("warning["))?;
    rest.split_once(']').map(|(code, _)| code)
}

#[test]
fn every_code_is_on_the_page_with_what_is_printed() {
    let path = root().join("docs/diagnostics.md");
    let page = fs::read_to_string(&path).unwrap();
    let sections: Vec<Section<'_>> = page
        .split(HEADING)
        .skip(1)
        .map(|text| Section { code: text.split_once('`').unwrap().0, text })
        .collect();
    let on_page: BTreeSet<String> =
        sections.iter().map(|section| section.code.to_owned()).collect();
    assert_eq!(on_page, codes(), "the page and `ir::Code` name different codes");
    let mut written = page.clone();
    let mut wrong = Vec::new();
    for section in &sections {
        let Some((command, shown)) = section.example() else {
            let code = section.code;
            assert!(WITHOUT_EXAMPLE.contains(&code), "`{code}` has no example");
            continue;
        };
        let printed = section.printed(command);
        assert_eq!(told(&printed), BTreeSet::from([section.code]), "{printed}");
        if printed != shown {
            let before = section.block(CONSOLE).unwrap();
            let (before, after) = (block(before), block(&format!("{command}\n{printed}")));
            written = written.replace(section.text, &section.text.replace(&before, &after));
            wrong.push(format!("{}\nshown\n{shown}\nprinted\n{printed}", section.code));
        }
    }
    if accepting() {
        fs::write(&path, written).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

/// Whether what is found is to be written into the page, as insta does with snapshots.
#[expect(clippy::disallowed_methods, reason = "insta reads the variable as well")]
fn accepting() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always")
}
