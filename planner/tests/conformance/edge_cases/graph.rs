//! Our graph in the comparable form.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ir::instruction::{Network, Security};
use ir::op::{CopyOp, CopySource, GitOp, InlineFile, LocalOp, Mode, Mount, RunOp, Sharing};
use ir::{Graph, Node, NodeId, Op, Origin};
use serde_json::{Value, json};

use super::nodes::Nodes;

/// The form of a graph.
pub(super) fn form(graph: &Graph) -> Value {
    let mut reader = Reader { graph, nodes: Nodes::default() };
    let root = reader.node(graph.target().root);
    reader.nodes.form(&root)
}

struct Reader<'a> {
    graph: &'a Graph,
    nodes: Nodes,
}

impl Reader<'_> {
    fn node(&mut self, id: NodeId) -> String {
        let Node { op, origin, key: _ } = self.graph.node(id);
        let form = match op {
            Op::Scratch => json!("scratch"),
            Op::Image(image) => {
                json!({"image": image.reference, "platform": image.platform.to_string()})
            }
            Op::Local(local) => self.local(local),
            Op::Git(git) => git_form(git),
            Op::Http(http) => {
                json!({"http": http.url, "filename": http.filename, "checksum": http.checksum})
            }
            Op::Inline(inline) => {
                let file = |file: &InlineFile| json!([format!("/{}", file.name), file.content]);
                json!({"files": inline.files.iter().map(file).collect::<Vec<_>>()})
            }
            Op::Mkdir(mkdir) => {
                let root = self.node(mkdir.root);
                json!({"directory": mkdir.path, "owner": owner(&mkdir.owner), "root": root})
            }
            Op::Copy(copy) => self.copy(copy),
            Op::Merge(_) => unreachable!("no row has `--link`"),
            Op::Run(run) => self.run(run, origin),
        };
        self.nodes.name(form)
    }

    /// A context with what is needed of it, which BuildKit works out to fetch no more.
    fn local(&self, local: &LocalOp) -> Value {
        let is_it = |id: NodeId| matches!(&self.graph.node(id).op, Op::Local(op) if op == local);
        let taken = self.graph.iter().flat_map(|(_, node)| taken(&node.op));
        let mut needed: BTreeSet<&str> = taken
            .filter(|(from, _)| is_it(*from))
            .map(|(_, path)| path.trim_start_matches('/'))
            .collect();
        // All of it.
        if needed.contains("") {
            needed.clear();
        }
        json!({"local": local.name, "ignore": local.ignore, "needed": needed})
    }

    fn copy(&mut self, copy: &CopyOp) -> Value {
        let root = self.node(copy.root);
        let copies = copy.sources.iter().map(|source| self.source(copy, source));
        json!({"copies": copies.collect::<Vec<_>>(), "root": root})
    }

    fn source(&mut self, copy: &CopyOp, source: &CopySource) -> Value {
        let mode = copy.mode.as_ref().map(|mode| match mode {
            Mode::Octal(bits) => json!(bits),
            Mode::Symbolic(text) => json!(text),
        });
        json!({
            "from": self.node(source.from),
            "pattern": source.path,
            "unpack": source.unpack,
            "destination": copy.destination,
            "owner": owner(copy.owner.as_deref().unwrap_or_default()),
            "mode": mode,
            "exclude": copy.exclude,
            "parents": copy.parents,
        })
    }

    fn run(&mut self, run: &RunOp, origin: &Origin) -> Value {
        let root = self.node(run.root);
        let mounts: Vec<Value> = run.mounts.iter().map(|mount| self.mount(mount)).collect();
        let entry = |(name, value): &(String, String)| format!("{name}={value}");
        let host = |(name, address): &(String, IpAddr)| json!({"Host": name, "IP": address});
        json!({
            "run": run.argv,
            "root": root,
            "cwd": run.cwd,
            "env": run.env.iter().map(entry).collect::<Vec<_>>(),
            "proxy": origin.proxy.iter().map(entry).collect::<Vec<_>>(),
            "user": run.user,
            "mounts": mounts,
            "scripts": run.scripts.iter().map(|script| &script.name).collect::<Vec<_>>(),
            "network": match run.network {
                Network::Default => "DEFAULT",
                Network::None => "NONE",
                Network::Host => "HOST",
            },
            "security": match run.security {
                Security::Sandbox => "SANDBOX",
                Security::Insecure => "INSECURE",
            },
            "hosts": origin.hosts.iter().map(host).collect::<Vec<_>>(),
            "hostname": run.hostname,
        })
    }

    fn mount(&mut self, mount: &Mount) -> Value {
        let from = mount.node().map(|from| self.node(from));
        let mut form = json!({"from": from, "source": "/", "readonly": false});
        let fields = match mount {
            Mount::Bind { target, from: _, source, writable } => {
                json!({"type": "BIND", "target": target, "source": source, "readonly": !writable})
            }
            Mount::Cache { target, id, sharing, from: _, source, readonly, mode, uid, gid } => {
                // BuildKit makes the directory on the way, in a vertex that no row has.
                assert_eq!((*mode, *uid, *gid), (0o755, 0, 0), "no row says how it is made");
                let sharing = match sharing {
                    Sharing::Shared => "SHARED",
                    Sharing::Private => "PRIVATE",
                    Sharing::Locked => "LOCKED",
                };
                json!({"type": "CACHE", "target": target, "id": id, "sharing": sharing,
                    "source": source, "readonly": readonly})
            }
            Mount::Tmpfs { target, size, readonly } => {
                json!({"type": "TMPFS", "target": target, "size": size.unwrap_or(0),
                    "readonly": readonly})
            }
            Mount::Secret { id, target, env, required, mode, uid, gid } => {
                json!({"type": "SECRET", "target": target, "id": id, "env": env, "mode": mode,
                    "required": required, "uid": uid, "gid": gid})
            }
            Mount::Ssh { id, target, required, mode, uid, gid } => {
                json!({"type": "SSH", "target": target, "id": id, "mode": mode,
                    "required": required, "uid": uid, "gid": gid})
            }
        };
        form.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        form
    }
}

