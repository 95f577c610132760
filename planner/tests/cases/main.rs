//! Every file below `tests/cases/plan`, planned.
//!
//! `snapshots/planner/NAME.snap` holds the graph, the history of the target and the diagnostics;
//! `NAME.explain.snap` what `explain` says, digests of keys left out, if the case has a line
//! `#: explain`. Other lines `#: name value` in a case are its options: `target`,
//! `build-arg NAME=value`, `platform`, `label name=value`, `ignore PATTERN`, `context NAME`,
//! `context NAME=IMAGE` or `context NAME=URL`, and `image NAME CONFIG`, which makes
//! an image known under a made-up digest.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read fails its test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ir::{ConfigFile, Diagnostic, Digest, Facts, Graph, ImageFacts, ImageRequest, Source, Span};
use kaniko_planner::{NamedContext, Options, Planned, explain, images, plan};

/// The line of a case that asks for its explanation.
const EXPLAIN: &str = "#: explain";

#[test]
fn plan_cases_have_their_graphs() {
    for path in cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let source = Source::new(name, text).unwrap();
        let (options, facts) = setting(source.text());
        let planned = planned(&source, &options, &facts);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../../snapshots/planner");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, outcome(&planned, &source)));
        let Some(graph) = planned.graph else { continue };
        assert_eq!(ir::verify::verify(&graph), [], "{name}");
        let json = ir::json::graph(&graph);
        assert_eq!(ir::json::read_graph(&json).unwrap(), graph, "{name}");
        if !source.text().lines().any(|line| line == EXPLAIN) {
            continue;
        }
        settings.add_filter("sha256:[0-9a-f]{64}", "[digest]");
        let name = format!("{name}.explain");
        settings.bind(|| insta::assert_snapshot!(name, explain(&graph)));
    }
}

#[test]
fn a_plan_says_which_images_it_needs_until_it_knows_them() {
    let text = "FROM parent\nRUN make\nFROM unneeded\nFROM scratch\nCOPY --from=0 /a /\n";
    let source = Source::new("Dockerfile", text).unwrap();
    let program = program(&source);
    let (options, mut facts) = setting("");
    let first = images(&program, &options, &facts).unwrap();
    let names = |found: &[(ImageRequest, Span)]| -> Vec<String> {
        found.iter().map(|(request, _)| request.reference.to_string()).collect()
    };
    assert_eq!(names(&first), ["docker.io/library/parent:latest"]);
    let trigger = "COPY --from=tools:1 /t /t";
    let triggers = vec![grammar::parse_trigger(trigger, Span::default())];
    let config = ConfigFile::default();
    let image = ImageFacts { digest: Digest::from_bytes([1; 32]), config, triggers };
    facts.images.insert(first[0].0.clone(), image);
    let second = images(&program, &options, &facts).unwrap();
    assert_eq!(names(&second), ["docker.io/library/tools:1"]);
}

/// The keys of a text's nodes.
fn keys(text: &str, options: &Options) -> Vec<Digest> {
    let source = Source::new("Dockerfile", text).unwrap();
    let graph = planned(&source, options, &Facts::default()).graph.unwrap();
    graph.nodes.iter().map(|node| node.key).collect()
}

#[test]
fn keys_depend_on_what_is_done_and_on_nothing_else() {
    let (plain, _) = setting("");
    let text = "FROM alpine AS a\nRUN make\nFROM scratch\nCOPY --from=a /x /\n";
    let expected = keys(text, &plain);
    let moved = "# comment\n\n\nFROM  alpine as renamed\nRUN \\\n  make\n\
                 FROM scratch\nLABEL a=b\nCOPY --from=renamed /x /\n";
    assert_eq!(keys(moved, &plain), expected);
    let (proxied, _) = setting("#: build-arg HTTP_PROXY=http://proxy\n");
    assert_eq!(keys(text, &proxied), expected);
    let argued = keys("FROM alpine AS a\nARG x=1\nRUN make\n", &plain);
    assert_eq!(argued[0], expected[0]);
    assert_ne!(argued[1], expected[1]);
}

