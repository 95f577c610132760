//! Copies between real directories.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::sync::Arc;

use ir::op::Mode;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::context::source::{Owners, local};
use crate::layer::UnpackLimits;
use crate::layer::metadata::set_mtime;

mod archives;
mod kept;

const NOW: Time = Time { seconds: 1_000_000_000, nanoseconds: 7 };
const DATES: Dates = Dates { made: NOW, copied: None };

/// A context and a root to copy into.
struct Scene {
    dir: tempfile::TempDir,
    ignore: Vec<String>,
    owners: Owners,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("context")).unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        Self { dir, ignore: Vec::new(), owners: Owners::Root }
    }

    /// Makes files, directories (`d/`) and links (`l -> t`); all as of 5 seconds.
    fn with(self, place: &str, names: &[&str]) -> Self {
        let place = self.dir.path().join(place);
        for name in names {
            if let Some((link, target)) = name.split_once(" -> ") {
                fs::create_dir_all(place.join(link).parent().unwrap()).unwrap();
                symlink(target, place.join(link)).unwrap();
            } else if name.ends_with('/') {
                fs::create_dir_all(place.join(name)).unwrap();
            } else {
                fs::create_dir_all(place.join(name).parent().unwrap()).unwrap();
                fs::write(place.join(name), format!("content of {name}")).unwrap();
            }
        }
        age(&place);
        self
    }

    fn ignoring(mut self, patterns: &[&str]) -> Self {
        self.ignore = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        self
    }

    fn context(&self, name: &str) -> PathBuf {
        self.dir.path().join("context").join(name)
    }

    fn root(&self, name: &str) -> PathBuf {
        self.dir.path().join("root").join(name)
    }

    fn run(&self, op: &CopyOp) -> Result<Vec<String>, CopyError> {
        let root = RootDir::open(&self.root("")).unwrap();
        let tree = match self.owners {
            Owners::Root => local(&self.context(""), &self.ignore, Path::new("")).unwrap(),
            Owners::Kept => {
                Tree::new(Arc::new(RootDir::open(&self.context("")).unwrap()), Owners::Kept, None)
            }
        };
        let cancel = CancellationToken::new();
        let bounds = Bounds { limits: UnpackLimits::default(), cancel: &cancel };
        copy(op, &root, &|_| tree.clone(), DATES, bounds)
    }

    /// As with `--link`: copies into an empty root, and puts that on the other.
    fn link(&self, sources: &[&str], destination: &str) {
        let layer = self.dir.path().join("layer");
        fs::create_dir(&layer).unwrap();
        let layer = Arc::new(RootDir::open(&layer).unwrap());
        let tree = local(&self.context(""), &self.ignore, Path::new("")).unwrap();
        let cancel = CancellationToken::new();
        let bounds = Bounds { limits: UnpackLimits::default(), cancel: &cancel };
        copy(&op(sources, destination), &layer, &|_| tree.clone(), DATES, bounds).unwrap();
        let root = RootDir::open(&self.root("")).unwrap();
        merge(&Tree::new(layer, Owners::Kept, None), &root, bounds).unwrap();
    }

    fn copy(&self, sources: &[&str], destination: &str) -> Result<Vec<String>, CopyError> {
        self.run(&op(sources, destination))
    }

    /// Everything in the root, sorted: `d/`, `l -> t`, `f` or, if the content is another's,
    /// `f = content`.
    fn listing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.root(""), "", &mut lines);
        lines
    }
}

fn op(sources: &[&str], destination: &str) -> CopyOp {
    let source =
        |path: &&str| CopySource { from: NodeId(0), path: (*path).to_owned(), unpack: false };
    CopyOp::new(NodeId(1), sources.iter().map(source).collect(), destination)
}

fn age(path: &Path) {
    let root = RootDir::open(path).unwrap();
    let mut names = Vec::new();
    list(path, "", &mut names);
    for name in names.iter().rev() {
        let name = name.split(" -> ").next().unwrap().split(" = ").next().unwrap();
        let name = name.trim_end_matches('/');
        set_mtime(root.fd(), OsStr::new(name), Time { seconds: 5, nanoseconds: 6 }).unwrap();
    }
    set_mtime(root.fd(), OsStr::new("."), Time { seconds: 5, nanoseconds: 6 }).unwrap();
}

