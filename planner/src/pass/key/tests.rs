//! What a key covers, and how.

use std::collections::BTreeSet;

use ir::instruction::{Network, Security};
use ir::op::{
    CopyOp, CopySource, GitOp, HttpOp, ImageOp, InlineFile, InlineOp, LocalOp, MergeOp, MkdirOp,
    Mode, Mount, Op, RunOp, Sharing,
};
use ir::{Digest, NodeId};

use super::{Hashed, Sink as _, definition};

/// The key of an operation whose input 0 has one key and every other input another.
fn of(op: &Op) -> Digest {
    definition(op, &|id| Digest::from_bytes([u8::from(id.0 > 0); 32]))
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn run() -> RunOp {
    RunOp {
        root: NodeId(0),
        argv: strings(&["/bin/sh", "-c", "make"]),
        env: vec![("A".into(), "1".into())],
        cwd: "/".into(),
        user: String::new(),
        mounts: Vec::new(),
        scripts: Vec::new(),
        network: Network::Default,
        security: Security::Sandbox,
        hostname: None,
    }
}

fn copy() -> CopyOp {
    let source = CopySource { from: NodeId(0), path: "/a".into(), unpack: false };
    CopyOp::new(NodeId(0), vec![source], "/d")
}

/// Each operation differs from every other in one field at least.
fn operations() -> Vec<Op> {
    let mut all = vec![Op::Scratch];
    all.extend(sources());
    all.extend(mkdirs());
    all.extend(runs().into_iter().map(Op::Run));
    let mounted = |mount| RunOp { mounts: vec![mount], ..run() };
    all.extend(mounts().into_iter().map(mounted).map(Op::Run));
    all.extend(copies().into_iter().map(Op::Copy));
    all
}

fn sources() -> Vec<Op> {
    let reference: ir::ImageRef = "alpine".parse().unwrap();
    let platform: ir::Platform = "linux/amd64".parse().unwrap();
    let image = ImageOp { reference, digest: None, platform };
    let digest = Some(Digest::from_bytes([1; 32]));
    let local = LocalOp { name: "context".into(), ignore: strings(&["a", "b"]) };
    let git = GitOp {
        url: "u".into(),
        reference: None,
        subdirectory: String::new(),
        keep_git_dir: false,
        checksum: None,
        submodules: true,
        commit_time: false,
        fetch_by_commit: false,
    };
    let http = HttpOp { url: "u".into(), filename: "f".into(), checksum: None };
    let file =
        |name: &str, content: &str| InlineFile { name: name.into(), content: content.into() };
    vec![
        Op::Image(ImageOp { reference: "debian".parse().unwrap(), ..image.clone() }),
        Op::Image(ImageOp { digest, ..image.clone() }),
        Op::Image(ImageOp { platform: "linux/arm64".parse().unwrap(), ..image.clone() }),
        Op::Image(image),
        Op::Local(LocalOp { name: "other".into(), ..local.clone() }),
        Op::Local(LocalOp { ignore: strings(&["b", "a"]), ..local.clone() }),
        Op::Local(LocalOp { ignore: strings(&["ab"]), ..local.clone() }),
        Op::Local(local),
        Op::Git(GitOp { url: "v".into(), ..git.clone() }),
        Op::Git(GitOp { reference: Some(String::new()), ..git.clone() }),
        Op::Git(GitOp { subdirectory: "d".into(), ..git.clone() }),
        Op::Git(GitOp { keep_git_dir: true, ..git.clone() }),
        Op::Git(GitOp { checksum: Some("c".into()), ..git.clone() }),
        Op::Git(GitOp { submodules: false, ..git.clone() }),
        Op::Git(GitOp { commit_time: true, ..git.clone() }),
        Op::Git(GitOp { fetch_by_commit: true, ..git.clone() }),
        Op::Git(git),
        Op::Http(HttpOp { url: "v".into(), ..http.clone() }),
        Op::Http(HttpOp { filename: "g".into(), ..http.clone() }),
        Op::Http(HttpOp { checksum: digest, ..http.clone() }),
        Op::Http(http),
        Op::Inline(InlineOp { files: vec![file("ab", "c")] }),
        Op::Inline(InlineOp { files: vec![file("a", "bc")] }),
        Op::Inline(InlineOp { files: vec![file("a", "b"), file("", "c")] }),
    ]
}

fn mkdirs() -> Vec<Op> {
    let mkdir = MkdirOp { root: NodeId(0), path: "/d".into(), owner: String::new() };
    vec![
        Op::Mkdir(MkdirOp { root: NodeId(1), ..mkdir.clone() }),
        Op::Mkdir(MkdirOp { path: "/e".into(), ..mkdir.clone() }),
        Op::Mkdir(MkdirOp { owner: "u".into(), ..mkdir.clone() }),
        Op::Mkdir(mkdir),
        Op::Merge(MergeOp { root: NodeId(0), layer: NodeId(1) }),
        Op::Merge(MergeOp { root: NodeId(1), layer: NodeId(0) }),
        Op::Merge(MergeOp { root: NodeId(0), layer: NodeId(0) }),
    ]
}

fn runs() -> Vec<RunOp> {
    let script = InlineFile { name: "s".into(), content: "#!".into() };
    vec![
        run(),
        RunOp { root: NodeId(1), ..run() },
        RunOp { argv: strings(&["/bin/sh", "-c make"]), ..run() },
        RunOp { env: vec![("A".into(), "2".into())], ..run() },
        RunOp { env: vec![("A1".into(), String::new())], ..run() },
        RunOp { cwd: "/w".into(), ..run() },
        RunOp { user: "u".into(), ..run() },
        RunOp { hostname: Some("h".into()), ..run() },
        RunOp { scripts: vec![script], ..run() },
        RunOp { network: Network::None, ..run() },
        RunOp { network: Network::Host, ..run() },
        RunOp { security: Security::Insecure, ..run() },
    ]
}

fn mounts() -> Vec<Mount> {
    let bind = |from: u32, source: &str, writable: bool| Mount::Bind {
        target: "/t".into(),
        from: NodeId(from),
        source: source.into(),
        writable,
    };
    let cache = |id: &str, sharing: Sharing, from: Option<NodeId>| Mount::Cache {
        target: "/t".into(),
        id: id.into(),
        sharing,
        from,
        source: "/".into(),
        mode: 0o755,
        uid: 0,
        gid: 0,
        readonly: false,
    };
    let secret = |target: Option<&str>, env: Option<&str>, ids: (u32, u32, u32)| Mount::Secret {
        id: "s".into(),
        target: target.map(str::to_owned),
        env: env.map(str::to_owned),
        required: false,
        mode: ids.0,
        uid: ids.1,
        gid: ids.2,
    };
    let ssh = |id: &str, required: bool| Mount::Ssh {
        id: id.into(),
        target: "/t".into(),
        required,
        mode: 0o600,
        uid: 0,
        gid: 0,
    };
    vec![
        bind(0, "/", false),
        bind(1, "/", false),
        bind(0, "/s", false),
        bind(0, "/", true),
        cache("c", Sharing::Shared, None),
        cache("d", Sharing::Shared, None),
        cache("c", Sharing::Private, None),
        cache("c", Sharing::Locked, None),
        cache("c", Sharing::Shared, Some(NodeId(0))),
        Mount::Tmpfs { target: "/t".into(), size: None, readonly: false },
        Mount::Tmpfs { target: "/t".into(), size: None, readonly: true },
        Mount::Tmpfs { target: "/t".into(), size: Some(1), readonly: false },
        Mount::Tmpfs { target: "/u".into(), size: None, readonly: false },
        secret(Some("/t"), None, (0o400, 0, 0)),
        secret(None, Some("/t"), (0o400, 0, 0)),
        secret(Some("/t"), Some("E"), (0o400, 0, 0)),
        secret(Some("/t"), None, (0o440, 0, 0)),
        secret(Some("/t"), None, (0o400, 1, 0)),
        secret(Some("/t"), None, (0o400, 0, 1)),
        ssh("s", false),
        ssh("s", true),
        ssh("t", false),
    ]
}

fn copies() -> Vec<CopyOp> {
    let source = |from: u32, path: &str, unpack: bool| {
        vec![CopySource { from: NodeId(from), path: path.into(), unpack }]
    };
    vec![
        copy(),
        CopyOp { root: NodeId(1), ..copy() },
        CopyOp { sources: source(1, "/a", false), ..copy() },
        CopyOp { sources: source(0, "/b", false), ..copy() },
        CopyOp { sources: source(0, "/a", true), ..copy() },
        CopyOp { destination: "/d/".into(), ..copy() },
        CopyOp { owner: Some("0644".into()), ..copy() },
        CopyOp { mode: Some(Mode::Octal(0o644)), ..copy() },
        CopyOp { mode: Some(Mode::Symbolic("0644".into())), ..copy() },
        CopyOp { exclude: strings(&["a", "b"]), ..copy() },
        CopyOp { exclude: strings(&["ab"]), ..copy() },
        CopyOp { parents: true, ..copy() },
    ]
}

#[test]
fn every_field_changes_the_key() {
    let all = operations();
    let keys: BTreeSet<Digest> = all.iter().map(of).collect();
    assert_eq!(keys.len(), all.len());
}

#[test]
fn a_resolved_image_is_its_digest_whatever_it_was_called() {
    let image = |name: &str| {
        let digest = Some(Digest::from_bytes([1; 32]));
        let platform = "linux/amd64".parse().unwrap();
        Op::Image(ImageOp { reference: name.parse().unwrap(), digest, platform })
    };
    assert_eq!(of(&image("alpine:3")), of(&image("mirror.example/alpine")));
}

#[test]
fn fields_are_framed() {
    use sha2::Digest as _;
    let hash = |fields: &[(&'static str, &str)]| {
        let mut sink = Hashed(sha2::Sha256::new());
        for (name, value) in fields {
            sink.field(name, value);
        }
        sink.0.finalize()
    };
    assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    assert_ne!(hash(&[("a", "b"), ("a", "c")]), hash(&[("a", "bac")]));
    assert_ne!(hash(&[("a", "")]), hash(&[]));
}

/// A change here orphans every cache in the world: raise the version, knowingly.
#[test]
fn the_form_of_a_key_is_pinned() {
    assert_eq!(
        of(&Op::Run(run())).to_string(),
        "sha256:eec72c89d41620c031c46408990a8cee8281ee50ac9f9c7db15c013b91898195"
    );
}
