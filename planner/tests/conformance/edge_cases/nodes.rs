//! The comparable form of a graph: what is reached from its root, each distinct node once.
//!
//! Nodes are numbered as they are finished, inputs first, each input in the order of its use. Two
//! graphs have the same form if and only if they do the same to the same inputs, however finely
//! they are cut and whatever they repeat.

use serde_json::{Value, json};

/// The nodes found so far.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    list: Vec<Value>,
}

impl Nodes {
    /// The name of a node, as inputs of others have it.
    pub(super) fn name(&mut self, node: Value) -> String {
        let known = self.list.iter().position(|known| *known == node);
        let index = known.unwrap_or_else(|| {
            self.list.push(node);
            self.list.len() - 1
        });
        format!("%{index}")
    }

    /// The form of the graph whose result is `root`.
    pub(super) fn form(self, root: &str) -> Value {
        json!({"nodes": self.list, "root": root})
    }
}
