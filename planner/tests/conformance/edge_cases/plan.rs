//! What is planned: mode `llb`.

use std::collections::BTreeSet;

use ir::{Diagnostic, Facts, Graph, Platform, Program, Source};
use kaniko_planner::{images, plan};
use kaniko_tests::conformance::{Known, differences};
use serde_json::Value;

use super::setting::{Setting, platforms};
use super::{graph, image, parsed, settled, source, table, vertices};

const KNOWN: &[Known] = &[
    (
        "from/base lookup is case-sensitive",
        "superset: `FROM` finds a stage in any case where nothing fits exactly",
    ),
    ("from/target by number is not supported", "superset: a stage may be built by its index"),
    (
        "misc/hostname and network options",
        "further hosts and a network mode for all are options of the builder; kaniko has neither",
    ),
    (
        "mount-error/type=bind,target=/x,z",
        "superset: buildah's `z`, `Z` and `relabel` are taken, and mean nothing here",
    ),
];

/// A plan with what it was made from.
pub(super) struct Outcome {
    pub(super) graph: Graph,
    /// The images that were asked for.
    pub(super) resolved: BTreeSet<String>,
}

#[test]
fn plans() {
    table("plans", &["llb"]).check(KNOWN, |row| {
        let (source, platforms) = (source(row), platforms(row));
        let mut found = Vec::new();
        for platform in &platforms {
            let outcome = planned(row, &source, platform);
            found.extend(settled(&row["answer"]["error"], outcome, &source, |outcome| {
                compared(&row["answer"], &outcome, platform)
            }));
        }
        found
    });
}

/// Plans a row for one platform, with every image that it needs.
pub(super) fn planned(
    row: &Value,
    source: &Source,
    platform: &Platform,
) -> Result<Outcome, Vec<Diagnostic>> {
    let setting = Setting::of(row, platform);
    let program = parsed(source)?;
    let facts = facts(&program, &setting)?;
    let resolved = facts.images.keys().map(|request| request.reference.to_string()).collect();
    let planned = plan(&program, &setting.options, &facts);
    let errors = planned.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    planned.graph.map(|graph| Outcome { graph, resolved }).ok_or(errors)
}

/// Every image that a plan needs.
pub(super) fn facts(program: &Program, setting: &Setting<'_>) -> Result<Facts, Vec<Diagnostic>> {
    let mut facts = Facts::default();
    loop {
        let missing = images(program, &setting.options, &facts)?;
        if missing.is_empty() {
            return Ok(facts);
        }
        for (request, _) in missing {
            setting.know(request, &mut facts);
        }
    }
}

fn compared(answer: &Value, outcome: &Outcome, platform: &Platform) -> Vec<String> {
    let several = answer["image"].as_object().unwrap().len() > 1;
    let name = platform.to_string();
    let build = answer["builds"].as_array().unwrap().iter().find(|build| {
        let mut vertices = build["vertices"].as_array().unwrap().iter();
        !several || vertices.any(|vertex| vertex["platform"] == name)
    });
    let resolved: BTreeSet<String> =
        serde_json::from_value::<Option<_>>(answer["resolved"].clone())
            .unwrap()
            .unwrap_or_default();
    let image = &answer["image"][if several { &name } else { "" }];
    let mut found =
        differences(&vertices::form(build.unwrap(), &resolved), &graph::form(&outcome.graph));
    found.extend(differences(&image::theirs(image), &image::ours(&outcome.graph)));
    if resolved != outcome.resolved {
        found.push(format!("images: BuildKit {resolved:?}, ours {:?}", outcome.resolved));
    }
    found
}