fn git_form(git: &GitOp) -> Value {
    json!({
        "git": git.url,
        "reference": git.reference.as_deref().unwrap_or_default(),
        "subdirectory": git.subdirectory,
        "checksum": git.checksum,
        "keep git directory": git.keep_git_dir,
        "submodules": git.submodules,
        "mtime": git.commit_time,
        "fetch by commit": git.fetch_by_commit,
    })
}

/// The paths that an operation takes of other nodes.
fn taken(op: &Op) -> Vec<(NodeId, &str)> {
    match op {
        Op::Copy(copy) => copy.sources.iter().map(|one| (one.from, one.path.as_str())).collect(),
        Op::Run(run) => run.mounts.iter().filter_map(bound).collect(),
        Op::Scratch
        | Op::Image(_)
        | Op::Local(_)
        | Op::Git(_)
        | Op::Http(_)
        | Op::Inline(_)
        | Op::Mkdir(_)
        | Op::Merge(_) => Vec::new(),
    }
}

fn bound(mount: &Mount) -> Option<(NodeId, &str)> {
    match mount {
        Mount::Bind { from, source, .. } => Some((*from, source)),
        Mount::Cache { .. } | Mount::Tmpfs { .. } | Mount::Secret { .. } | Mount::Ssh { .. } => {
            None
        }
    }
}

/// `user[:group]` as BuildKit has it; without a user it is root.
fn owner(text: &str) -> Value {
    let id = |name: &str| match name.parse::<u32>() {
        Ok(id) => json!({"byID": id}),
        Err(_) => json!({"byName": {"name": name}}),
    };
    match text.split_once(':') {
        None if text.is_empty() => Value::Null,
        None => json!({"user": id(text)}),
        Some(("", group)) => json!({"user": {"byID": 0}, "group": id(group)}),
        Some((user, group)) => json!({"user": id(user), "group": id(group)}),
    }
}
