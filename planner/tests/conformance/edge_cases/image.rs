//! The comparable form of an image: its config and history, as JSON.
//!
//! Layers are left out; a plan has none yet.

use ir::{ConfigFile, Graph};
use serde_json::Value;

/// The form of one of `answer.image`.
pub(super) fn theirs(image: &Value) -> Value {
    without_layers(image.clone())
}

/// The form of a target.
pub(super) fn ours(graph: &Graph) -> Value {
    let target = graph.target();
    let mut history = target.config.history.clone();
    history.extend(graph.history(target).map(|step| step.entry.clone()));
    let config = ConfigFile { history, ..target.config.clone() };
    without_layers(serde_json::to_value(config).unwrap())
}

fn without_layers(mut image: Value) -> Value {
    image.as_object_mut().unwrap().remove("rootfs").unwrap();
    image
}
