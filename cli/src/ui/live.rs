//! Progress on a terminal: what runs is redrawn, what is done scrolls up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ir::NodeId;
use runtime::event::{Event, Outcome, Task};

use super::label::{Labels, bytes, duration};

/// Lines of output shown below a running step.
const TAIL: usize = 4;
/// Lines of output kept for a step that fails.
const KEPT: usize = 50;

/// A live view of a build.
pub(crate) struct Live {
    labels: Labels,
    colour: bool,
    screen: MultiProgress,
    running: BTreeMap<NodeId, Running>,
    /// The bar of the export, once bytes move for it.
    export: Option<Running>,
}

struct Running {
    bar: ProgressBar,
    title: String,
    /// The last lines that the step wrote.
    output: VecDeque<String>,
    /// Bytes so far and in all, of each thing that is moved.
    moved: BTreeMap<String, (u64, Option<u64>)>,
}

impl Live {
    pub(crate) fn new(labels: Labels, colour: bool) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12));
        Self { labels, colour, screen, running: BTreeMap::new(), export: None }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        match event {
            Event::Chosen { snapshotter, isolation, passed_over } => {
                let isolation = isolation.unwrap_or("none");
                self.print(&self.dim(&format!("snapshotter {snapshotter}, isolation {isolation}")));
                for reason in passed_over {
                    self.print(&self.dim(&format!("  not {reason}")));
                }
            }
            Event::Started { node } => {
                let running = self.bar(self.labels.line(*node));
                self.running.insert(*node, running);
            }
            Event::Output { node, stream: _, line } => {
                if let Some(running) = self.running.get_mut(node) {
                    running.output.push_back(line.clone());
                    if running.output.len() > KEPT {
                        running.output.pop_front();
                    }
                    running.draw();
                }
            }
            Event::Progress { task, what, done, total } => {
                let running = match task {
                    Task::Node(node) => self.running.get_mut(node),
                    Task::Export => {
                        if self.export.is_none() {
                            self.export = Some(self.bar("exporting the image".to_owned()));
                        }
                        self.export.as_mut()
                    }
                };
                if let Some(running) = running {
                    running.moved.insert(what.clone(), (*done, *total));
                    running.draw();
                }
            }
            Event::Layer { .. } => {}
            Event::Finished { node, outcome, took } => self.finish(*node, outcome, *took),
            Event::Exported { to, digest } => {
                self.print(&format!("{} {to}@{digest}", self.paint("32", "✔")));
            }
            Event::Notice { message } => self.print(&format!("note: {message}")),
        }
    }

    pub(crate) fn close(self) {
        for running in self.running.into_values().chain(self.export) {
            running.bar.finish_and_clear();
        }
        self.screen.clear().ok();
    }

    fn finish(&mut self, node: NodeId, outcome: &Outcome, took: Duration) {
        let Some(running) = self.running.remove(&node) else { return };
        running.bar.finish_and_clear();
        self.screen.remove(&running.bar);
        let took = self.dim(&duration(took));
        match outcome {
            Outcome::Done => {
                self.print(&format!("{} {} {took}", self.paint("32", "✔"), running.title));
            }
            Outcome::Failed { message: _ } => {
                self.print(&format!("{} {} {took}", self.paint("31", "✘"), running.title));
                for line in &running.output {
                    self.print(&format!("  {} {line}", self.dim("│")));
                }
            }
            Outcome::Cancelled => {
                self.print(&self.dim(&format!("- {} cancelled", running.title)));
            }
        }
    }

    fn bar(&self, title: String) -> Running {
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}")
            .expect("the template is a constant")
            .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
        let bar = self.screen.add(ProgressBar::new_spinner().with_style(style));
        let running = Running { bar, title, output: VecDeque::new(), moved: BTreeMap::new() };
        running.draw();
        running.bar.enable_steady_tick(Duration::from_millis(100));
        running
    }

    fn print(&self, line: &str) {
        // A terminal that cannot be written to any more has nobody in front of it.
        self.screen.println(line).ok();
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

impl Running {
    fn draw(&self) {
        let mut message = self.title.clone();
        let active: Vec<_> =
            self.moved.values().filter(|(done, total)| *total != Some(*done)).collect();
        if !active.is_empty() {
            let done = self.moved.values().map(|(done, _)| done).sum();
            message.push_str("  ");
            message.push_str(&bytes(done));
            if let Some(total) = self.moved.values().map(|(_, total)| *total).sum::<Option<u64>>() {
                message.push_str(" of ");
                message.push_str(&bytes(total));
            }
        }
        let shown = self.output.len().saturating_sub(TAIL);
        for line in self.output.iter().skip(shown) {
            message.push_str("\n  │ ");
            message.extend(line.chars().filter(|c| !c.is_control()));
        }
        self.bar.set_message(message);
    }
}