fn list(dir: &Path, prefix: &str, lines: &mut Vec<String>) {
    use rustix::fd::AsFd as _;
    let root = RootDir::open(dir).unwrap();
    for name in crate::rootdir::names(root.open_dir(Path::new(".")).unwrap().as_fd()).unwrap() {
        let path = dir.join(&name);
        let name = format!("{prefix}{}", name.to_str().unwrap());
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            lines.push(format!("{name}/"));
            list(&path, &format!("{name}/"), lines);
        } else if meta.is_symlink() {
            lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
        } else if meta.is_file() {
            let content = fs::read_to_string(&path).unwrap();
            match content.strip_prefix("content of ") {
                Some(own) if name.ends_with(own) => lines.push(name),
                _ => lines.push(format!("{name} = {content}")),
            }
        } else {
            lines.push(name);
        }
    }
}

#[test]
fn where_sources_go() {
    // Sources, destination, what is in the root, what becomes of it.
    type Case<'a> = (&'a [&'a str], &'a str, &'a [&'a str], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&["f"], "/f", &[], &["f"]),
        (&["f"], "/g", &[], &["g = content of f"]),
        (&["f"], "/a/b/", &[], &["a/", "a/b/", "a/b/f"]),
        (&["f"], "/a/.", &[], &["a/", "a/f"]),
        (&["f"], "/a", &["a/"], &["a/", "a/f"]),
        (&["f"], "/", &[], &["f"]),
        (&["f/"], "/a/../b/", &[], &["b/", "b/f"]),
        (&["f"], "/f", &["f"], &["f"]),
        (&["../../f"], "/f", &[], &["f"]),
        (&["dir"], "/d", &[], &["d/", "d/sub/", "d/sub/deep", "d/x"]),
        (&["dir/"], "/d/", &["d/sub/old"], &["d/", "d/sub/", "d/sub/deep", "d/sub/old", "d/x"]),
        (&["dir/."], "/", &[], &["sub/", "sub/deep", "x"]),
        (&["f", "dir/x"], "/d/", &[], &["d/", "d/f", "d/x"]),
        // No directory, no slash: the last one stays (BuildKit accepts it).
        (&["f", "dir/x"], "/d", &[], &["d = content of dir/x"]),
        (&["*"], "/d/", &[], &["d/", "d/f", "d/lf", "d/sub/", "d/sub/deep", "d/x"]),
        (&["d*/s?b/d*"], "/d/", &[], &["d/", "d/deep"]),
        (&["ld/x"], "/d/", &[], &["d/", "d/x"]),
        // Behind a wildcard no links are followed but that which is the source itself.
        (&["l*/x"], "/d/", &[], &[]),
        (&["l[d]"], "/d/", &[], &["d/", "d/sub/", "d/sub/deep", "d/x"]),
        (&["no*"], "/d/", &[], &[]),
        (&["lf"], "/d/", &[], &["d/", "d/lf"]),
        (&["ld"], "/d/", &[], &["d/", "d/sub/", "d/sub/deep", "d/x"]),
        // Links on the way to the destination are followed, within the root.
        (&["f"], "/l/", &["l -> /real", "real/"], &["l -> /real", "real/", "real/f"]),
        (&["f"], "/l/x/", &["l -> ../../..", "x/"], &["l -> ../../..", "x/", "x/f"]),
        (&["f"], "/l", &["l -> t", "t"], &["l -> t", "t = content of f"]),
        (&["f"], "/l/f", &["l -> new/er"], &["l -> new/er", "new/", "new/er/", "new/er/f"]),
        // A link that the file itself would replace is not.
        (&["f"], "/", &["f -> t", "t"], &["f", "t"]),
        (&["dir"], "/", &["x -> t", "t"], &["sub/", "sub/deep", "t", "x"]),
    ];
    for (sources, destination, before, after) in cases {
        let scene = Scene::new()
            .with("context", &["f", "dir/x", "dir/sub/deep", "lf -> f", "ld -> dir"])
            .with("root", before);
        // Files at the top of the context name themselves by their link, too.
        scene.copy(sources, destination).unwrap();
        let listing: Vec<_> = scene
            .listing()
            .into_iter()
            .map(|line| line.replace("lf = content of f", "lf"))
            .map(|line| line.replace("x = content of dir/x", "x"))
            .map(|line| line.replace("sub/deep = content of dir/sub/deep", "sub/deep"))
            .map(|line| line.replace("deep = content of dir/sub/deep", "deep"))
            .collect();
        assert_eq!(listing, *after, "{sources:?} to {destination} over {before:?}");
    }
}

