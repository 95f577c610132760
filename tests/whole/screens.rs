//! What kaniko prints, command by command.
//!
//! A case is a Dockerfile in `tests/cases/screen`. Its first lines, `#: ARGUMENTS`, are the commands
//! that are run in a directory that holds it, by the name `executor` if they begin so. `@base` is a
//! layout of busybox, `@work` a work directory, `@directory` where they run. What they print is in
//! `snapshots/cli`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kaniko_tests::{base, kaniko};

#[test]
fn every_command_prints_what_it_should() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/screen");
    let names = kaniko_tests::tree::names(&cases);
    assert!(names.len() > 5, "the cases were not found: {names:?}");
    for name in names {
        let text = fs::read_to_string(cases.join(&name)).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../snapshots/cli");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r"sha256:[0-9a-f]{64}", "sha256:DIGEST");
        settings.add_filter(r"layer sha256:[0-9a-f]{12} \d+ B", "layer sha256:DIGEST SIZE");
        settings.add_filter(r"\b\d+\.\ds\b", "TIME");
        settings.add_filter(r"\bkaniko \d+\.\d+\.\d+\b", "kaniko VERSION");
        settings.bind(|| {
            insta::assert_snapshot!(name.trim_end_matches(".dockerfile"), screens(&text));
        });
    }
}

/// The commands of a case and what they print.
fn screens(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Dockerfile"), text).unwrap();
    let work = directory.path().join("work");
    let base = base::busybox();
    let mut screens = String::new();
    for command in text.lines().map_while(|line| line.strip_prefix("#: ")) {
        let arguments = command
            .replace("@base", &base.display().to_string())
            .replace("@work", &work.display().to_string())
            .replace("@directory", &directory.path().display().to_string());
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let (name, arguments) = match arguments.split_first() {
            Some((&"executor", rest)) => ("executor", rest),
            _ => ("kaniko", &arguments[..]),
        };
        let screen = kaniko::screen(directory.path(), name, arguments);
        let screen = screen
            .replace(&base.display().to_string(), "@base")
            .replace(&work.display().to_string(), "@work")
            .replace(&directory.path().display().to_string(), "@directory");
        let prompt = if name == "executor" { "$" } else { "$ kaniko" };
        writeln!(screens, "{prompt} {command}\n{screen}").unwrap();
    }
    screens
}
