//! The executor: asks the schedule for nodes, runs each as a task, tells the schedule.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ir::NodeId;
use tokio::task::JoinSet;

use super::error::{BuildError, NodeError};
use super::export::Uploads;
use super::machine::Machine;
use super::node;
use crate::event::{Event, Outcome};
use crate::layer::Layer;
use crate::schedule::Schedule;
use crate::snapshot::ChangeSet;

/// Runs every node of the graph; independent ones side by side.
///
/// Returns the layers of the nodes that the image consists of. After an error everything that
/// still runs is cancelled and waited for.
pub(super) async fn execute(
    machine: &Arc<Machine>,
    uploads: &Uploads,
) -> Result<BTreeMap<NodeId, Layer>, BuildError> {
    let mut execution = Execution {
        machine,
        uploads,
        schedule: Schedule::new(&machine.graph),
        tasks: JoinSet::new(),
        layers: BTreeMap::new(),
        failure: None,
    };
    execution.start_ready();
    while let Some(ended) = execution.tasks.join_next().await {
        match ended {
            Ok(Ended::Node { id, took, result }) => execution.node_ended(id, took, result),
            Ok(Ended::Layer { id, result }) => execution.layer_ended(id, result),
            Err(_) => execution.fail(BuildError::Worker),
        }
        execution.start_ready();
    }
    execution.result()
}

/// What a task ends with.
enum Ended {
    /// A node has its result, and, where its layer is wanted, the changes for that.
    Node { id: NodeId, took: Duration, result: Result<Option<ChangeSet>, NodeError> },
    /// A node's changes became a layer; none where nothing had changed.
    Layer { id: NodeId, result: Result<Option<Layer>, NodeError> },
}

struct Execution<'a> {
    machine: &'a Arc<Machine>,
    uploads: &'a Uploads,
    schedule: Schedule,
    tasks: JoinSet<Ended>,
    layers: BTreeMap<NodeId, Layer>,
    /// The first error; after it nothing is started any more.
    failure: Option<BuildError>,
}

impl Execution<'_> {
    fn start_ready(&mut self) {
        while self.failure.is_none() && !self.machine.cancel.is_cancelled() {
            let Some(id) = self.schedule.take() else { return };
            self.machine.events.send(Event::Started { node: id });
            let machine = Arc::clone(self.machine);
            self.tasks.spawn(async move {
                let begun = Instant::now();
                let result = node::run(&machine, id).await;
                Ended::Node { id, took: begun.elapsed(), result }
            });
        }
    }

    fn node_ended(
        &mut self,
        id: NodeId,
        took: Duration,
        result: Result<Option<ChangeSet>, NodeError>,
    ) {
        let outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(NodeError::Cancelled) => Outcome::Cancelled,
            Err(error) => Outcome::Failed { message: error.to_string() },
        };
        self.machine.events.send(Event::Finished { node: id, outcome, took });
        match result {
            Ok(changes) => {
                self.machine.finished(id);
                let packed = changes.is_some();
                if let Some(changes) = changes {
                    self.pack(id, changes);
                }
                // Where the next step works in place, the layer must be made before that begins.
                if !(packed && self.machine.snapshotter.works_in_place()) {
                    self.schedule.finish(id);
                }
            }
            Err(error) => self.node_failed(id, error),
        }
    }

    fn pack(&mut self, id: NodeId, changes: ChangeSet) {
        let machine = Arc::clone(self.machine);
        self.tasks.spawn(async move {
            let result = machine.pack(id, changes).await;
            Ended::Layer { id, result }
        });
    }

    fn layer_ended(&mut self, id: NodeId, result: Result<Option<Layer>, NodeError>) {
        let layer = match result {
            Ok(layer) => layer,
            Err(error) => return self.node_failed(id, error),
        };
        if self.machine.snapshotter.works_in_place() {
            self.schedule.finish(id);
        }
        if let Some(layer) = layer {
            let (digest, size) = (layer.digest, layer.size);
            self.machine.events.send(Event::Layer { node: id, digest, size });
            self.uploads.start(&layer);
            self.layers.insert(id, layer);
        }
    }

    fn node_failed(&mut self, node: NodeId, source: NodeError) {
        self.fail(self.machine.failed(node, source));
    }

    /// Keeps the first error and stops everything else. That something was stopped is no error.
    fn fail(&mut self, error: BuildError) {
        if !matches!(error, BuildError::Cancelled) {
            self.failure.get_or_insert(error);
        }
        self.machine.cancel.cancel();
    }

    fn result(self) -> Result<BTreeMap<NodeId, Layer>, BuildError> {
        match self.failure {
            Some(error) => Err(error),
            None if self.machine.cancel.is_cancelled() => Err(BuildError::Cancelled),
            None => {
                debug_assert!(self.schedule.is_complete(), "nothing runs and nothing is ready");
                Ok(self.layers)
            }
        }
    }
}
