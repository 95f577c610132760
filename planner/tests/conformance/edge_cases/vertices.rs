//! BuildKit's vertices and edges in the comparable form.
//!
//! Everything they say is either in the form or checked to be what it always is, so that nothing
//! of an answer is left out unseen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::nodes::Nodes;

/// The form of one of `answer.builds`. References in `resolved` are as the Dockerfile has them.
pub(super) fn form(build: &Value, resolved: &BTreeSet<String>) -> Value {
    let vertices = build["vertices"].as_array().unwrap().iter();
    let edges = build["edges"].as_array().unwrap().iter();
    let mut reader = Reader {
        vertices: vertices.map(|vertex| (vertex["id"].as_u64().unwrap(), vertex)).collect(),
        edges: edges
            .map(|edge| ((number(edge, "to"), text(edge, "via")), number(edge, "from")))
            .collect(),
        resolved,
        nodes: Nodes::default(),
    };
    let end = *reader.vertices.iter().find(|(_, vertex)| vertex["kind"] == "return").unwrap().0;
    let root = reader.input(end, "return");
    reader.nodes.form(&root)
}

struct Reader<'a> {
    vertices: BTreeMap<u64, &'a Value>,
    /// Which vertex another one takes, by what it takes it for.
    edges: BTreeMap<(u64, &'a str), u64>,
    resolved: &'a BTreeSet<String>,
    nodes: Nodes,
}

impl Reader<'_> {
    /// The name of what a vertex takes for a purpose; without an edge it is nothing.
    fn input(&mut self, id: u64, via: &str) -> String {
        match self.edges.get(&(id, via)) {
            Some(from) => self.vertex(*from),
            None => self.nodes.name(json!("scratch")),
        }
    }

    fn vertex(&mut self, id: u64) -> String {
        let vertex = self.vertices[&id];
        let node = match text(vertex, "kind") {
            "source" => self.source(vertex),
            "exec" => self.exec(id, vertex),
            "file" => self.file(id, vertex),
            other => panic!("a vertex of the kind {other} has no form yet"),
        };
        self.nodes.name(node)
    }

    fn source(&self, vertex: &Value) -> Value {
        only(vertex, "attrs command id identifier kind lines name platform");
        let identifier = text(vertex, "identifier");
        let (scheme, rest) = identifier.split_once("://").unwrap();
        let attrs = &vertex["attrs"];
        match scheme {
            "docker-image" => {
                assert_eq!(attrs, &Value::Null);
                json!({"image": self.reference(rest), "platform": vertex["platform"]})
            }
            "local" => local(rest, attrs),
            "git" => git(rest, attrs),
            "http" | "https" => {
                only(attrs, "http.filename");
                json!({"http": identifier, "filename": attrs["http.filename"]})
            }
            other => panic!("a source of the kind {other} has no form yet"),
        }
    }

    /// A reference as the Dockerfile has it: without the digest that it was resolved to.
    fn reference<'b>(&self, identifier: &'b str) -> &'b str {
        match identifier.split_once('@') {
            Some((name, _)) if !self.resolved.contains(identifier) => name,
            Some(_) | None => identifier,
        }
    }

    fn exec(&mut self, id: u64, vertex: &Value) -> Value {
        only(
            vertex,
            "args command cwd env extraHosts hostname id kind lines mounts name network platform \
             proxy user",
        );
        let (root, mounts) = vertex["mounts"].as_array().unwrap().split_first().unwrap();
        assert_eq!(root["dest"], "/");
        let root = self.input(id, "mount:/");
        let mounts: Vec<Value> = mounts.iter().map(|mount| self.mount(id, mount)).collect();
        let env = vertex["env"].as_array().unwrap();
        json!({
            "run": vertex["args"],
            "root": root,
            "cwd": vertex["cwd"],
            "env": env,
            "proxy": proxy(&vertex["proxy"], env),
            "user": vertex["user"],
            "mounts": mounts,
            "scripts": [],
            "network": vertex["network"].as_str().unwrap_or("DEFAULT"),
            "security": "SANDBOX",
            "hosts": vertex["extraHosts"].as_array().cloned().unwrap_or_default(),
            "hostname": vertex["hostname"],
        })
    }

    fn mount(&mut self, id: u64, mount: &Value) -> Value {
        let (kind, target) = (text(mount, "type"), text(mount, "dest"));
        only(mount, "cache dest input output readonly secret selector ssh tmpfsSize type");
        let from = (!mount["input"].is_null()).then(|| self.input(id, &format!("mount:{target}")));
        let mut form = json!({"type": kind, "target": target, "from": from});
        form["source"] = json!(mount["selector"].as_str().unwrap_or("/"));
        form["readonly"] = json!(mount["readonly"] == true);
        match kind {
            "BIND" => {}
            "CACHE" => {
                only(&mount["cache"], "id sharing");
                // The namespace of a build's caches, which is empty.
                form["id"] = json!(text(&mount["cache"], "id").strip_prefix('/').unwrap());
                form["sharing"] = mount["cache"]["sharing"].clone();
            }
            "TMPFS" => form["size"] = mount["tmpfsSize"].clone(),
            "SECRET" => {
                only(&mount["secret"], "ID mode optional uid");
                form["id"] = mount["secret"]["ID"].clone();
                owned(&mut form, &mount["secret"]);
            }
            "SSH" => {
                only(&mount["ssh"], "mode optional");
                form["id"] = json!("default");
                owned(&mut form, &mount["ssh"]);
            }
            other => panic!("a mount of the type {other} has no form yet"),
        }
        form
    }

    fn file(&mut self, id: u64, vertex: &Value) -> Value {
        only(vertex, "actions id kind lines name");
        let actions = vertex["actions"].as_array().unwrap();
        match text(&actions[0], "do") {
            "mkfile" => {
                assert_eq!(actions[0]["input"], "scratch");
                json!({"files": actions.iter().map(file).collect::<Vec<_>>()})
            }
            "mkdir" => directory(&self.input(id, "action0:onto"), actions),
            "copy" => {
                let root = self.input(id, "action0:onto");
                let copies = actions.iter().enumerate();
                let copies = copies.map(|(index, action)| {
                    let from = self.input(id, &format!("action{index}:from"));
                    copy(&from, action)
                });
                json!({"copies": copies.collect::<Vec<_>>(), "root": root})
            }
            other => panic!("an action {other} has no form yet"),
        }
    }
}

