//! Rules of the repository itself: what depends on what, and how files are laid out.

#![expect(clippy::disallowed_methods, reason = "the files are sorted, and cargo is asked")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our packages and what they may depend on, tests of their own apart. A new line here is a
/// design decision.
const LAYERS: [(&str, &[&str]); 6] = [
    ("kaniko-ir", &[]),
    ("kaniko-grammar", &["kaniko-ir"]),
    ("kaniko-planner", &["kaniko-ir"]),
    ("kaniko-runtime", &["kaniko-ir"]),
    ("kaniko-cli", &["kaniko-grammar", "kaniko-ir", "kaniko-planner", "kaniko-runtime"]),
    ("kaniko-tests", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace.
fn sources() -> Vec<PathBuf> {
    let mut pending: Vec<PathBuf> = ["ir", "grammar", "planner", "runtime", "cli", "tests"]
        .map(|name| root().join(name))
        .into();
    let mut files = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 50, "the sources were not found");
    files.sort();
    files
}

#[test]
fn dependencies_point_down_to_ir() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let ours: BTreeSet<&str> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| name.starts_with("kaniko-"))
            .collect();
        found.insert(package["name"].as_str().unwrap(), ours);
    }
    let allowed = LAYERS.map(|(name, layers)| (name, layers.iter().copied().collect()));
    assert_eq!(found, BTreeMap::from(allowed));
}

#[test]
fn the_first_line_of_a_file_says_what_it_holds() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert_eq!(silent, [] as [PathBuf; 0]);
}

#[test]
fn no_file_is_named_after_nothing() {
    let vague = ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"];
    let vague: Vec<_> = sources()
        .into_iter()
        .filter(|path| vague.iter().any(|name| path.file_name().unwrap() == *name))
        .collect();
    assert_eq!(vague, [] as [PathBuf; 0]);
}
