//! Drops what the target does not need.

use std::collections::BTreeSet;

use ir::{Graph, NodeId};

/// Keeps the nodes that the target's root needs, directly or not, and the stages among them.
///
/// Afterwards every node is needed. The order stays, so inputs still have smaller ids.
pub(crate) fn prune(graph: &mut Graph) {
    let mut needed = BTreeSet::new();
    let mut pending = vec![graph.target().root];
    while let Some(id) = pending.pop() {
        if needed.insert(id) {
            pending.extend(graph.node(id).op.inputs());
        }
    }
    let kept: Vec<NodeId> = needed.iter().copied().collect();
    let rename = |id: NodeId| {
        NodeId::from_index(kept.binary_search(&id).expect("what a needed node needs is needed"))
    };
    let mut id = 0;
    graph.nodes.retain(|_| {
        id += 1;
        needed.contains(&NodeId::from_index(id - 1))
    });
    for node in &mut graph.nodes {
        node.op.map_inputs(rename);
    }
    let target = graph.target().index;
    let mut positions = Vec::with_capacity(graph.stages.len());
    let mut position = 0;
    graph.stages.retain(|stage| {
        let kept = stage.index == target || needed.contains(&stage.root);
        positions.push(position);
        position += usize::from(kept);
        kept
    });
    for stage in &mut graph.stages {
        // Whoever needs the root of a stage needs that of the stage which it continues.
        stage.continues = stage.continues.map(|continued| positions[continued]);
        stage.root = rename(stage.root);
        for node in stage.history.iter_mut().filter_map(|step| step.node.as_mut()) {
            *node = rename(*node);
        }
    }
    graph.target = graph
        .stages
        .iter()
        .position(|stage| stage.index == target)
        .expect("the target's stage was kept");
}