// rule: copy.in-the-way
#[test]
fn what_cannot_be_copied_is_named() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["no"], "/d/", "cannot copy `/no`: no such file or directory"),
        (&["a/../../no/x"], "/d/", "cannot copy `/no/x`: no such file or directory"),
        (&["dangling"], "/d/", "cannot copy `/dangling`: no such file or directory"),
        (&["secret"], "/d/", "cannot copy `/secret`: `.dockerignore` excludes it"),
        (&["link"], "/d/", "cannot copy `/link`: `.dockerignore` excludes it"),
        (&["hidden/x"], "/d/", "cannot copy `/hidden/x`: `.dockerignore` excludes it"),
        (&["dir"], "/file", "cannot copy directory `/dir` to `/file`, which is no directory"),
        (&["dir"], "/", "cannot copy `/dir/x` to `/x`, which is a directory"),
        (&["up"], "/", "cannot copy directory `/up/file` to `/file`, which is no directory"),
        (&["f"], "/file/f", "cannot write `/file`"),
        (&["f"], "/file/", "cannot write `/file`"),
        (&["f"], "/loop/f", "cannot write `/loop/f`"),
        (
            &["dir"],
            "/to-dir/",
            "cannot copy directory `/dir/sub` to `/x/sub`, which is no directory",
        ),
        (&["[a"], "/", "cannot read pattern `[a`: it has an open `[` or ends in `\\`"),
    ];
    for (sources, destination, message) in cases {
        let names = [
            "f",
            "dir/x",
            "dir/sub/f",
            "secret",
            "link -> secret",
            "hidden/x",
            "dangling -> no",
            "up/file/x",
        ];
        let scene = Scene::new()
            .with("context", &names)
            .with("root", &["file", "x/", "loop -> loop", "x/sub -> /x", "to-dir -> x"])
            .ignoring(&["secret", "hidden"]);
        let error = scene.copy(sources, destination).unwrap_err();
        assert_eq!(error.to_string(), *message);
    }
}

#[test]
fn what_is_ignored_does_not_exist() {
    let scene = Scene::new()
        .with("context", &["a", "b.log", "d/b.log", "d/keep/x", "d/keep/b.log", "e/x", "n/n/x"])
        .ignoring(&["**/*.log", "d", "!d/keep/x", "n", "!n/n/y"]);
    scene.copy(&["."], "/").unwrap();
    assert_eq!(scene.listing(), ["a", "d/", "d/keep/", "d/keep/x", "e/", "e/x"]);

    let scene = Scene::new().with("context", &["a.log", "b"]).ignoring(&["*.log"]);
    scene.copy(&["*"], "/d/").unwrap();
    assert_eq!(scene.listing(), ["d/", "d/b"]);
    scene.copy(&["*.log"], "/e/").unwrap();
    assert_eq!(scene.listing(), ["d/", "d/b"]);
}

#[test]
fn excluded_files_stay_behind() {
    let scene = Scene::new().with("context", &["a.txt", "b.txt", "c", "d/a.txt", "d/c"]);
    let mut op = op(&["."], "/x/");
    op.exclude = ["*.txt", "!a.txt", "/d/c"].map(str::to_owned).to_vec();
    scene.run(&op).unwrap();
    assert_eq!(scene.listing(), ["x/", "x/a.txt", "x/c", "x/d/", "x/d/a.txt"]);

    let scene = Scene::new().with("context", &["hom.txt", "home"]);
    let mut op = self::op(&["hom*"], "/x/");
    op.exclude = vec!["*.txt".to_owned()];
    scene.run(&op).unwrap();
    assert_eq!(scene.listing(), ["x/", "x/home"]);
}

