//! Operations that change a root: a root is begun on the parent's, changed, and committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ir::NodeId;
use ir::op::{CopyOp, MergeOp, MkdirOp, RunOp};

use super::error::NodeError;
use super::machine::{Machine, Product};
use super::mounts::Mounts;
use crate::event::{Event, Stream};
use crate::op;
use crate::remove;
use crate::sandbox::{Exit, LacksSetuid, Step};
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
            let active = machine.begin(id, copy.root)?;
            let sources =
                copy.sources.iter().map(|source| Ok((source.from, machine.tree(source.from)?)));
            let sources = sources.collect::<Result<BTreeMap<_, _>, NodeError>>()?;
            let source_of = |from: NodeId| sources[&from].clone();
            let (dates, bounds) = (machine.dates(), machine.bounds());
            for skipped in op::copy::copy(&copy, active.root(), &source_of, dates, bounds)? {
                machine.events.send(Event::Notice { message: skipped });
            }
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
            let active = machine.begin(id, mkdir.root)?;
            op::mkdir::mkdir(&mkdir, active.root(), machine.now())?;
            commit(machine, id, active)
        })
        .await
}

/// Puts a layer on the root.
pub(super) async fn merge(
    machine: &Arc<Machine>,
    id: NodeId,
    merge: MergeOp,
) -> Result<Option<ChangeSet>, NodeError> {
    machine
        .blocking(move |machine| {
            let active = machine.begin(id, merge.root)?;
            op::copy::merge(&machine.tree(merge.layer)?, active.root(), machine.bounds())?;
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
    let (root, cwd, owner) = (run.root, run.cwd.clone(), run.user.clone());
    let active = machine
        .blocking(move |machine| {
            let active = machine.begin(id, root)?;
            // A base image may name a working directory that it does not have.
            let found = active.root().stat(Path::new(&cwd)).map_err(|source| NodeError::Io {
                action: "look for the working directory",
                path: cwd.clone().into(),
                source,
            })?;
            if found.is_none() {
                let mkdir = MkdirOp { root, path: cwd, owner };
                op::mkdir::mkdir(&mkdir, active.root(), machine.now())?;
            }
            Ok(active)
        })
        .await?;
    let exit = command(machine, id, run, active.as_ref()).await?;
    match exit {
        Exit::Code(0) => machine.blocking(move |machine| commit(machine, id, active)).await,
        Exit::Code(status) => {
            let status = u8::try_from(status).unwrap_or(u8::MAX);
            Err(NodeError::Exit { status })
        }
        Exit::Signal(signal) => Err(NodeError::Signal { signal }),
    }
}

/// For a command that failed after sudo had said in its way what is said here.
fn setuid_advice(lacks: LacksSetuid) -> String {
    let why = match lacks {
        LacksSetuid::Landlock => "commands are confined by Landlock",
        LacksSetuid::Proc => "the `/proc` of a chroot wants it so without `CAP_SYS_ADMIN`",
    };
    format!(
        "setuid programs such as `sudo` gain nothing here, as {why}; run the command as root, or \
         with `--isolation-landlock=off`"
    )
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
    let scratch = machine.directory("step", id)?;
    let prepare = {
        let (run, mut env, scratch) = (run.clone(), env, scratch.clone());
        move |machine: &Machine| {
            let mut prepared = Mounts::new(scratch);
            for mount in &run.mounts {
                prepared.add(machine, mount, &mut env)?;
            }
            Ok((prepared, env))
        }
    };
    let (mounts, env) = machine.blocking(prepare).await?;
    let step = Step {
        root: active.root().fd(),
        mount: active.mount()?,
        argv: &run.argv,
        env: &env,
        cwd: &run.cwd,
        user: &run.user,
        mounts: mounts.shown,
        scripts: &run.scripts,
        network: run.network,
        security: run.security,
        hostname: run.hostname.as_deref(),
        hosts: &machine.graph.node(id).origin.hosts,
        limits: &machine.settings.limits,
        scratch: &scratch,
    };
    for place in step.places() {
        active.note(Path::new(place))?;
    }
    let events = machine.events.clone();
    let sandbox = &machine.settings.sandbox;
    let refused = AtomicBool::new(false);
    let output = |stream: Stream, line: String| {
        if sandbox.lacks_setuid().is_some() && line.contains("no new privileges") {
            refused.store(true, Ordering::Relaxed);
        }
        events.output(id, stream, line)
    };
    let result = sandbox.run(step, output, machine.cancel.clone()).await;
    let removed = tokio::task::spawn_blocking(move || {
        let removed = remove::tree(&scratch);
        removed.map_err(|source| NodeError::Io { action: "remove", path: scratch, source })
    });
    let removed = removed.await.map_err(|_| NodeError::Worker)?;
    if machine.cancel.is_cancelled() {
        return Err(NodeError::Cancelled);
    }
    // What the command itself ran into says more than what was left of it.
    let exit = result?;
    if exit != Exit::Code(0)
        && refused.into_inner()
        && let Some(lacks) = sandbox.lacks_setuid()
    {
        machine.events.send(Event::Notice { message: setuid_advice(lacks) });
    }
    removed.map(|()| exit)
}

fn commit(
    machine: &Machine,
    id: NodeId,
    active: Box<dyn Active>,
) -> Result<Option<ChangeSet>, NodeError> {
    let (snapshot, mut changes) = active.commit()?;
    changes.leave_out(&machine.settings.ignored);
    machine.keep(id, Product::Root(snapshot));
    Ok(machine.wants_layer(id).then_some(changes))
}