fn local(name: &str, attrs: &Value) -> Value {
    only(attrs, "local.excludepatterns local.followpaths local.session local.sharedkeyhint");
    let list = |name: &str| -> Value {
        attrs[name].as_str().map_or(json!([]), |list| serde_json::from_str(list).unwrap())
    };
    let ignore = list("local.excludepatterns");
    json!({"local": name, "ignore": ignore, "needed": list("local.followpaths")})
}

fn git(rest: &str, attrs: &Value) -> Value {
    only(attrs, "git.authheadersecret git.authtokensecret git.checksum git.fullurl");
    let fragment = rest.split_once('#').map_or("", |(_, fragment)| fragment);
    let (reference, subdirectory) = fragment.split_once(':').unwrap_or((fragment, ""));
    json!({
        "git": attrs["git.fullurl"],
        "reference": reference,
        "subdirectory": subdirectory,
        "checksum": attrs["git.checksum"],
        "keep git directory": false,
        "submodules": true,
        "mtime": false,
        "fetch by commit": false,
    })
}

/// The proxies that a command sees beyond its environment.
fn proxy(proxy: &Value, env: &[Value]) -> Value {
    let Some(fields) = proxy.as_object() else { return json!([]) };
    only(proxy, "httpProxy");
    let named = fields.values().map(|value| format!("HTTP_PROXY={}", value.as_str().unwrap()));
    named.filter(|entry| !env.contains(&json!(entry))).collect()
}

/// What secrets and sockets have in common.
fn owned(form: &mut Value, file: &Value) {
    form["mode"] = file["mode"].clone();
    form["uid"] = json!(file["uid"].as_u64().unwrap_or(0));
    form["gid"] = json!(file["gid"].as_u64().unwrap_or(0));
    form["required"] = json!(file["optional"] != true);
}

fn file(action: &Value) -> Value {
    assert_eq!((text(action, "do"), text(action, "mode")), ("mkfile", "0644"));
    json!([action["path"], action["data"]])
}

fn directory(root: &str, actions: &[Value]) -> Value {
    let [action] = actions else { panic!("several directories at once have no form yet") };
    let opt = &action["opt"];
    only(opt, "makeParents mode owner path timestamp");
    assert_eq!((&opt["makeParents"], &opt["mode"]), (&json!(true), &json!(0o755)));
    json!({"directory": opt["path"], "owner": opt["owner"], "root": root})
}

fn copy(from: &str, action: &Value) -> Value {
    let opt = &action["opt"];
    let found = ["allowEmptyWildcard", "allowWildcard", "dirCopyContents", "followSymlink"];
    only(
        opt,
        "allowEmptyWildcard allowWildcard attemptUnpackDockerCompatibility createDestPath dest \
         dirCopyContents exclude_patterns followSymlink mode owner src timestamp",
    );
    assert_eq!((&opt["createDestPath"], &opt["timestamp"]), (&json!(true), &json!("-1")));
    let found = found.map(|name| opt[name] == true);
    assert!(found.iter().all(|one| *one == found[0]), "they stand together: {opt}");
    let path = text(opt, "src");
    json!({
        "from": from,
        "pattern": if found[0] { path.to_owned() } else { literal(path) },
        "unpack": opt["attemptUnpackDockerCompatibility"] == true,
        "destination": opt["dest"],
        "owner": opt["owner"],
        "mode": opt["mode"].as_u64(),
        "exclude": opt["exclude_patterns"].as_array().cloned().unwrap_or_default(),
        "parents": false,
    })
}

/// The pattern that matches one path alone.
fn literal(path: &str) -> String {
    let special = ['*', '?', '[', '\\'];
    path.chars().flat_map(|c| special.contains(&c).then_some('\\').into_iter().chain([c])).collect()
}

/// Nothing may be there but what is named, so that nothing is left out unseen.
fn only(value: &Value, names: &str) {
    let known: Vec<&str> = names.split_whitespace().collect();
    let mut found = value.as_object().unwrap().keys();
    let new = found.find(|name| !known.contains(&name.as_str()));
    assert_eq!(new, None, "it has no form yet, in {value}");
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}
