//! `giturl.jsonl`: what `ADD` takes for a git repository, and what the URL says of it.

use ir::{Facts, Graph, Op};
use kaniko_planner::plan;
use kaniko_tests::conformance::{Table, differences};
use serde_json::{Value, json};

use crate::tiny::{options, parsed};

#[test]
fn git_urls() {
    let table = Table::open("giturl", |row| row["in"].as_str().unwrap().to_owned());
    table.check(&[], |row| differences(&theirs(row), &ours(row["in"].as_str().unwrap())));
}

/// What `ADD` makes of a row: what could as well be a path is one. It takes no notice of `mtime`,
/// and `fetch-by-commit` says how to fetch, not what.
fn theirs(row: &Value) -> Value {
    let url = &row["ref"];
    match (row["isGit"].as_bool().unwrap(), url["IndistinguishableFromLocal"].as_bool()) {
        (false, _) | (true, Some(true)) => json!("no git repository"),
        (true, None) => json!("an error"),
        (true, Some(false)) => json!({
            "remote": url["Remote"],
            "reference": url["Ref"],
            "subdirectory": url["SubDir"],
            "checksum": url["Checksum"],
            "keep git directory": url["KeepGitDir"].as_bool().unwrap_or(false),
            "submodules": url["Submodules"].as_bool().unwrap_or(true),
        }),
    }
}

fn ours(url: &str) -> Value {
    let program = parsed(&format!("FROM scratch\nADD {url} /\n"));
    let planned = plan(&program, &options(), &Facts::default());
    planned.graph.map_or_else(|| json!("an error"), |graph| source(&graph))
}

fn source(graph: &Graph) -> Value {
    let git = graph.nodes.iter().find_map(|node| match &node.op {
        Op::Git(git) => Some(git),
        Op::Scratch
        | Op::Image(_)
        | Op::Local(_)
        | Op::Http(_)
        | Op::Inline(_)
        | Op::Run(_)
        | Op::Copy(_)
        | Op::Mkdir(_) => None,
    });
    let Some(git) = git else { return json!("no git repository") };
    json!({
        "remote": git.url,
        "reference": git.reference.as_deref().unwrap_or_default(),
        "subdirectory": git.subdirectory,
        "checksum": git.checksum.as_deref().unwrap_or_default(),
        "keep git directory": git.keep_git_dir,
        "submodules": git.submodules,
    })
}
