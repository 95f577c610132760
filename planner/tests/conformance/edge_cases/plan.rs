//! What is planned: mode `llb`.

use std::collections::BTreeSet;

use ir::{Graph, Platform};
use kaniko_tests::conformance::{Known, differences};
use serde_json::Value;

use super::outcome::Outcome;
use super::setting::platforms;
use super::warnings::differing;
use super::{graph, image, settled, source, table, vertices};

const KNOWN: &[Known] = &[
    (
        "from/base lookup is case-sensitive",
        "superset: `FROM` finds a stage in any case where nothing fits exactly",
    ),
    ("from/target by number is not supported", "superset: a stage may be built by its index"),
    (
        "mount-error/type=bind,target=/x,z",
        "superset: buildah's `z`, `Z` and `relabel` are taken, and mean nothing here",
    ),
];

#[test]
fn plans() {
    table("plans", &["llb"]).check(KNOWN, |row| {
        let (source, answer) = (source(row), &row["answer"]);
        let mut found = Vec::new();
        for platform in &platforms(row) {
            let Outcome { graph, resolved, warnings } = Outcome::of(row, &source, platform);
            found.extend(settled(&answer["error"], graph, &source, |graph| {
                // What is warned of beside an error is for people; rows of `lint` compare it.
                let warned = differing(&answer["warnings"], &warnings, &source);
                [compared(answer, &graph, platform), images(answer, &resolved), warned].concat()
            }));
        }
        found
    });
}

fn compared(answer: &Value, graph: &Graph, platform: &Platform) -> Vec<String> {
    let several = answer["image"].as_object().unwrap().len() > 1;
    let name = platform.to_string();
    let build = answer["builds"].as_array().unwrap().iter().find(|build| {
        let mut vertices = build["vertices"].as_array().unwrap().iter();
        !several || vertices.any(|vertex| vertex["platform"] == name)
    });
    let image = &answer["image"][if several { &name } else { "" }];
    let theirs = vertices::form(build.unwrap(), &resolved(answer));
    let mut found = differences(&theirs, &graph::form(graph));
    found.extend(differences(&image::theirs(image), &image::ours(graph)));
    found
}

fn images(answer: &Value, ours: &BTreeSet<String>) -> Vec<String> {
    let theirs = resolved(answer);
    let same = theirs == *ours;
    (!same).then(|| format!("images: BuildKit {theirs:?}, ours {ours:?}")).into_iter().collect()
}

/// The images that BuildKit asked for.
fn resolved(answer: &Value) -> BTreeSet<String> {
    let images = answer["resolved"].as_array().into_iter().flatten();
    images.map(|image| image.as_str().unwrap().to_owned()).collect()
}
