//! Texts that are large, or say much in few words: planned in proportion, or refused.
//!
//! No time is asserted. What is not in proportion would not end while anybody waits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ir::{Code, Diagnostic, Facts, Graph, Op, Source};
use kaniko_planner::{Options, Planned, explain, plan};

/// Enough that its square is not.
const MANY: usize = 10_000;

fn planned(text: &str) -> Planned {
    let source = Source::new("Dockerfile", text).unwrap();
    let parsed = grammar::parse(&source);
    assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{:?}", parsed.diagnostics);
    let options = Options::new(ir::Platform::linux("x86_64"));
    plan(&parsed.program, &options, &Facts::default())
}

fn graph(text: &str) -> Graph {
    let planned = planned(text);
    planned.graph.unwrap_or_else(|| panic!("{:?}", planned.diagnostics))
}

/// The one error of a text without a plan.
fn refused(text: &str) -> Code {
    let planned = planned(text);
    assert!(planned.graph.is_none());
    let errors: Vec<_> = planned.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].code
}

/// What comes of each number.
fn each(text: impl Fn(usize) -> String) -> String {
    (0..MANY).map(text).collect()
}

/// A stage of as many lines, `#` in them their number.
fn lines(line: &str) -> String {
    let numbered = |number: usize| line.replace('#', &number.to_string());
    format!("FROM scratch\n{}", each(numbered))
}

#[test]
fn many_variables_are_set_one_after_the_other() {
    let found = graph(&lines("ENV a#=$a\nENV b=$a#\n"));
    let config = &found.target().config.config;
    assert_eq!(config.env.len(), MANY + 2, "PATH and `b` among them");
    assert_eq!(found.history(found.target()).count(), 2 * MANY);
    graph(&lines("ARG a#=$a\nARG b=$a#\n"));
    let pairs = each(|number| format!(" a{number}=\"$b\""));
    let broken = pairs.replace(" a", " \\\n a");
    assert_eq!(graph(&format!("FROM scratch\nENV{broken}\n")).nodes.len(), 1);
}

#[test]
fn a_stage_has_the_history_of_those_it_continues() {
    let stage = |number: usize| format!("FROM s{} AS s{number}\nUSER {number}\n", number - 1);
    let first = "FROM scratch AS s0\nUSER 0\n".to_owned();
    let text: String = std::iter::once(first).chain((1..MANY).map(stage)).collect();
    let found = graph(&text);
    let entries = |stage| found.history(stage).map(|step| step.entry.created_by.clone());
    assert_eq!(entries(&found.stages[2]).collect::<Vec<_>>(), ["USER 0", "USER 1", "USER 2"]);
    assert_eq!(entries(found.target()).count(), MANY);
    let stored: usize = found.stages.iter().map(|stage| stage.history.len()).sum();
    assert_eq!(stored, MANY, "none is stored twice");
}

#[test]
fn many_stages_are_copied_from() {
    let stages = (0..MANY).map(|number| format!("FROM scratch AS s{number}\nCOPY x{number} /\n"));
    let copies = (0..MANY).map(|number| format!("COPY --from=s{number} / /\n"));
    let text: String = stages.chain(["FROM scratch\n".to_owned()]).chain(copies).collect();
    let found = graph(&text);
    let contexts = found.nodes.iter().filter(|node| matches!(node.op, Op::Local(_))).count();
    assert_eq!(contexts, 1);
    // Each stage could run beside all others; they are not listed for each.
    assert!(explain(&found).len() < 2_000 * MANY);
}

#[test]
fn many_images_have_nearly_the_name_of_a_stage() {
    let stages = each(|number| format!("FROM scratch AS stage{number}\n"));
    let copies = each(|number| format!("COPY --from=stgae{number} / /\n"));
    let planned = planned(&format!("{stages}FROM scratch\n{copies}"));
    assert!(planned.graph.is_some());
    let found = planned.diagnostics.iter().filter(|found| found.code == Code::StageNameMisspelt);
    assert!((1..MANY).contains(&found.count()), "near names are looked for sparingly");
}

#[test]
fn a_circle_of_many_stages_is_one_error() {
    let stage =
        |at: usize| format!("FROM scratch AS s{at}\nCOPY --from=s{} / /\n", (at + 1) % MANY);
    assert_eq!(refused(&each(stage)), Code::CircularDependency);
}

#[test]
fn one_copy_has_many_heredocs() {
    let openers = each(|number| format!(" \\\n <<E{number}"));
    let bodies = each(|number| format!("$x\nE{number}\n"));
    let found = graph(&format!("FROM scratch\nCOPY{openers} /\n{bodies}"));
    let target = found.node(found.target().root);
    assert!(matches!(&target.op, Op::Copy(copy) if copy.sources.len() == MANY));
}

#[test]
fn what_grows_without_bound_is_refused() {
    let megabyte = format!("ENV a={}\n{}", "x".repeat(1 << 10), "ENV a=$a$a\n".repeat(10));
    for text in [
        // A value that doubles.
        format!("ENV a=x\n{}", "ENV a=$a$a\n".repeat(60)),
        // A large environment for each of many commands.
        format!("{megabyte}{}", "RUN x\n".repeat(2_000)),
        // A pattern that is tried at every place of a value.
        format!("{megabyte}ENV b=${{a##{}b}}\n", "*x".repeat(1_000)),
        // A path that each step makes longer.
        format!("WORKDIR {}\n", "d".repeat(1 << 10)).repeat(2_000),
    ] {
        let code = refused(&format!("FROM scratch\n{text}"));
        assert_eq!(code, Code::PlanTooLarge, "{}", &text[..14]);
    }
    // Triggers of a stage that fire in many.
    let triggers = format!("FROM scratch AS a\n{}", "ONBUILD RUN x\n".repeat(5_000));
    assert_eq!(refused(&format!("{triggers}{}", "FROM a\n".repeat(5_000))), Code::PlanTooLarge);
}
