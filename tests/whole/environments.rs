//! The suite of build commands in each of the places where people run kaniko.
//!
//! What does not work somewhere stands with its reason in a table of `docs/isolation.md`, and only
//! that: a command that fails without a row fails the test, and so does a row that is not true.

#![expect(clippy::disallowed_methods, reason = "the environment says how much is run")]
#![expect(clippy::print_stdout, reason = "what works is to be seen though the tests pass")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kaniko_tests::base;
use kaniko_tests::environment::{self, Environment, Share};
use kaniko_tests::kaniko::{Build, Outcome};
use kaniko_tests::suite::Suite;

/// A test for each environment, which the runner may run beside one another.
macro_rules! environments {
    ($($test:ident: $name:literal,)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                run($name);
            }
        )*
    };
}

environments! {
    cri_o: "cri-o",
    cri_o_restricted: "cri-o-restricted",
    docker: "docker",
    docker_no_new_privileges: "docker-no-new-privileges",
    docker_volume: "docker-volume",
    dropped: "dropped",
    own_users: "own-users",
    own_users_seccomp: "own-users-seccomp",
    pod: "pod",
    pod_memory: "pod-memory",
    pod_no_new_privileges: "pod-no-new-privileges",
    pod_unmasked: "pod-unmasked",
    pod_volume: "pod-volume",
    podman: "podman",
    restricted: "restricted",
    root: "root",
    user: "user",
}

#[test]
fn each_environment_has_its_test() {
    assert_eq!(
        environment::names(),
        TESTED,
        "a file of tests/suite/environments without a line here"
    );
}

#[test]
fn each_row_of_the_table_is_about_something() {
    let commands: BTreeSet<String> = Suite::read(Share::All).names().collect();
    let environments = environment::names();
    for (command, places) in table() {
        assert!(commands.contains(&command), "there is no command `{command}`");
        for place in places {
            assert!(environments.contains(&place), "there is no environment `{place}`");
        }
    }
}

/// Builds in an environment and compares what failed with the table. `KANIKO_SUITE` runs
/// `quick` commands, `all`, or those with the names in it.
fn run(name: &str) {
    let environment = Environment::named(name);
    if environment.isolation == "none" {
        return refused(&environment);
    }
    let suite = match std::env::var("KANIKO_SUITE").as_deref() {
        Ok("all") => Suite::read(Share::All),
        Ok("quick") => Suite::read(Share::Quick),
        Ok(commands) => Suite::read(Share::All).only(commands),
        Err(_) => Suite::read(environment.suite),
    };
    let outcome = environment.host(suite.build(), &suite.base()).run();
    let results = suite.results(&outcome);
    let failed: BTreeSet<&str> = results
        .iter()
        .filter_map(|(command, wrong)| wrong.is_some().then_some(command.as_str()))
        .collect();
    let seconds = outcome.events.last().map_or(0, |event| event.time) / 1000;
    println!(
        "{name} ({}): {} of {} commands in {seconds} s, {}",
        environment.about,
        results.len() - failed.len(),
        results.len(),
        found(&outcome)
    );
    for reason in passed_over(&outcome) {
        println!("  not {reason}");
    }
    for (command, wrong) in &results {
        if let Some(wrong) = wrong {
            println!("  {command}: {}", wrong.replace('\n', "\n      "));
        }
    }
    if results.values().any(|wrong| wrong.as_deref() == Some("was not run")) {
        println!("{}", outcome.log());
    }
    let expected = (environment.isolation.as_str(), environment.snapshotter.as_str());
    assert_eq!(found(&outcome), format!("isolation {}, snapshotter {}", expected.0, expected.1));
    let known: BTreeSet<String> = table()
        .into_iter()
        .filter(|(command, places)| {
            results.contains_key(command) && places.iter().any(|place| place == name)
        })
        .map(|(command, _)| command)
        .collect();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let new: Vec<&&str> = failed.difference(&known).collect();
    let old: Vec<&&str> = known.difference(&failed).collect();
    assert!(new.is_empty(), "these fail, and docs/isolation.md does not say why: {new:?}");
    assert!(old.is_empty(), "these work, and docs/isolation.md says that they do not: {old:?}");
}

/// Where no command can be confined, none is run, and it is said why. The rest is built where files
/// can be given to their owners.
fn refused(environment: &Environment) {
    let build = |dockerfile: &str| {
        let build = Build::of(dockerfile).file("file", "content").no_push();
        environment.host(build, &base::busybox())
    };
    let outcome = build("FROM base\nRUN echo ran > /ran\n").fail();
    outcome.says(&["namespaces", "chroot: "]);
    assert!(outcome.events.iter().all(|event| event.line().is_none()), "{}", outcome.log());
    build("FROM base\nCOPY file /file\nWORKDIR /new\nCOPY --chown=1:2 file .\n").succeed();
}

/// What kaniko chose.
fn found(outcome: &Outcome) -> String {
    let of = |name: &str| {
        let values = outcome.events.iter().map(|event| event.value[name].as_str());
        values.flatten().next().unwrap_or("?").to_owned()
    };
    format!("isolation {}, snapshotter {}", of("isolation"), of("snapshotter"))
}

/// Why stronger ways fell out.
fn passed_over(outcome: &Outcome) -> impl Iterator<Item = &str> {
    let lists = outcome.events.iter().filter_map(|event| event.value["passedOver"].as_array());
    lists.flatten().filter_map(|reason| reason.as_str())
}

/// Commands that do not work, and where. Rows are `| commands | environments | why |`.
fn table() -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/isolation.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Commands that differ"));
    let rows = section.unwrap().lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let places = names(cells[2]);
        names(cells[1]).into_iter().map(move |command| (command, places.clone()))
    })
    .collect()
}
