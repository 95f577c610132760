//! `kaniko plan --explain`: a plan for people.

use std::fmt::{self, Write as _};

use ir::{Graph, Node, NodeId};

use crate::pass::key::components;
use crate::pass::schedule::{Schedule, schedule};

/// How many nodes that run beside one are named; the levels at the end have them all.
const BESIDE: usize = 32;

/// Every node: what it does, who asked for it, what it needs, what runs beside it, and its key
/// with the parts that the key covers; then the critical path.
pub fn explain(graph: &Graph) -> String {
    let mut text = String::new();
    write(&mut text, graph).expect("writing to a string cannot fail");
    text
}

fn write(text: &mut String, graph: &Graph) -> fmt::Result {
    let schedule = schedule(graph);
    for (id, node) in graph.iter() {
        write_node(text, graph, &schedule, (id, node))?;
    }
    let nodes = graph.nodes.len();
    let levels = schedule.levels.len();
    writeln!(text, "{nodes} steps on {levels} levels, at most {} at once", schedule.width)?;
    for (number, level) in schedule.levels.iter().enumerate() {
        writeln!(text, "  level {number}: {}", list(level, " "))?;
    }
    writeln!(text, "critical path: {}", list(&schedule.critical_path, " -> "))
}

fn write_node(
    text: &mut String,
    graph: &Graph,
    schedule: &Schedule,
    (id, node): (NodeId, &Node),
) -> fmt::Result {
    writeln!(text, "{id} {}", node.origin.text.escape_debug())?;
    match (node.origin.stage, &node.origin.stage_name) {
        (Some(stage), Some(name)) => writeln!(text, "  stage   {stage} `{name}`")?,
        (Some(stage), None) => writeln!(text, "  stage   {stage}")?,
        (None, _) => {}
    }
    writeln!(text, "  does    {}", node.op)?;
    let inputs = node.op.inputs();
    if !inputs.is_empty() {
        writeln!(text, "  needs   {}", list(&inputs, " "))?;
    }
    let mut others = schedule.beside(id);
    let beside: Vec<NodeId> = others.by_ref().take(BESIDE).collect();
    if !beside.is_empty() {
        write!(text, "  beside  {}", list(&beside, " "))?;
        // To count them all would take as long for each as there are of them.
        writeln!(text, "{}", if others.next().is_some() { " and others" } else { "" })?;
    }
    if !node.origin.proxy.is_empty() {
        let names: Vec<&str> = node.origin.proxy.iter().map(|(name, _)| name.as_str()).collect();
        writeln!(text, "  proxy   {} (not part of the key)", names.join(" "))?;
    }
    writeln!(text, "  key     {}", node.key)?;
    for component in components(graph, id) {
        let value = match component.value.as_str() {
            "" => "\"\"".to_owned(),
            value => value.escape_debug().to_string(),
        };
        writeln!(text, "    {:<13} {value}", component.name)?;
    }
    writeln!(text)
}

fn list(ids: &[NodeId], separator: &str) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(separator)
}
