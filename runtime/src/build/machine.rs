//! Everything that the tasks of one build share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ir::{Graph, NodeId, Op};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::error::{BuildError, NodeError};
use super::needs::Needs;
use crate::context::git::References;
use crate::context::source::{Owners, Tree};
use crate::event::{Events, Task};
use crate::layer::entry::Time;
use crate::layer::{self, Bounds, Layer};
use crate::op::copy::Dates;
use crate::resolve::Images;
use crate::sandbox::Isolation;
use crate::snapshot::{self, Active, ChangeSet, Choice, ParentUse, Snapshot, Snapshotter};

/// What one build works with. Shared by all its tasks.
pub(super) struct Machine {
    pub(super) graph: Graph,
    pub(super) images: Images,
    pub(super) settings: Settings,
    pub(super) snapshotter: Box<dyn Snapshotter>,
    pub(super) events: Events,
    pub(super) cancel: CancellationToken,
    /// Why better snapshotters fell out.
    snapshotters_passed_over: Vec<String>,
    needs: Needs,
    /// The nodes whose layers the image consists of.
    wanted: BTreeSet<NodeId>,
    /// What references of git repositories are at.
    pub(super) references: Arc<References>,
    /// What the nodes that are done resulted in.
    products: Mutex<BTreeMap<NodeId, Product>>,
}

/// What a node results in.
#[derive(Clone)]
pub(super) enum Product {
    /// A root that a step can go on from.
    Root(Snapshot),
    /// Files that a step can only read.
    Tree(Tree),
}

impl Machine {
    pub(super) fn new(
        graph: Graph,
        images: Images,
        settings: Settings,
        events: Events,
        cancel: CancellationToken,
    ) -> Result<Self, BuildError> {
        let (snapshotter, snapshotters_passed_over) = choose(&graph, &settings, &cancel)?;
        let needs = Needs::of(&graph);
        let exported = settings.outputs.is_wanted();
        let layers = graph.history(graph.target()).filter_map(|step| step.node);
        let wanted = layers.filter(|_| exported).collect();
        Ok(Self {
            graph,
            images,
            settings,
            snapshotter,
            events,
            cancel,
            snapshotters_passed_over,
            needs,
            wanted,
            references: Arc::default(),
            products: Mutex::default(),
        })
    }