#[test]
fn parents_are_kept_behind_the_pivot() {
    for (sources, expected) in [
        (&["a/b/x"][..], &["d/", "d/a/", "d/a/b/", "d/a/b/x"][..]),
        (&["./a/./b/x"], &["d/", "d/b/", "d/b/x"]),
        (&["a/*/x"], &["d/", "d/a/", "d/a/b/", "d/a/b/x", "d/a/c/", "d/a/c/x"]),
        (&["**/y"], &["d/", "d/a/", "d/a/c/", "d/a/c/y"]),
        (&["a/b"], &["d/", "d/a/", "d/a/b/", "d/a/b/x"]),
        (&["a/*/./x"], &["d/", "d/x = content of a/c/x"]),
    ] {
        let scene = Scene::new().with("context", &["a/b/x", "a/c/x", "a/c/y", "z"]);
        let mut op = op(sources, "/d");
        op.parents = true;
        scene.run(&op).unwrap();
        let listing: Vec<_> = scene
            .listing()
            .into_iter()
            .map(|line| line.replace("b/x = content of a/b/x", "b/x"))
            .collect();
        assert_eq!(listing, expected, "{sources:?}");
    }
    let scene = Scene::new().with("context", &["a/b*/x", "a/b/x"]);
    let mut op = self::op(&["a/b\\*/x"], "/d");
    op.parents = true;
    scene.run(&op).unwrap();
    assert_eq!(scene.listing(), ["d/", "d/a/", "d/a/b*/", "d/a/b*/x"]);
    let scene = Scene::new().with("context", &["a/b/x"]);
    let mut op = self::op(&["a/no"], "/d");
    op.parents = true;
    let error = scene.run(&op).unwrap_err();
    assert_eq!(error.to_string(), "cannot copy `/a/no`: no such file or directory");
}

#[test]
fn layers_of_their_own_do_not_look_at_the_root() {
    for (sources, destination, before, after) in [
        (&["f"][..], "/l/", &["l -> /real", "real/x"][..], &["l/", "l/f", "real/", "real/x"][..]),
        (&["f"], "/a/b/c", &["a"], &["a/", "a/b/", "a/b/c = content of f"]),
        (&["f"], "/d", &["d/old/x"], &["d = content of f"]),
        (&["f"], "/d/", &["d/old"], &["d/", "d/f", "d/old"]),
        (&["dir"], "/", &["sub -> t", "t/"], &["sub/", "sub/x = content of dir/sub/x", "t/"]),
        (&["dir", "f"], "/d", &[], &["d/", "d/f", "d/sub/", "d/sub/x = content of dir/sub/x"]),
    ] {
        let scene = Scene::new().with("context", &["f", "dir/sub/x"]).with("root", before);
        scene.link(sources, destination);
        assert_eq!(scene.listing(), after, "{sources:?} to {destination} over {before:?}");
    }
}

#[test]
fn no_link_leads_out_of_the_root_or_the_context() {
    let scene = Scene::new()
        .with("context", &["f", "out -> ../secret", "abs -> /../../secret"])
        .with("root", &["link -> /../../etc", "up -> ../.."]);
    fs::write(scene.dir.path().join("secret"), "outside").unwrap();
    scene.copy(&["f"], "/link/x").unwrap();
    scene.copy(&["f"], "/up/up/../y/").unwrap();
    assert!(scene.root("etc/x").is_file());
    assert!(scene.root("y/f").is_file() || scene.root("up/y/f").is_file());
    for source in ["out", "abs", "../secret"] {
        assert!(scene.copy(&[source], "/z").is_err(), "{source}");
    }
    assert!(!scene.dir.path().join("etc").exists());
}

#[test]
fn a_cancelled_copy_ends() {
    let scene = Scene::new().with("context", &["d/f"]);
    let root = RootDir::open(&scene.root("")).unwrap();
    let tree = local(&scene.context(""), &[], Path::new("")).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let bounds = Bounds { limits: UnpackLimits::default(), cancel: &cancel };
    let error = copy(&op(&["d"], "/"), &root, &|_| tree.clone(), DATES, bounds).unwrap_err();
    assert!(matches!(error, CopyError::Cancelled));
}
