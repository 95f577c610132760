//! A graph from a file: what is read is well formed, survives JSON, and can be shown.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let graph = match ir::json::read_graph(text) {
        Ok(graph) => graph,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(ir::verify::verify(&graph), []);
    let json = ir::json::graph(&graph);
    assert_eq!(ir::json::read_graph(&json).expect("what was written can be read"), graph);
    assert!(!graph.to_string().is_empty());
    drop(planner::explain(&graph));
    for (id, _) in graph.iter() {
        drop(planner::components(&graph, id));
    }
    let schedule = planner::schedule(&graph);
    assert_eq!(schedule.levels.iter().map(Vec::len).sum::<usize>(), graph.nodes.len());
});
