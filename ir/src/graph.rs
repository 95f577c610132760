//! What will happen: operations, the edges between them, and the stages that they make.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigFile, HistoryEntry};
use crate::digest::Digest;
use crate::op::Op;
use crate::platform::Platform;
use crate::source::Span;

/// A build, ready to run.
///
/// [`verify`](crate::verify) states what holds of a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// In topological order: a node's inputs have smaller ids.
    pub nodes: Vec<Node>,
    /// The stages that the target needs, in the order of the Dockerfile.
    pub stages: Vec<Stage>,
    /// Index into `stages` of the one that becomes the image.
    pub target: usize,
}

/// Names a node of one graph; the position in [`Graph::nodes`]. Prints as `%0`.
///
/// Not `Hash`, so that nobody can leak the order of a hash map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// One operation and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The part that decides the result.
    pub op: Op,
    /// The definition key: a hash over the operation and its inputs' keys.
    pub key: Digest,
    /// The part that does not decide the result.
    pub origin: Origin,
}

/// Where a node was asked for and how to speak of it. Never part of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The instruction; for what several share, the first.
    pub span: Span,
    /// One line for people: the instruction as written, or what the node fetches.
    pub text: String,
    /// Index in the Dockerfile of the stage that asked first; none for contexts.
    pub stage: Option<u32>,
    /// Name of that stage, if it has one.
    pub stage_name: Option<String>,
    /// The proxy arguments: part of the environment of a `RUN`, not of its identity.
    pub proxy: Vec<(String, String)>,
}

/// What a stage of the Dockerfile became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Lower case.
    pub name: Option<String>,
    /// Position in the Dockerfile, from 0.
    pub index: u32,
    /// Its file system.
    pub root: NodeId,
    /// The image it becomes: config, and history and diff ids **of the base image only**.
    pub config: ConfigFile,
    /// Position in [`Graph::stages`] of the stage that this one continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<usize>,
    /// What this stage adds to the history; [`Graph::history`] is all of it.
    pub history: Vec<StageHistory>,
    /// What it is built for.
    pub platform: Platform,
}

/// A history entry and the node whose layer belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageHistory {
    /// Without a time: that is the exporter's to say.
    pub entry: HistoryEntry,
    /// None where the entry has no layer.
    pub node: Option<NodeId>,
}

impl Graph {
    /// The node of an id.
    ///
    /// # Panics
    ///
    /// If the id is of another graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All nodes with their ids, inputs first.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId::from_index(index), node))
    }

    /// What the build adds to the history of a stage, oldest first: that of the stages which it
    /// continues, and its own.
    pub fn history<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a StageHistory> {
        let before = |stage: &&'a Stage| Some(&self.stages[stage.continues?]);
        let mut chain: Vec<&Stage> = std::iter::successors(Some(stage), before).collect();
        chain.reverse();
        chain.into_iter().flat_map(|stage| &stage.history)
    }

    /// The stage that becomes the image.
    pub fn target(&self) -> &Stage {
        &self.stages[self.target]
    }
}

impl NodeId {
    /// The id of a position in [`Graph::nodes`].
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph has fewer nodes than its text has bytes"))
    }

    /// The position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
