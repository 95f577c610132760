//! Progress as JSON, one object a line, for programs.

use std::time::Instant;

use runtime::event::{Event, Outcome, Stream, Task};
use serde_json::{Value, json};

use super::label::Labels;
use super::write_line;

/// The version of the events' form. A change that an old reader would misread raises it; a new
/// field or event does not.
const VERSION: u32 = 1;

/// Writes events as JSON lines.
pub(crate) struct Json {
    labels: Labels,
    start: Instant,
}

impl Json {
    pub(crate) fn new(labels: Labels) -> Self {
        Self { labels, start: Instant::now() }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        let mut object = self.object(event);
        let time = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("version".into(), VERSION.into());
            fields.insert("time".into(), time.into());
        }
        write_line(&object.to_string());
    }

    fn object(&self, event: &Event) -> Value {
        match event {
            Event::Chosen { snapshotter, isolation, passed_over } => json!({
                "event": "chosen",
                "snapshotter": snapshotter,
                "isolation": isolation,
                "passedOver": passed_over,
            }),
            Event::Started { node } => {
                let label = self.labels.get(*node);
                json!({
                    "event": "started",
                    "node": node.to_string(),
                    "stage": label.stage,
                    "text": label.text,
                })
            }
            Event::Output { node, stream, line } => json!({
                "event": "output",
                "node": node.to_string(),
                "stream": match stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                },
                "line": line,
            }),
            Event::Progress { task, what, done, total } => json!({
                "event": "progress",
                "node": match task {
                    Task::Node(node) => Some(node.to_string()),
                    Task::Export => None,
                },
                "what": what,
                "done": done,
                "total": total,
            }),
            Event::Layer { node, digest, size } => json!({
                "event": "layer",
                "node": node.to_string(),
                "digest": digest.to_string(),
                "size": size,
            }),
            Event::Finished { node, outcome, took } => {
                let (outcome, message) = match outcome {
                    Outcome::Done => ("done", None),
                    Outcome::Failed { message } => ("failed", Some(message)),
                    Outcome::Cancelled => ("cancelled", None),
                };
                json!({
                    "event": "finished",
                    "node": node.to_string(),
                    "outcome": outcome,
                    "message": message,
                    "took": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                })
            }
            Event::Exported { to, digest } => {
                json!({ "event": "exported", "to": to, "digest": digest.to_string() })
            }
            Event::Notice { message } => json!({ "event": "notice", "message": message }),
        }
    }
}
