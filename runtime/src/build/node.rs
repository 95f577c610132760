//! One node of the graph is carried out.

use std::path::PathBuf;
use std::sync::Arc;

use ir::op::GitOp;
use ir::{NodeId, Op};

use super::error::NodeError;
use super::machine::{Machine, Product};
use super::{base, change};
use crate::context;
use crate::context::git::{Access, Surroundings};
use crate::context::source::Tree;
use crate::event::Task;
use crate::op;
use crate::snapshot::ChangeSet;

/// Carries out a node whose inputs are done, and keeps what it results in.
///
/// Returns what it changed, where the image consists of its layer.
pub(super) async fn run(
    machine: &Arc<Machine>,
    id: NodeId,
) -> Result<Option<ChangeSet>, NodeError> {
    let product = match &machine.graph.node(id).op {
        Op::Run(run) => return change::run(machine, id, run).await,
        Op::Copy(copy) => return change::copy(machine, id, copy).await,
        Op::Mkdir(mkdir) => return change::mkdir(machine, id, mkdir).await,
        Op::Scratch => {
            let scratch = |machine: &Machine| Ok(machine.snapshotter.scratch()?);
            Product::Root(machine.blocking(scratch).await?)
        }
        // An image that no step stands on is not unpacked, nor even fetched: its layers go from
        // registry to registry. Nor are its files brought together with those of a layer.
        Op::Image(_) | Op::Merge(_) if machine.uses(id) == 0 => return Ok(None),
        Op::Merge(merge) => return change::merge(machine, id, *merge).await,
        Op::Image(image) => Product::Root(base::root(machine, id, image).await?),
        Op::Local(local) => {
            let Some(directory) = machine.settings.contexts.get(&local.name).cloned() else {
                return Err(NodeError::NoContext { name: local.name.clone() });
            };
            let patterns = local.ignore.clone();
            let open = move |machine: &Machine| {
                let own = machine.settings.store.directory();
                Ok(context::source::local(&directory, &patterns, own)?)
            };
            Product::Tree(machine.blocking(open).await?)
        }
        Op::Http(http) => {
            let directory = machine.directory("http", id)?;
            let asker = context::http::Asker {
                client: machine.images.client(),
                secrets: &machine.settings.secrets,
            };
            let fetch = context::http::fetch(http, asker, &directory, &machine.cancel);
            Product::Tree(machine.unless_cancelled(fetch).await?)
        }
        Op::Inline(inline) => {
            let inline = inline.clone();
            let write = move |machine: &Machine| {
                let directory = machine.directory("inline", id)?;
                Ok(op::inline::inline(&inline, &directory, machine.now())?)
            };
            Product::Tree(machine.blocking(write).await?)
        }
        Op::Git(git) => Product::Tree(tree_of_git(machine, id, git).await?),
    };
    machine.keep(id, product);
    Ok(None)
}

async fn tree_of_git(machine: &Arc<Machine>, id: NodeId, git: &GitOp) -> Result<Tree, NodeError> {
    let git = git.clone();
    let handle = tokio::runtime::Handle::current();
    let fetch = move |machine: &Machine| {
        let directory = machine.directory("git", id)?;
        let settings = &machine.settings;
        let access = Access {
            http: machine.images.client(),
            secrets: &settings.secrets,
            agent: settings.agents.get("default").map(PathBuf::as_path),
            known_hosts: settings.known_hosts.as_deref(),
        };
        let progress =
            Arc::new(machine.events.meter(Task::Node(id), "repository".to_owned(), None));
        let (cancel, references) = (machine.cancel.clone(), Arc::clone(&machine.references));
        let surroundings = Surroundings { handle, cancel, progress, references };
        Ok(context::git::tree(&git, &access, &surroundings, &directory, machine.now())?)
    };
    machine.blocking(fetch).await
}
