//! Progress as plain lines, for logs.

use runtime::event::{Event, Outcome};

use super::label::{Labels, bytes, duration};
use super::write_line;

/// Writes a line for each thing that happens; what a step says stands behind its node's number.
pub(crate) struct Plain {
    labels: Labels,
}

impl Plain {
    pub(crate) fn new(labels: Labels) -> Self {
        Self { labels }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        if let Some(line) = self.line(event) {
            write_line(&line);
        }
    }

    /// None for what would only fill a log.
    fn line(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Chosen { snapshotter, isolation, passed_over } => {
                let isolation = isolation.unwrap_or("none");
                let mut lines = format!("snapshotter {snapshotter}, isolation {isolation}");
                for reason in passed_over {
                    lines.push_str("\n  not ");
                    lines.push_str(reason);
                }
                lines
            }
            Event::Started { node } => format!("{node:<4} {}", self.labels.line(*node)),
            Event::Output { node, stream: _, line } => format!("{node:<4} | {line}"),
            Event::Progress { .. } => return None,
            Event::Layer { node, digest, size } => {
                format!("{node:<4} layer sha256:{} {}", digest.short(), bytes(*size))
            }
            Event::Finished { node, outcome, took } => match outcome {
                Outcome::Done => format!("{node:<4} done {}", duration(*took)),
                Outcome::Failed { message } => {
                    format!("{node:<4} FAILED {}: {message}", duration(*took))
                }
                Outcome::Cancelled => format!("{node:<4} cancelled {}", duration(*took)),
            },
            Event::Exported { to, digest } => format!("{to}@{digest}"),
            Event::Notice { message } => format!("note: {message}"),
        })
    }
}
