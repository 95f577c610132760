//! Which stages can be built: mode `targets`.

use ir::{Program, Source, Stage};
use kaniko_tests::conformance::differences;
use serde_json::{Value, json};

use super::{parsed, settled, source, table};

#[test]
fn targets() {
    table("targets", &["targets"]).check(&[], |row| {
        let source = source(row);
        settled(&Value::Null, parsed(&source), &source, |program| {
            differences(&theirs(&row["answer"]["result"]["targets"]), &ours(&program, &source))
        })
    });
}

fn theirs(targets: &Value) -> Value {
    let form = |target: &Value| {
        let [range] = target["location"]["ranges"].as_array().unwrap().as_slice() else {
            panic!("a stage is in one place")
        };
        let mut target = target.clone();
        target.as_object_mut().unwrap().remove("location");
        target["lines"] = json!([range["start"]["line"], range["end"]["line"]]);
        target
    };
    targets.as_array().unwrap().iter().map(form).collect()
}

fn ours(program: &Program, source: &Source) -> Value {
    let last = program.stages.len() - 1;
    let stages = program.stages.iter().enumerate();
    let form = |(index, stage): (usize, &Stage)| {
        json!({
            "name": stage.from.name.as_ref().map(|name| name.value.to_lowercase()),
            "base": stage.from.image.raw,
            "default": index == last,
            "description": described(stage),
            "lines": source.line_range(stage.span),
        })
    };
    stages.map(form).collect()
}

/// What the comment above a stage says of it: the line that begins with its name.
fn described(stage: &Stage) -> Option<&str> {
    let name = &stage.from.name.as_ref()?.value;
    let mut lines = stage.description.lines();
    lines.find_map(|line| line.strip_prefix(name.as_str())?.strip_prefix(' ')).map(str::trim)
}
