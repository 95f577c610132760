//! What `kaniko doctor` says where people run kaniko.

use std::fs;
use std::process::Stdio;

use kaniko_tests::environment::Environment;
use kaniko_tests::kaniko::{Call, Place as _};
use kaniko_tests::{tool, tree};
use serde_json::Value;

/// What it says in a container, and whether it is content.
fn ask(environment: &str, option: &str) -> (Value, bool) {
    let directory = tempfile::tempdir().unwrap();
    let work = directory.path().join("work");
    fs::create_dir(&work).unwrap();
    let path = work.display().to_string();
    let arguments = ["doctor", "--format=json", option, "--kaniko-dir", &path].map(str::to_owned);
    let environment = Environment::named(environment).container().expect("it is a container");
    let call = Call { arguments: &arguments, environment: &[("PATH", tool::PATH.to_owned())] };
    // Its user is given the streams.
    let (nothing, _) = std::io::pipe().unwrap();
    let mut command = environment.command(directory.path(), &call);
    let output = command.stdin(nothing).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(tree::names(&work), [""; 0], "it leaves nothing there: {said}");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}{said}", String::from_utf8_lossy(&output.stdout))
    });
    (report, output.status.success())
}

fn rung<'a>(report: &'a Value, name: &str, way: &str) -> &'a Value {
    let mut rungs = report["rungs"].as_array().unwrap().iter();
    let is = |rung: &&Value| rung["name"] == name && rung["way"].as_str().unwrap_or("") == way;
    rungs.find(is).unwrap_or_else(|| panic!("no {name} {way} in {report}"))
}

fn part<'a>(rung: &'a Value, what: &str) -> &'a Value {
    let mut parts = rung["parts"].as_array().unwrap().iter();
    parts.find(|part| part["what"] == what).unwrap_or_else(|| panic!("no {what} in {rung}"))
}

#[test]
fn where_user_namespaces_are_allowed() {
    let (report, content) = ask("pod-volume", "--isolation=auto");
    assert!(content, "{report}");
    assert_eq!(report["version"], 1);
    assert_eq!(report["isolation"], "namespaces");
    assert_eq!(report["snapshotter"], "overlay");
    let taken = rung(&report, "namespaces", report["way"].as_str().unwrap());
    assert_eq!(part(taken, "any user and group")["works"], true, "{report}");
    let proc = part(taken, "its own processes and /proc");
    assert_eq!(proc["works"], false, "{report}");
    assert!(proc["help"].to_string().contains("procMount: Unmasked"), "{report}");
    assert_eq!(rung(&report, "chroot", "")["works"], true, "{report}");
    assert_eq!(report["process"]["seccomp"], false);
}

#[test]
fn where_docker_allows_none() {
    let (report, content) = ask("docker-volume", "--isolation=auto");
    assert!(content, "{report}");
    assert_eq!(report["isolation"], "chroot");
    assert_eq!(report["snapshotter"], "tree");
    let namespaces = rung(&report, "namespaces", "user namespace, all ids");
    assert_eq!(namespaces["works"], false, "{report}");
    assert!(namespaces["help"].to_string().contains("seccomp=unconfined"), "{report}");
    assert_eq!(report["process"]["seccomp"], true);
    let in_place = rung(&report, "in-place", "");
    assert_eq!(in_place["works"], false, "{report}");
    let reason = in_place["reason"].to_string();
    assert!(reason.contains(
        "refused unless asked for by `--isolation=in-place`, and this is not the executor image"
    ));
    assert!(in_place["help"].to_string().contains("--isolation=in-place"), "{report}");

    let (report, content) = ask("docker-volume", "--isolation=namespaces");
    assert!(!content, "what was asked for cannot be had: {report}");
    assert_eq!(report["runs"], false);
}

#[test]
fn where_nothing_works() {
    let (report, content) = ask("restricted", "--isolation=auto");
    assert!(!content, "{report}");
    assert_eq!(report["isolation"], Value::Null);
    assert_eq!(report["process"]["noNewPrivileges"], true);
    assert_eq!(report["process"]["uid"], 1000);
}
