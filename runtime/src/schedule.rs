//! Which nodes are ready, running, done: a state machine without threads.
//!
//! The executor asks it for work and tells it results, so every interleaving can be tried without
//! running anything.

use std::collections::BTreeSet;

use ir::{Graph, NodeId};

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Some of its inputs are not done. The number says how many; never 0.
    Waiting(usize),
    /// All its inputs are done, and nobody has taken it.
    Ready,
    /// Someone has taken it.
    Running,
    /// It has a result.
    Done,
}

/// The states of all nodes of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    states: Vec<State>,
    /// For each node those that need it.
    dependents: Vec<Vec<NodeId>>,
    /// Ready nodes, those with the most work behind them first.
    ready: BTreeSet<(std::cmp::Reverse<usize>, NodeId)>,
    /// Number of nodes on the longest way from each node to one that nobody needs.
    depth: Vec<usize>,
    done: usize,
}

impl Schedule {
    /// Nothing has run; nodes without inputs are ready.
    pub(crate) fn new(graph: &Graph) -> Self {
        let count = graph.nodes.len();
        let mut dependents = vec![Vec::new(); count];
        let mut waiting = vec![0; count];
        for (id, node) in graph.iter() {
            for input in node.op.inputs() {
                dependents[input.index()].push(id);
                waiting[id.index()] += 1;
            }
        }
        let mut depth = vec![1; count];
        for index in (0..count).rev() {
            let behind = dependents[index].iter().map(|dependent| depth[dependent.index()]).max();
            depth[index] += behind.unwrap_or(0);
        }
        let states = vec![State::Running; count];
        let mut schedule = Self { states, dependents, ready: BTreeSet::new(), depth, done: 0 };
        for (index, waiting) in waiting.into_iter().enumerate() {
            let state = if waiting == 0 { State::Ready } else { State::Waiting(waiting) };
            schedule.set(NodeId::from_index(index), state);
        }
        schedule
    }

    /// Takes a ready node: it is running now. None if there is none at the moment.
    pub(crate) fn take(&mut self) -> Option<NodeId> {
        let (_, id) = *self.ready.first()?;
        self.set(id, State::Running);
        Some(id)
    }

    /// A running node has a result; what waited for it alone becomes ready.
    ///
    /// # Panics
    ///
    /// If it was not running.
    pub(crate) fn finish(&mut self, id: NodeId) {
        assert_eq!(self.states[id.index()], State::Running, "{id} was not taken");
        self.set(id, State::Done);
        for dependent in self.dependents[id.index()].clone() {
            match self.states[dependent.index()] {
                State::Waiting(1) => self.set(dependent, State::Ready),
                State::Waiting(count) => self.set(dependent, State::Waiting(count - 1)),
                State::Ready | State::Running | State::Done => {
                    unreachable!("{dependent} could not start before {id} was done")
                }
            }
        }
    }

    /// Whether every node is done.
    pub(crate) fn is_complete(&self) -> bool {
        self.done == self.states.len()
    }

    /// The one place where a state changes.
    fn set(&mut self, id: NodeId, state: State) {
        let entry = (std::cmp::Reverse(self.depth[id.index()]), id);
        if state == State::Ready {
            self.ready.insert(entry);
        } else {
            self.ready.remove(&entry);
        }
        if state == State::Done {
            self.done += 1;
        }
        self.states[id.index()] = state;
    }
}

#[cfg(test)]
mod tests {
    use ir::op::{CopyOp, CopySource, LocalOp, MkdirOp};
    use ir::{Digest, Node, Op, Origin};

    use super::*;

    fn graph(ops: Vec<Op>) -> Graph {
        let node = |op| Node { op, key: Digest::from_bytes([0; 32]), origin: Origin::default() };
        Graph { nodes: ops.into_iter().map(node).collect(), stages: Vec::new(), target: 0 }
    }

    fn mkdir(root: u32) -> Op {
        Op::Mkdir(MkdirOp { root: NodeId(root), path: "/x".into(), owner: String::new() })
    }

    fn copy(root: u32, from: u32) -> Op {
        let source = CopySource { from: NodeId(from), path: "/".into(), unpack: false };
        Op::Copy(CopyOp::new(NodeId(root), vec![source], "/"))
    }

    /// Two chains on one base that meet, and a context.
    fn diamond() -> Graph {
        let local = Op::Local(LocalOp { name: "context".into(), ignore: Vec::new() });
        graph(vec![local, Op::Scratch, mkdir(1), mkdir(2), copy(1, 0), copy(3, 4)])
    }

    #[test]
    fn independent_nodes_are_ready_together_and_the_longest_chain_comes_first() {
        let mut schedule = Schedule::new(&diamond());
        assert_eq!(schedule.take(), Some(NodeId(1)));
        assert_eq!(schedule.take(), Some(NodeId(0)));
        assert_eq!(schedule.take(), None);
        schedule.finish(NodeId(1));
        assert_eq!(schedule.take(), Some(NodeId(2)));
        assert_eq!(schedule.take(), None, "the copy still waits for the context");
        schedule.finish(NodeId(0));
        assert_eq!(schedule.take(), Some(NodeId(4)));
    }

    #[test]
    fn every_order_of_results_runs_every_node_once() {
        // Which of the running nodes finishes next is drawn from the bits of a counter.
        for choice in 0..256_usize {
            let mut schedule = Schedule::new(&diamond());
            let (mut running, mut order, mut step) = (Vec::new(), Vec::new(), 0);
            loop {
                while let Some(id) = schedule.take() {
                    running.push(id);
                }
                if running.is_empty() {
                    break;
                }
                let id = running.remove((choice >> step) % running.len());
                step += 1;
                schedule.finish(id);
                order.push(id);
            }
            assert!(schedule.is_complete());
            let before = |a, b| {
                let position = |id| order.iter().position(|x| *x == NodeId(id)).unwrap();
                position(a) < position(b)
            };
            assert!(before(1, 2) && before(2, 3) && before(4, 5) && before(3, 5) && before(0, 4));
        }
    }
}
