//! Checks that a [`Graph`] is well formed. Runs after planning in debug builds, and on every
//! graph that is read from a file.
//!
//! Nodes
//!
//! - The inputs of a node have smaller ids than the node.
//! - A root, and every source of a copy or a mount, is a node of the graph.
//! - A command has at least one argument, and an absolute working directory.
//! - Destinations and targets are absolute.
//!
//! Stages
//!
//! - There is at least one stage, and the target is one of them.
//! - The root of a stage is a node of the graph.
//! - A stage continues an earlier one, or none.
//! - A history entry has a node if and only if it has a layer, and that node changes a root.
//!
//! A violation in a planned graph is a bug in this workspace, never the user's mistake: those
//! were all reported with a span. In a graph from a file it is the file's.

use std::fmt;

use crate::graph::{Graph, NodeId};
use crate::op::Op;

/// A rule that a graph breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The node it is about; none for stages.
    pub node: Option<NodeId>,
    /// The rule.
    pub rule: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "{node}: {}", self.rule),
            None => f.write_str(self.rule),
        }
    }
}

/// Every rule that the graph breaks.
pub fn verify(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut check = |node: Option<NodeId>, holds: bool, rule: &'static str| {
        if !holds {
            violations.push(Violation { node, rule });
        }
    };
    for (id, node) in graph.iter() {
        let at = Some(id);
        check(at, node.op.inputs().iter().all(|input| *input < id), "an input comes later");
        match &node.op {
            Op::Run(run) => {
                check(at, !run.argv.is_empty(), "a command has no arguments");
                check(at, run.cwd.starts_with('/'), "a working directory is not absolute");
            }
            Op::Copy(copy) => {
                check(at, copy.destination.starts_with('/'), "a destination is not absolute");
                check(at, !copy.sources.is_empty(), "a copy has no source");
            }
            Op::Mkdir(mkdir) => {
                check(at, mkdir.path.starts_with('/'), "a directory is not absolute");
            }
            Op::Scratch
            | Op::Image(_)
            | Op::Local(_)
            | Op::Git(_)
            | Op::Http(_)
            | Op::Inline(_)
            | Op::Merge(_) => {}
        }
    }
    check(None, graph.target < graph.stages.len(), "the target is no stage");
    let exists = |id: NodeId| id.index() < graph.nodes.len();
    for (position, stage) in graph.stages.iter().enumerate() {
        check(None, exists(stage.root), "the root of a stage is no node");
        let earlier = stage.continues.is_none_or(|continued| continued < position);
        check(None, earlier, "a stage continues one that is not earlier");
        for step in &stage.history {
            check(
                None,
                step.entry.empty_layer == step.node.is_none(),
                "a history entry has a layer and no node, or a node and no layer",
            );
            let changes = |id: NodeId| exists(id) && graph.node(id).op.root().is_some();
            check(None, step.node.is_none_or(changes), "a layer's node changes no root");
        }
    }
    violations
}
