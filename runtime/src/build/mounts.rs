//! What a command sees beside its root: mounts of the graph become mounts of the sandbox.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ir::NodeId;
use ir::op::{CopyOp, CopySource, Mount, Sharing};
use rustix::fd::OwnedFd;

use super::cache_mount::{Base, CacheDirectory, Request};
use super::error::NodeError;
use super::machine::Machine;
use crate::context::source::{Owners, Tree};
use crate::op;
use crate::op::copy::Dates;
use crate::rootdir::RootDir;
use crate::sandbox::StepMount;

/// The mounts of a step, and what must live until it has ended.
pub(super) struct Mounts {
    /// In the order of the Dockerfile.
    pub shown: Vec<StepMount>,
    /// A directory of the step's own.
    scratch: PathBuf,
    trees: Vec<Tree>,
    caches: Vec<CacheDirectory>,
}

impl Mounts {
    /// None yet. What has to be made for them goes into `scratch`.
    pub(super) fn new(scratch: PathBuf) -> Self {
        Self { shown: Vec::new(), scratch, trees: Vec::new(), caches: Vec::new() }
    }

    /// Adds a mount. One that shows nothing (an optional secret that was not given) adds nothing.
    pub(super) fn add(
        &mut self,
        machine: &Machine,
        mount: &Mount,
        env: &mut Vec<(String, String)>,
    ) -> Result<(), NodeError> {
        match mount {
            Mount::Bind { target, from, source, writable } => {
                let tree = machine.tree(*from)?;
                let failed = |error| io_error("read", source.into(), error);
                let from = if tree.hides() || tree.shows_owners(source.as_ref()).map_err(failed)? {
                    self.as_copied(machine, *from, &tree)?
                } else {
                    duplicate(&tree)?
                };
                self.trees.push(tree);
                let (target, source) = (target.clone(), source.clone());
                self.shown.push(StepMount::Bind { target, from, source, writable: *writable });
            }
            Mount::Cache { target, id, sharing, from, source, mode, uid, gid, readonly } => {
                let sharing = match machine.settings.sandbox.isolation() {
                    // There the directory itself is moved into the root of the step.
                    Some(isolation) if !isolation.has_mounts() && *sharing == Sharing::Shared => {
                        Sharing::Locked
                    }
                    _ => *sharing,
                };
                let base = match from {
                    Some(from) => Base::Copied { from: machine.graph.node(*from).key, source },
                    None => Base::Made { mode: *mode, owner: (*uid, *gid) },
                };
                let cache = open_cache(machine, &Request { id, base, sharing }, *from)?;
                let (target, directory) = (target.clone(), cache.path.clone());
                self.caches.push(cache);
                self.shown.push(StepMount::Cache { target, directory, readonly: *readonly });
            }
            Mount::Tmpfs { target, size, readonly } => {
                let (target, size, readonly) = (target.clone(), *size, *readonly);
                self.shown.push(StepMount::Tmpfs { target, size, readonly });
            }
            Mount::Secret { id, target, env: variable, required, mode, uid, gid } => {
                let Some(content) = machine.settings.secrets.get(id) else {
                    return optional(*required, || NodeError::NoSecret { id: id.clone() });
                };
                if let Some(variable) = variable {
                    let text = String::from_utf8_lossy(content).into_owned();
                    env.push((variable.clone(), text));
                }
                self.shown.extend(target.as_ref().map(|target| StepMount::Secret {
                    target: target.clone(),
                    content: content.clone(),
                    mode: *mode,
                    uid: *uid,
                    gid: *gid,
                }));
            }
            Mount::Ssh { id, target, required, mode, uid, gid } => {
                let Some(socket) = machine.settings.agents.get(id) else {
                    return optional(*required, || NodeError::NoAgent { id: id.clone() });
                };
                self.shown.push(StepMount::Ssh {
                    target: target.clone(),
                    socket: socket.clone(),
                    mode: *mode,
                    uid: *uid,
                    gid: *gid,
                });
            }
        }
        Ok(())
    }

    /// A copy of a tree, as a mount would show what the tree hides, and who owns it on this machine.
    fn as_copied(
        &self,
        machine: &Machine,
        from: NodeId,
        tree: &Tree,
    ) -> Result<OwnedFd, NodeError> {
        let path = self.scratch.join(format!("context-{}", self.shown.len()));
        let failed = |error| io_error("make the directory", path.clone(), error);
        std::fs::create_dir(&path).map_err(failed)?;
        let root = RootDir::open(&path).map_err(failed)?;
        copy_all(machine, (from, ""), tree, &root)?;
        root.fd().try_clone_to_owned().map_err(failed)
    }
}

fn optional(required: bool, error: impl FnOnce() -> NodeError) -> Result<(), NodeError> {
    if required { Err(error()) } else { Ok(()) }
}

fn duplicate(tree: &Tree) -> Result<OwnedFd, NodeError> {
    let duplicate = tree.root().fd().try_clone_to_owned();
    duplicate.map_err(|source| io_error("open the root", "/".into(), source))
}

/// Opens a cache directory; a new one may begin as a copy of what is in `from`.
fn open_cache(
    machine: &Machine,
    request: &Request<'_>,
    from: Option<NodeId>,
) -> Result<CacheDirectory, NodeError> {
    let work = machine.settings.store.directory();
    let failed = |error| io_error("open the cache", work.to_owned(), error);
    let fill = |path: &Path| {
        let (Base::Copied { source, .. }, Some(from)) = (request.base, from) else { return Ok(()) };
        let tree = machine.tree(from)?;
        let root = RootDir::open(path).map_err(failed)?;
        copy_all(machine, (from, source), &tree, &root)?;
        let look = |source: &Path| tree.root().stat(source).transpose();
        let Some(stat) = look(Path::new(source)) else { return Ok(()) };
        let stat = stat.map_err(failed)?;
        let owner = if tree.owners() == Owners::Root { (0, 0) } else { (stat.st_uid, stat.st_gid) };
        std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1)).map_err(failed)?;
        let mode = std::fs::Permissions::from_mode(stat.st_mode & 0o7777);
        std::fs::set_permissions(path, mode).map_err(failed)
    };
    request.open(work, &machine.cancel, fill)
}

/// Copies what a directory of a tree holds, and the tree shows, into a root.
fn copy_all(
    machine: &Machine,
    (from, directory): (NodeId, &str),
    tree: &Tree,
    root: &RootDir,
) -> Result<(), NodeError> {
    let source = CopySource { from, path: format!("{directory}/."), unpack: false };
    let copy = CopyOp::new(from, vec![source], "/");
    let source_of = |_| tree.clone();
    let dates = Dates { made: machine.now(), copied: None };
    op::copy::copy(&copy, root, &source_of, dates, machine.bounds())?;
    Ok(())
}

fn io_error(action: &'static str, path: std::path::PathBuf, source: io::Error) -> NodeError {
    NodeError::Io { action, path, source }
}
