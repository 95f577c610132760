//! Who needs what a node resulted in, and who has done with it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use ir::{Graph, NodeId, Op};

/// The needs of all nodes of a graph.
pub(super) struct Needs(Vec<Need>);

struct Need {
    /// How many nodes need it when the build begins.
    at_first: usize,
    /// Those that have not done with it.
    left: Mutex<BTreeSet<NodeId>>,
    turn: Mutex<()>,
}

impl Needs {
    /// Nobody has done with anything. What a layer would be put on is not needed where nobody
    /// needs the whole.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut users = vec![BTreeSet::new(); graph.nodes.len()];
        // Whoever needs a node comes behind it.
        for index in (0..graph.nodes.len()).rev() {
            let op = &graph.nodes[index].op;
            if matches!(op, Op::Merge(_)) && users[index].is_empty() {
                continue;
            }
            for input in op.inputs() {
                users[input.index()].insert(NodeId::from_index(index));
            }
        }
        let need = |left: BTreeSet<NodeId>| Need {
            at_first: left.len(),
            left: Mutex::new(left),
            turn: Mutex::default(),
        };
        Self(users.into_iter().map(need).collect())
    }

    /// How many nodes need a node when the build begins.
    pub(super) fn at_first(&self, id: NodeId) -> usize {
        self.0[id.index()].at_first
    }

    /// Whether `user` is the only one left that needs a node.
    pub(super) fn is_last(&self, id: NodeId, user: NodeId) -> bool {
        self.left(id).iter().eq([&user])
    }

    /// Says that `user` does not need a node any more.
    pub(super) fn done(&self, id: NodeId, user: NodeId) {
        self.left(id).remove(&user);
    }

    /// Waits until nobody else has the turn for a node.
    pub(super) fn turn(&self, id: NodeId) -> MutexGuard<'_, ()> {
        self.0[id.index()].turn.lock().expect("nobody panics who has the turn")
    }

    fn left(&self, id: NodeId) -> MutexGuard<'_, BTreeSet<NodeId>> {
        self.0[id.index()].left.lock().expect("nobody panics while holding the lock")
    }
}

#[cfg(test)]
mod tests {
    use ir::op::{MergeOp, MkdirOp};
    use ir::{Digest, Node, Origin};

    use super::*;

    fn graph(ops: Vec<Op>) -> Graph {
        let node = |op| Node { op, key: Digest::from_bytes([0; 32]), origin: Origin::default() };
        Graph { nodes: ops.into_iter().map(node).collect(), stages: Vec::new(), target: 0 }
    }

    fn mkdir(root: u32) -> Op {
        Op::Mkdir(MkdirOp { root: NodeId(root), path: "/x".into(), owner: String::new() })
    }

    fn merge(root: u32, layer: u32) -> Op {
        Op::Merge(MergeOp { root: NodeId(root), layer: NodeId(layer) })
    }

    #[test]
    fn the_last_is_who_is_left() {
        let needs = Needs::of(&graph(vec![Op::Scratch, mkdir(0), mkdir(0), mkdir(1)]));
        let [root, one, two] = [0, 1, 2].map(NodeId);
        assert_eq!([0, 1, 2, 3].map(|id| needs.at_first(NodeId(id))), [2, 1, 0, 0]);
        assert!(!needs.is_last(root, one) && !needs.is_last(root, two));
        needs.done(root, one);
        needs.done(root, one);
        assert!(needs.is_last(root, two) && !needs.is_last(root, one));
        assert_eq!(needs.at_first(root), 2);
    }

    #[test]
    fn a_merge_that_nobody_needs_needs_nothing() {
        let needs = Needs::of(&graph(vec![Op::Scratch, mkdir(0), merge(0, 1)]));
        assert_eq!([0, 1, 2].map(|id| needs.at_first(NodeId(id))), [1, 0, 0]);
        let needs = Needs::of(&graph(vec![Op::Scratch, mkdir(0), merge(0, 1), mkdir(2)]));
        assert_eq!([0, 1, 2].map(|id| needs.at_first(NodeId(id))), [2, 1, 1]);
    }
}
