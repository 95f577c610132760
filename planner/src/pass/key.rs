//! The definition key of each node: a hash over what it does and over its inputs' keys.
//!
//! What goes into a key is described once, as named fields to a [`Sink`]; hashing and explaining
//! are two sinks of the same description.

use std::collections::BTreeMap;

use ir::instruction::{Network, Security};
use ir::op::{CopyOp, GitOp, HttpOp, InlineFile, Mode, Mount, Op, RunOp, Sharing};
use ir::{Digest, Graph, NodeId};
use sha2::{Digest as _, Sha256};

/// Names the form of a key. Changing anything below means changing this.
const VERSION: &str = "kaniko definition 1";

/// One named part of what a key covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// What it is.
    pub name: &'static str,
    /// Its value; inputs are given by their keys.
    pub value: String,
}

/// The parts of a node's definition key, in the order in which they are hashed.
///
/// # Panics
///
/// If the id is of another graph.
pub fn components(graph: &Graph, id: NodeId) -> Vec<Component> {
    let mut list = List(Vec::new());
    describe(&graph.node(id).op, &|input| graph.node(input).key, &mut list);
    list.0
}

/// Sets every node's key and makes nodes of one key one node.
///
/// Afterwards no two nodes have the same key, and inputs still have smaller ids.
pub(crate) fn key(graph: &mut Graph) {
    let mut known: BTreeMap<Digest, NodeId> = BTreeMap::new();
    let mut names: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let mut kept: Vec<ir::Node> = Vec::new();
    for mut node in std::mem::take(&mut graph.nodes) {
        node.op.map_inputs(|input| names[input.index()]);
        node.key = definition(&node.op, &|input| kept[input.index()].key);
        let next = NodeId::from_index(kept.len());
        let id = *known.entry(node.key).or_insert(next);
        if id == next {
            kept.push(node);
        }
        names.push(id);
    }
    graph.nodes = kept;
    for stage in &mut graph.stages {
        stage.root = names[stage.root.index()];
        for node in stage.history.iter_mut().filter_map(|step| step.node.as_mut()) {
            *node = names[node.index()];
        }
    }
}

fn definition(op: &Op, key: &dyn Fn(NodeId) -> Digest) -> Digest {
    let mut hashed = Hashed(Sha256::new());
    describe(op, key, &mut hashed);
    Digest::from_bytes(hashed.0.finalize().into())
}

/// Receives the fields of a key, in order.
trait Sink {
    /// One named field. A list is its elements' fields, one after the other.
    fn field(&mut self, name: &'static str, value: &str);
}

struct Hashed(Sha256);

impl Sink for Hashed {
    /// Frames name and value by length, so that `ab` and `a`, `b` differ.
    fn field(&mut self, name: &'static str, value: &str) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part.as_bytes());
        }
    }
}

struct List(Vec<Component>);

impl Sink for List {
    fn field(&mut self, name: &'static str, value: &str) {
        self.0.push(Component { name, value: value.to_owned() });
    }
}

/// Every variant, every field.
fn describe(op: &Op, key: &dyn Fn(NodeId) -> Digest, sink: &mut dyn Sink) {
    sink.field("version", VERSION);
    match op {
        Op::Scratch => sink.field("op", "scratch"),
        Op::Image(image) => {
            let ir::op::ImageOp { reference, digest, platform } = image;
            sink.field("op", "image");
            match digest {
                // The digest says what the image is; under which name it was found does not
                // matter.
                Some(digest) => sink.field("digest", &digest.to_string()),
                None => sink.field("reference", &reference.to_string()),
            }
            sink.field("platform", &platform.to_string());
        }
        Op::Local(local) => {
            let ir::op::LocalOp { name, ignore } = local;
            sink.field("op", "local");
            sink.field("name", name);
            each(sink, "ignore", ignore);
        }
        Op::Git(git) => describe_git(git, sink),
        Op::Http(http) => {
            let HttpOp { url, filename, checksum } = http;
            sink.field("op", "http");
            sink.field("url", url);
            sink.field("filename", filename);
            optional(sink, "checksum", checksum.map(|checksum| checksum.to_string()).as_deref());
        }
        Op::Inline(inline) => {
            let ir::op::InlineOp { files } = inline;
            sink.field("op", "inline");
            describe_files(files, sink);
        }
        Op::Run(run) => describe_run(run, key, sink),
        Op::Copy(copy) => describe_copy(copy, key, sink),
        Op::Mkdir(mkdir) => {
            let ir::op::MkdirOp { root, path, owner } = mkdir;
            sink.field("op", "mkdir");
            sink.field("root", &key(*root).to_string());
            sink.field("path", path);
            sink.field("owner", owner);
        }
        Op::Merge(merge) => {
            let ir::op::MergeOp { root, layer } = merge;
            sink.field("op", "merge");
            sink.field("root", &key(*root).to_string());
            sink.field("layer", &key(*layer).to_string());
        }
    }
}

