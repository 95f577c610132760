//! Operations that change a root: a root is begun on the parent's, changed, and committed.

use std::path::Path;
use std::sync::Arc;

use ir::op::{CopyOp, MkdirOp, Mount, RunOp};
use ir::NodeId;

use super::error::NodeError;
use super::machine::{Machine, Product};
use crate::event::{Event, Stream};
use crate::op;
use crate::sandbox::{Exit, Step, StepMount};
use crate::snapshot::{Active, ChangeSet};

/// Copies files into the root.
pub(super) async fn copy(
    machine: &Arc<Machine>,
    id: NodeId,
    copy: &CopyOp,
) -> Result<Option<ChangeSet>, NodeError> {
    let copy = copy.clone();
    machine
        .blocking(move |machine| {
            let active = begin(machine, copy.root)?;
            let sources =
                copy.sources.iter().map(|source| Ok((source.from, machine.tree(source.from)?)));
            let sources = sources.collect::<Result<_, NodeError>>()?;
            op::copy::copy(&copy, active.root(), &sources, machine.now(), &machine.cancel)?;
            commit(machine, id, active)
        })
        .await
}

/// Makes the working directory.
pub(super) async fn mkdir(
    machine: &Arc<Machine>,
    id: NodeId,
    mkdir: &MkdirOp,
) -> Result<Option<ChangeSet>, NodeError> {
    let mkdir = mkdir.clone();
    machine
        .blocking(move |machine| {
            let active = begin(machine, mkdir.root)?;
            op::mkdir::mkdir(&mkdir, active.root(), machine.now())?;
            commit(machine, id, active)
        })
        .await
}

/// Runs a command in the root.
pub(super) async fn run(
    machine: &Arc<Machine>,
    id: NodeId,
    run: &RunOp,
) -> Result<Option<ChangeSet>, NodeError> {
    let root = run.root;
    let mkdir = MkdirOp { root, path: run.cwd.clone(), owner: run.user.clone() };
    let active = machine
        .blocking(move |machine| {
            let active = begin(machine, root)?;
            // A base image may name a working directory that it does not have.
            op::mkdir::mkdir(&mkdir, active.root(), machine.now())?;
            Ok(active)
        })
        .await?;
    let exit = command(machine, id, run, active.as_ref()).await?;
    let command = || run.argv.join(" ");
    match exit {
        Exit::Code(0) => machine.blocking(move |machine| commit(machine, id, active)).await,
        Exit::Code(status) => {
            let status = u8::try_from(status).unwrap_or(u8::MAX);
            Err(NodeError::Exit { status, command: command() })
        }
        Exit::Signal(signal) => Err(NodeError::Signal { signal, command: command() }),
    }
}

async fn command(
    machine: &Arc<Machine>,
    id: NodeId,
    run: &RunOp,
    active: &dyn Active,
) -> Result<Exit, NodeError> {
    let mut env = run.env.clone();
    for (name, value) in &machine.graph.node(id).origin.proxy {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.clone(), value.clone()));
        }
    }
    let mut mounts = Vec::new();
    for mount in &run.mounts {
        mounts.extend(step_mount(machine, mount, &mut env)?);
    }
    let step = Step {
        root: active.root(),
        mount: active.mount()?,
        argv: run.argv.clone(),
        env,
        cwd: run.cwd.clone(),
        user: run.user.clone(),
        mounts,
        scripts: run.scripts.clone(),
        network: run.network,
        security: run.security,
        scratch: machine.settings.store.scratch().join(format!("step-{}", id.index())),
    };
    let events = machine.events.clone();
    let output = move |stream: Stream, line: &str| {
        events.send(Event::Output { node: id, stream, line: line.to_owned() });
    };
    let result = machine.settings.sandbox.run(step, output, machine.cancel.clone()).await;
    if machine.cancel.is_cancelled() {
        return Err(NodeError::Cancelled);
    }
    Ok(result?)
}

/// What a mount of the graph is for the sandbox; none where there is nothing to mount.
fn step_mount(
    machine: &Machine,
    mount: &Mount,
    env: &mut Vec<(String, String)>,
) -> Result<Option<StepMount>, NodeError> {
    Ok(match mount {
        Mount::Bind { target, from, source, writable } => Some(StepMount::Bind {
            target: target.clone(),
            tree: machine.tree(*from)?,
            source: source.clone(),
            writable: *writable,
        }),
        Mount::Cache { target, id, sharing, from, source, mode, uid, gid, readonly } => {
            let cache = op::cache::Cache { id, sharing: *sharing, mode: *mode, owner: (*uid, *gid) };
            let start = from.map(|from| machine.tree(from)).transpose()?;
            let directory = cache.open(
                machine.settings.store.directory(),
                start.as_ref().map(|tree| (tree, Path::new(source))),
            )?;
            Some(StepMount::Cache { target: target.clone(), directory, readonly: *readonly })
        }
        Mount::Tmpfs { target, size } => {
            Some(StepMount::Tmpfs { target: target.clone(), size: *size })
        }
        Mount::Secret { id, target, env: variable, required, mode, uid, gid } => {
            let Some(content) = machine.settings.secrets.get(id) else {
                return if *required { Err(NodeError::NoSecret { id: id.clone() }) } else { Ok(None) };
            };
            if let Some(variable) = variable {
                let text = String::from_utf8_lossy(content).into_owned();
                env.push((variable.clone(), text));
            }
            target.as_ref().map(|target| StepMount::Secret {
                target: target.clone(),
                content: content.clone(),
                mode: *mode,
                uid: *uid,
                gid: *gid,
            })
        }
        Mount::Ssh { id, required, target: _, mode: _, uid: _, gid: _ } => {
            return if *required { Err(NodeError::NoAgent { id: id.clone() }) } else { Ok(None) };
        }
    })
}

fn begin(machine: &Machine, parent: NodeId) -> Result<Box<dyn Active>, NodeError> {
    let snapshot = machine.root(parent);
    Ok(machine.snapshotter.begin(&snapshot, machine.parent_use(parent))?)
}

fn commit(
    machine: &Machine,
    id: NodeId,
    active: Box<dyn Active>,
) -> Result<Option<ChangeSet>, NodeError> {
    let (snapshot, changes) = active.commit()?;
    machine.keep(id, Product::Root(snapshot));
    Ok(machine.wants_layer(id).then_some(changes))
}