fn program(source: &Source) -> ir::Program {
    let parsed = grammar::parse(source);
    let good = !parsed.diagnostics.iter().any(Diagnostic::is_error);
    assert!(good, "{}: {:#?}", source.name(), parsed.diagnostics);
    parsed.program
}

fn planned(source: &Source, options: &Options, facts: &Facts) -> Planned {
    plan(&program(source), options, facts)
}

fn setting(text: &str) -> (Options, Facts) {
    let amd64: ir::Platform = "linux/amd64".parse().unwrap();
    let mut options = Options::new(amd64);
    let mut images = Vec::new();
    let options_of = text.lines().filter(|line| *line != EXPLAIN);
    for line in options_of.filter_map(|line| line.strip_prefix("#: ")) {
        let (name, value) = line.split_once(' ').unwrap();
        let pair = || {
            let (name, value) = value.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        match name {
            "target" => options.target = Some(value.to_owned()),
            "build-arg" => options.build_args.extend([pair()]),
            "platform" => options.platform = value.parse().unwrap(),
            "label" => options.labels.push(pair()),
            "ignore" => options.ignore.push(value.to_owned()),
            "context" => {
                let (name, context) = match value.split_once('=') {
                    Some((name, "scratch")) => (name, NamedContext::Scratch),
                    Some((name, source)) => {
                        let image = || NamedContext::Image(source.parse().unwrap());
                        (name, NamedContext::remote(source).unwrap().unwrap_or_else(image))
                    }
                    None => (value, NamedContext::Local { ignore: Vec::new() }),
                };
                options.contexts.insert(name.to_owned(), context);
            }
            "image" => images.push(value.split_once(' ').unwrap()),
            other => panic!("a case has no option {other}"),
        }
    }
    let mut facts = Facts::default();
    for (number, (name, config)) in (1_u8..).zip(images) {
        let reference = name.parse().unwrap();
        let config: ConfigFile = serde_json::from_str(config).unwrap();
        let triggers = config.config.on_build.iter();
        let triggers = triggers.map(|text| grammar::parse_trigger(text, Span::default())).collect();
        let digest = Digest::from_bytes([number; 32]);
        let request = ImageRequest { reference, platform: options.platform.clone() };
        facts.images.insert(request, ImageFacts { digest, config, triggers });
    }
    (options, facts)
}

fn outcome(planned: &Planned, source: &Source) -> String {
    let mut text = String::new();
    if let Some(graph) = &planned.graph {
        write_graph(&mut text, graph);
    }
    if let Some(epoch) = planned.epoch {
        writeln!(text, "made at {epoch}").unwrap();
    }
    for diagnostic in &planned.diagnostics {
        let (line, column) = source.position(diagnostic.span.start());
        let severity = if diagnostic.is_error() { "error" } else { "warning" };
        writeln!(text, "{line}:{column} {severity} {}: {diagnostic}", diagnostic.code).unwrap();
        let shown = source.slice(diagnostic.span);
        writeln!(text, "  at {shown:?}").unwrap();
        for help in &diagnostic.help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    text
}

fn write_graph(text: &mut String, graph: &Graph) {
    writeln!(text, "{graph}").unwrap();
    let target = graph.target();
    let (os, architecture) = (&target.config.os, &target.config.architecture);
    writeln!(text, "image for {os}/{architecture}").unwrap();
    for entry in &target.config.history {
        writeln!(text, "  base {}", entry.created_by).unwrap();
    }
    for step in graph.history(target) {
        let layer = step.node.map_or_else(|| "-".to_owned(), |node| node.to_string());
        writeln!(text, "  {layer} {:?}", step.entry.created_by).unwrap();
    }
    for (id, node) in graph.iter().filter(|(_, node)| !node.origin.proxy.is_empty()) {
        writeln!(text, "proxy of {id} {:?}", node.origin.proxy).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the entries are sorted")]
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/plan");
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "dockerfile"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    paths
}