fn describe_git(git: &GitOp, sink: &mut dyn Sink) {
    let GitOp {
        url,
        reference,
        subdirectory,
        checksum,
        keep_git_dir,
        submodules,
        commit_time,
        fetch_by_commit,
    } = git;
    sink.field("op", "git");
    sink.field("url", url);
    optional(sink, "reference", reference.as_deref());
    sink.field("subdirectory", subdirectory);
    flag(sink, "keep-git-dir", *keep_git_dir);
    optional(sink, "checksum", checksum.as_deref());
    flag(sink, "submodules", *submodules);
    flag(sink, "commit-time", *commit_time);
    flag(sink, "fetch-by-commit", *fetch_by_commit);
}

fn describe_files(files: &[InlineFile], sink: &mut dyn Sink) {
    for InlineFile { name, content } in files {
        sink.field("file", name);
        sink.field("content", content);
    }
}

fn describe_run(run: &RunOp, key: &dyn Fn(NodeId) -> Digest, sink: &mut dyn Sink) {
    let RunOp { root, argv, env, cwd, user, mounts, scripts, network, security, hostname } = run;
    sink.field("op", "run");
    sink.field("root", &key(*root).to_string());
    each(sink, "argument", argv);
    for (name, value) in env {
        sink.field("env", name);
        sink.field("value", value);
    }
    sink.field("cwd", cwd);
    sink.field("user", user);
    for mount in mounts {
        describe_mount(mount, key, sink);
    }
    describe_files(scripts, sink);
    sink.field(
        "network",
        match network {
            Network::Default => "default",
            Network::None => "none",
            Network::Host => "host",
        },
    );
    sink.field(
        "security",
        match security {
            Security::Sandbox => "sandbox",
            Security::Insecure => "insecure",
        },
    );
    optional(sink, "hostname", hostname.as_deref());
}

fn describe_mount(mount: &Mount, key: &dyn Fn(NodeId) -> Digest, sink: &mut dyn Sink) {
    match mount {
        Mount::Bind { target, from, source, writable } => {
            sink.field("mount", "bind");
            sink.field("target", target);
            sink.field("from", &key(*from).to_string());
            sink.field("source", source);
            flag(sink, "writable", *writable);
        }
        Mount::Cache { target, id, sharing, from, source, mode, uid, gid, readonly } => {
            sink.field("mount", "cache");
            sink.field("target", target);
            sink.field("id", id);
            sink.field(
                "sharing",
                match sharing {
                    Sharing::Shared => "shared",
                    Sharing::Private => "private",
                    Sharing::Locked => "locked",
                },
            );
            optional(sink, "from", from.map(|from| key(from).to_string()).as_deref());
            sink.field("source", source);
            describe_owner(*mode, *uid, *gid, sink);
            flag(sink, "readonly", *readonly);
        }
        Mount::Tmpfs { target, size, readonly } => {
            sink.field("mount", "tmpfs");
            sink.field("target", target);
            optional(sink, "size", size.map(|size| size.to_string()).as_deref());
            flag(sink, "readonly", *readonly);
        }
        Mount::Secret { id, target, env, required, mode, uid, gid } => {
            sink.field("mount", "secret");
            sink.field("id", id);
            optional(sink, "target", target.as_deref());
            optional(sink, "variable", env.as_deref());
            flag(sink, "required", *required);
            describe_owner(*mode, *uid, *gid, sink);
        }
        Mount::Ssh { id, target, required, mode, uid, gid } => {
            sink.field("mount", "ssh");
            sink.field("id", id);
            sink.field("target", target);
            flag(sink, "required", *required);
            describe_owner(*mode, *uid, *gid, sink);
        }
    }
}

fn describe_owner(mode: u32, uid: u32, gid: u32, sink: &mut dyn Sink) {
    sink.field("mode", &format!("{mode:04o}"));
    sink.field("uid", &uid.to_string());
    sink.field("gid", &gid.to_string());
}

fn describe_copy(copy: &CopyOp, key: &dyn Fn(NodeId) -> Digest, sink: &mut dyn Sink) {
    let CopyOp { root, sources, destination, owner, mode, exclude, parents } = copy;
    sink.field("op", "copy");
    sink.field("root", &key(*root).to_string());
    for ir::op::CopySource { from, path, unpack } in sources {
        sink.field("from", &key(*from).to_string());
        sink.field("source", path);
        flag(sink, "unpack", *unpack);
    }
    sink.field("destination", destination);
    optional(sink, "owner", owner.as_deref());
    match mode {
        None => {}
        Some(Mode::Octal(mode)) => sink.field("mode", &format!("{mode:04o}")),
        Some(Mode::Symbolic(mode)) => sink.field("symbolic-mode", mode),
    }
    each(sink, "exclude", exclude);
    flag(sink, "parents", *parents);
}

fn each(sink: &mut dyn Sink, name: &'static str, values: &[String]) {
    for value in values {
        sink.field(name, value);
    }
}

/// A field that is absent differs from an empty one.
fn optional(sink: &mut dyn Sink, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        sink.field(name, value);
    }
}

fn flag(sink: &mut dyn Sink, name: &'static str, value: bool) {
    sink.field(name, if value { "true" } else { "false" });
}

#[cfg(test)]
mod tests;
