//! What nodes are called on the screen.

use ir::{Graph, NodeId};

/// Longest label in characters; commands can be any length.
const MAX_LENGTH: usize = 100;

/// Names of all nodes of a graph.
pub(crate) struct Labels(Vec<Label>);

/// How people and programs see a node.
#[derive(Clone)]
pub(crate) struct Label {
    /// Name or index of the stage; none for contexts.
    pub(crate) stage: Option<String>,
    /// The instruction in one line.
    pub(crate) text: String,
}

impl Labels {
    pub(crate) fn new(graph: &Graph) -> Self {
        let label = |node: &ir::Node| {
            let origin = &node.origin;
            let index = origin.stage.map(|index| index.to_string());
            Label { stage: origin.stage_name.clone().or(index), text: one_line(&origin.text) }
        };
        Self(graph.nodes.iter().map(label).collect())
    }

    pub(crate) fn get(&self, node: NodeId) -> &Label {
        &self.0[node.index()]
    }

    /// `[stage] INSTRUCTION …` in one line.
    pub(crate) fn line(&self, node: NodeId) -> String {
        let label = self.get(node);
        let text = if label.text.chars().count() > MAX_LENGTH {
            let cut: String = label.text.chars().take(MAX_LENGTH - 1).collect();
            format!("{cut}…")
        } else {
            label.text.clone()
        };
        match &label.stage {
            Some(stage) => format!("[{stage}] {text}"),
            None => text,
        }
    }
}

/// Blanks and line ends made single blanks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes for people: `1.5 MB`.
pub(super) fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Seconds for people: `0.1s`, `12.3s`, `2m05s`.
pub(super) fn duration(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1}s", duration.as_secs_f64())
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}
