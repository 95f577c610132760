//! `giturl.jsonl`: what is a git repository, and what its URL says of it: as a named context, and
//! as a source of `ADD`.

use ir::op::GitOp;
use ir::{Facts, Graph, Op};
use kaniko_planner::{NamedContext, plan};
use kaniko_tests::conformance::{Table, differences};
use serde_json::{Value, json};

use crate::tiny::{options, parsed};

#[test]
fn git_urls() {
    let table = Table::open("giturl", |row| row["in"].as_str().unwrap().to_owned());
    table.check(&[], |row| {
        let url = row["in"].as_str().unwrap();
        differences(&theirs(row), &json!({"context": as_context(url), "ADD": as_source(url)}))
    });
}

/// What could as well be a path is one for `ADD`, and is fetched by `https` as a context.
/// `ADD` takes no notice of `mtime`.
fn theirs(row: &Value) -> Value {
    let url = &row["ref"];
    let like_path = url["IndistinguishableFromLocal"] == true;
    let context = match (row["isGit"] == true, url.is_object()) {
        (false, _) => json!("no git repository"),
        (true, false) => json!("an error"),
        (true, true) => json!({
            "remote": format!(
                "{}{}",
                if like_path { "https://" } else { "" },
                url["Remote"].as_str().unwrap()
            ),
            "reference": url["Ref"],
            "subdirectory": url["SubDir"],
            "checksum": url["Checksum"],
            "keep git directory": url["KeepGitDir"].as_bool().unwrap_or(false),
            "submodules": url["Submodules"].as_bool().unwrap_or(true),
            "commit time": url["MTime"] == "commit",
            "fetch by commit": url["FetchByCommit"],
        }),
    };
    let mut source = if like_path { json!("no git repository") } else { context.clone() };
    if let Some(time) = source.get_mut("commit time") {
        *time = json!(false);
    }
    json!({"context": context, "ADD": source})
}

fn as_context(url: &str) -> Value {
    match NamedContext::remote(url) {
        Ok(Some(NamedContext::Git(git))) => form(&git),
        Ok(_) => json!("no git repository"),
        Err(_) => json!("an error"),
    }
}

fn as_source(url: &str) -> Value {
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
        | Op::Mkdir(_)
        | Op::Merge(_) => None,
    });
    git.map_or_else(|| json!("no git repository"), form)
}

/// The form of both.
fn form(git: &GitOp) -> Value {
    json!({
        "remote": git.url,
        "reference": git.reference.as_deref().unwrap_or_default(),
        "subdirectory": git.subdirectory,
        "checksum": git.checksum.as_deref().unwrap_or_default(),
        "keep git directory": git.keep_git_dir,
        "submodules": git.submodules,
        "commit time": git.commit_time,
        "fetch by commit": git.fetch_by_commit,
    })
}
