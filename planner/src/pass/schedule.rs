//! What can run beside what, and the chain that takes longest.

use ir::{Graph, NodeId};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

/// When nodes can run at the earliest, each node taken to last as long as any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Nodes by the length of the longest chain that leads to them, each level in order of ids.
    /// The nodes of one level do not need each other.
    pub levels: Vec<Vec<NodeId>>,
    /// A longest chain of nodes that each need the one before; of equals, the one with the
    /// smallest ids at its end.
    pub critical_path: Vec<NodeId>,
    /// The most nodes that one level has.
    pub width: usize,
    /// The level of each node.
    depths: Vec<usize>,
}

impl Schedule {
    /// The nodes that can run at the same time as one, itself excluded.
    ///
    /// # Panics
    ///
    /// If the id is of another graph.
    pub fn beside(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let level = &self.levels[self.depths[id.index()]];
        level.iter().copied().filter(move |other| *other != id)
    }
}

/// Sorts a graph into levels.
pub fn schedule(graph: &Graph) -> Schedule {
    let edges = edges(graph);
    // Ids are in topological order, so one pass over them sees inputs first.
    let mut depths: Vec<usize> = Vec::with_capacity(graph.nodes.len());
    for node in edges.node_indices() {
        let inputs = edges.neighbors_directed(node, Direction::Incoming);
        let deepest = inputs.map(|input| depths[input.index()] + 1).max();
        depths.push(deepest.unwrap_or(0));
    }
    let height = depths.iter().max().map_or(0, |deepest| deepest + 1);
    let mut levels: Vec<Vec<NodeId>> = vec![Vec::new(); height];
    for (index, depth) in depths.iter().enumerate() {
        levels[*depth].push(NodeId::from_index(index));
    }
    let width = levels.iter().map(Vec::len).max().unwrap_or(0);
    Schedule { critical_path: critical_path(&edges, &depths), width, levels, depths }
}

fn edges(graph: &Graph) -> DiGraph<(), ()> {
    let mut edges = DiGraph::new();
    for (_, node) in graph.iter() {
        let this = edges.add_node(());
        for input in node.op.inputs() {
            edges.add_edge(NodeIndex::new(input.index()), this, ());
        }
    }
    edges
}

/// From a deepest node back along inputs that are one level higher.
fn critical_path(edges: &DiGraph<(), ()>, depths: &[usize]) -> Vec<NodeId> {
    let deepest = depths.iter().max();
    let last = deepest.and_then(|deepest| depths.iter().position(|depth| depth == deepest));
    let mut path: Vec<usize> = last.into_iter().collect();
    while let Some(&node) = path.last()
        && depths[node] > 0
    {
        let inputs = edges.neighbors_directed(NodeIndex::new(node), Direction::Incoming);
        let inputs = inputs.map(NodeIndex::index);
        let above = inputs.filter(|input| depths[*input] + 1 == depths[node]).min();
        path.push(above.expect("a node below the top has an input one level higher"));
    }
    path.into_iter().rev().map(NodeId::from_index).collect()
}

#[cfg(test)]
mod tests {
    use ir::op::{InlineOp, MkdirOp, Op};
    use ir::{Digest, Node, Origin};

    use super::*;

    fn graph(roots: &[Option<u32>]) -> Graph {
        let op = |root: &Option<u32>| match root {
            None => Op::Inline(InlineOp { files: Vec::new() }),
            Some(root) => {
                let (path, owner) = ("/d".to_owned(), String::new());
                Op::Mkdir(MkdirOp { root: NodeId(*root), path, owner })
            }
        };
        let key = Digest::from_bytes([0; 32]);
        let node = |root| Node { op: op(root), key, origin: Origin::default() };
        Graph { nodes: roots.iter().map(node).collect(), stages: Vec::new(), target: 0 }
    }

    #[test]
    fn levels_follow_the_longest_chain() {
        let found = schedule(&graph(&[None, None, Some(0), Some(2), Some(1)]));
        let levels: Vec<Vec<u32>> =
            found.levels.iter().map(|level| level.iter().map(|id| id.0).collect()).collect();
        assert_eq!(levels, [vec![0, 1], vec![2, 4], vec![3]]);
        assert_eq!(found.critical_path, [NodeId(0), NodeId(2), NodeId(3)]);
        assert_eq!(found.width, 2);
        assert_eq!(found.beside(NodeId(2)).collect::<Vec<_>>(), [NodeId(4)]);
    }

    #[test]
    fn nothing_takes_no_time() {
        let found = schedule(&graph(&[]));
        assert_eq!((found.levels.len(), found.critical_path.len(), found.width), (0, 0, 0));
    }
}
