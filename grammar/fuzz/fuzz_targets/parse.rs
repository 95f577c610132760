//! A Dockerfile of any text: it is read without a panic, every place lies within it, its program
//! survives JSON, and what can be planned becomes a graph that is well formed.

#![no_main]

use ir::{Diagnostic, Facts, Program, Source, Span};
use kaniko_grammar_fuzz::{all_spans, options};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("Dockerfile", text).expect("it is shorter than 4 GiB");
    let parsed = grammar::parse(&source);
    let inside = |span: Span| text.get(span.start()..span.end()).is_some();
    let program = serde_json::to_value(&parsed.program).expect("it has a JSON form");
    let again: Program = serde_json::from_str(&program.to_string()).expect("its JSON is a program");
    assert_eq!(again, parsed.program);
    assert!(all_spans(&program, &inside));
    check(&parsed.diagnostics, &inside);
    if !parsed.diagnostics.iter().any(Diagnostic::is_error) {
        plan(&parsed.program, &inside);
    }
});

fn check(diagnostics: &[Diagnostic], inside: &impl Fn(Span) -> bool) {
    let json = serde_json::to_value(diagnostics).expect("they have a JSON form");
    assert!(all_spans(&json, inside), "{diagnostics:?}");
}

fn plan(program: &Program, inside: &impl Fn(Span) -> bool) {
    let planned = planner::plan(program, &options(), &Facts::default());
    check(&planned.diagnostics, inside);
    assert_eq!(planned.graph.is_none(), planned.diagnostics.iter().any(Diagnostic::is_error));
    let Some(graph) = planned.graph else { return };
    assert_eq!(ir::verify::verify(&graph), []);
    let again = ir::json::read_graph(&ir::json::graph(&graph)).expect("it is well formed");
    assert_eq!(again, graph);
    drop(planner::explain(&graph));
}