    /// What the log calls the way in which commands are confined; none if there are no commands.
    pub(super) fn isolation(&self) -> Option<&'static str> {
        let isolation = self.settings.sandbox.isolation().map(Isolation::name);
        isolation.filter(|_| has_commands(&self.graph))
    }

    /// Why stronger ways of confining and better ways of snapshotting fell out.
    pub(super) fn passed_over(&self) -> Vec<String> {
        let sandbox = &self.settings.sandbox;
        let mut passed_over = match self.isolation() {
            Some(_) => sandbox.passed_over().to_vec(),
            None => sandbox.lost().map(str::to_owned).into_iter().collect(),
        };
        passed_over.extend_from_slice(&self.snapshotters_passed_over);
        passed_over
    }

    /// How many nodes need a node when the build begins.
    pub(super) fn uses(&self, id: NodeId) -> usize {
        self.needs.at_first(id)
    }

    /// Whether the image consists of this node's layer, among others.
    pub(super) fn wants_layer(&self, id: NodeId) -> bool {
        self.wanted.contains(&id)
    }

    /// Begins a root on another node's.
    ///
    /// A snapshotter that works in place has to copy what it begins on, unless nobody else needs
    /// it any more. So those who go on from one step take turns: each but the last copies it,
    /// and the last one changes it itself. Copying at the same time would not be faster, as one
    /// copy keeps all processors busy or the disk. Whoever only reads it is not waited for, which
    /// may take as long as a command runs; there the last one copies too.
    pub(super) fn begin(&self, id: NodeId, parent: NodeId) -> Result<Box<dyn Active>, NodeError> {
        let snapshot = self.root(parent);
        // The files of an image are the store's, which nobody changes.
        let is_image = matches!(self.graph.node(parent).op, Op::Image(_));
        let takes_turns = self.snapshotter.works_in_place() && !is_image;
        let _turn = takes_turns.then(|| self.needs.turn(parent));
        let reads_itself = self.reads_its_root(id, parent);
        let last = self.needs.is_last(parent, id) && !reads_itself;
        let parent_use = if last { ParentUse::Last } else { ParentUse::Shared };
        let active = self.snapshotter.begin(&snapshot, parent_use)?;
        if !reads_itself {
            self.needs.done(parent, id);
        }
        Ok(active)
    }

    /// Says that a node is done, and needs nothing any more.
    pub(super) fn finished(&self, id: NodeId) {
        for input in self.graph.node(id).op.inputs() {
            self.needs.done(input, id);
        }
    }

    /// Whether a node reads the root that it begins on, beside.
    fn reads_its_root(&self, id: NodeId, root: NodeId) -> bool {
        self.graph.node(id).op.sources().contains(&root)
    }

    /// Whether a root is changed in place by the only node that needs it, and nobody looks at how
    /// it was.
    pub(super) fn gives_away(&self, id: NodeId) -> bool {
        let mut nodes = self.graph.iter().filter(|(_, node)| node.op.root() == Some(id));
        self.snapshotter.works_in_place()
            && self.uses(id) == 1
            && nodes.next().is_some_and(|(user, _)| !self.reads_its_root(user, id))
    }

    /// Keeps what a node resulted in.
    pub(super) fn keep(&self, id: NodeId, product: Product) {
        self.products.lock().expect("nobody panics while holding the lock").insert(id, product);
    }

    /// What a node resulted in that is done.
    pub(super) fn product(&self, id: NodeId) -> Product {
        let products = self.products.lock().expect("nobody panics while holding the lock");
        products.get(&id).expect("the schedule starts a node when its inputs are done").clone()
    }

    /// The root that a node resulted in.
    pub(super) fn root(&self, id: NodeId) -> Snapshot {
        match self.product(id) {
            Product::Root(snapshot) => snapshot,
            Product::Tree(_) => unreachable!("the planner builds only on roots, and {id} is none"),
        }
    }

    /// What a node resulted in, for reading.
    pub(super) fn tree(&self, id: NodeId) -> Result<Tree, NodeError> {
        match self.product(id) {
            Product::Root(snapshot) => {
                let view = self.snapshotter.view(&snapshot)?;
                let root = Arc::new(view.root().try_clone().map_err(|source| NodeError::Io {
                    action: "open the root",
                    path: "/".into(),
                    source,
                })?);
                Ok(Tree::new(root, Owners::Kept, Some(Arc::new(view))))
            }
            Product::Tree(tree) => Ok(tree),
        }
    }

    /// What directories are dated that nobody gave a time.
    pub(super) fn now(&self) -> Time {
        let seconds = i64::try_from(self.settings.created).unwrap_or(i64::MAX);
        Time { seconds, nanoseconds: 0 }
    }

    /// What ends an unpacking early.
    pub(super) fn bounds(&self) -> Bounds<'_> {
        Bounds { limits: self.settings.unpack_limits, cancel: &self.cancel }
    }

    /// What copies are dated.
    pub(super) fn dates(&self) -> Dates {
        let made = self.now();
        Dates { made, copied: self.settings.reproducible.then_some(made) }
    }

    /// Makes a directory of a node's own, which goes with the build.
    pub(super) fn directory(&self, purpose: &str, id: NodeId) -> Result<PathBuf, NodeError> {
        let path = self.settings.store.scratch().join(format!("{purpose}-{}", id.index()));
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(NodeError::Io { action: "make the directory", path, source }),
        }
    }

    /// What the failure of a node is for the build.
    pub(super) fn failed(&self, node: NodeId, source: NodeError) -> BuildError {
        if matches!(source, NodeError::Cancelled) {
            return BuildError::Cancelled;
        }
        let origin = Box::new(self.graph.node(node).origin.clone());
        BuildError::Node { node, origin, source: Box::new(source) }
    }

    /// Waits for something on the network, unless the build is stopped before.
    pub(super) async fn unless_cancelled<T, E: Into<NodeError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, NodeError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(NodeError::Cancelled),
            result = work => result.map_err(Into::into),
        }
    }

    /// Runs blocking work on a thread that may block, and waits for it.
    ///
    /// The work is not interrupted from outside: it looks at `cancel` itself where it takes long.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, NodeError> {
        let machine = Arc::clone(self);
        let result = tokio::task::spawn_blocking(move || work(&machine)).await;
        match result.map_err(|_| NodeError::Worker)? {
            // What fails because it was told to stop did not fail.
            Err(_) if self.cancel.is_cancelled() => Err(NodeError::Cancelled),
            result => result,
        }
    }

    /// Makes the changes of a node a layer; none if there are none.
    pub(super) async fn pack(
        self: &Arc<Self>,
        id: NodeId,
        changes: ChangeSet,
    ) -> Result<Option<Layer>, NodeError> {
        if changes.entries.is_empty() {
            return Ok(None);
        }
        self.blocking(move |machine| {
            let to = machine.settings.store.scratch().join(format!("layer-{}", id.index()));
            let progress = machine.events.meter(Task::Node(id), "layer".to_owned(), None);
            let compression = machine.settings.compression;
            let layer = layer::pack(&changes, compression, &to, &machine.cancel, &progress)?;
            Ok(Some(layer))
        })
        .await
    }
}

/// The snapshotter, and why better ones fell out.
fn choose(
    graph: &Graph,
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<(Box<dyn Snapshotter>, Vec<String>), BuildError> {
    let scratch = settings.store.scratch();
    let isolation = settings.sandbox.isolation().filter(|isolation| !isolation.has_mounts());
    if let Some(isolation) = isolation.filter(|_| has_commands(graph)) {
        return match settings.snapshotter {
            Choice::Overlay => {
                Err(BuildError::OverlayWithoutMounts { isolation: isolation.name() })
            }
            Choice::Auto => {
                let (tree, _) = snapshot::choose(Choice::Tree, scratch, cancel)?;
                let why = format!("overlay: the isolation is `{}`", isolation.name());
                Ok((tree, vec![why]))
            }
            Choice::Tree => Ok(snapshot::choose(Choice::Tree, scratch, cancel)?),
        };
    }
    Ok(snapshot::choose(settings.snapshotter, scratch, cancel)?)
}

fn has_commands(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| matches!(node.op, Op::Run(_)))
}
