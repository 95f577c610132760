//! What others make of the layers: umoci, GNU tar and our own extraction give the root that the
//! step left.

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::laws::{Op, op, perform};
use super::*;
use crate::CancellationToken;
use crate::layer::testing::run;
use crate::layer::{Bounds, Coming, Decompression, UnpackLimits};

/// Writes an image of layers without compression for others to read.
fn write_layout(to: &Path, layers: &[Vec<u8>]) {
    let blobs = to.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |kind: &str, bytes: &[u8]| -> Value {
        let digest = ir::Digest::from_bytes(Sha256::digest(bytes).into());
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let layers: Vec<Value> = layers.iter().map(|layer| blob("layer.v1.tar", layer)).collect();
    let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = blob("config.v1+json", config.to_string().as_bytes());
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let mut manifest = blob("manifest.v1+json", manifest.to_string().as_bytes());
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "image" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(to.join("index.json"), index.to_string()).unwrap();
    fs::write(to.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// Does with a layer what GNU tar cannot, and lets it do the rest.
fn apply_with_tar(target: &Path, changes: &ChangeSet, archive: &[u8]) {
    let root = RootDir::open(target).unwrap();
    let mut times: BTreeMap<PathBuf, Time> = BTreeMap::new();
    for entry in changes.entries.iter().filter(|entry| !entry.path.as_os_str().is_empty()) {
        let parent = entry.path.parent().unwrap();
        if let Some(stat) = root.lstat(parent).unwrap() {
            times.entry(parent.to_owned()).or_insert(metadata::mtime(&stat));
        }
        let path = target.join(&entry.path);
        let there = path.symlink_metadata();
        let stays = entry.kind == Kind::Directory && there.as_ref().is_ok_and(fs::Metadata::is_dir);
        if there.is_ok() && !stays {
            fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).unwrap();
        } else if stays {
            // It takes what an entry says, and leaves what it does not.
            let (dir, name) = root.parent(&entry.path).unwrap();
            for (name_of, _) in metadata::xattrs_at(dir.as_fd(), &name).unwrap() {
                rustix::fs::removexattr(&path, name_of).unwrap();
            }
        }
    }
    let arguments = [
        "--extract",
        "--file=-",
        "--exclude=.wh.*",
        "--numeric-owner",
        "--same-owner",
        "--same-permissions",
        "--xattrs",
        "--xattrs-include=*",
    ];
    run("tar", &arguments, target, archive);
    for entry in &changes.entries {
        times.remove(&entry.path);
    }
    for (path, time) in times {
        if root.lstat(&path).unwrap().is_some() {
            metadata::set_mtime(CWD.as_fd(), target.join(path).as_os_str(), time).unwrap();
        }
    }
}

/// The layer of a directory as it is.
fn layer_of(bench: &Bench, directory: &Path) -> Vec<u8> {
    let entries = exact(&RootDir::open(directory).unwrap());
    let entries = entries.into_values().map(|(entry, _)| entry).collect();
    let content = Arc::new(RootDir::open(directory).unwrap());
    packed(bench, &ChangeSet { entries, content })
}

/// Makes steps with a snapshotter, and has everyone read what they come to.
fn check(bench: &Bench, snapshotter: &dyn Snapshotter, base: &Path, steps: &[Vec<Op>]) {
    let work = tempfile::tempdir_in(bench.path()).unwrap();
    let [own, tar] = ["own", "tar"].map(|name| work.path().join(name));
    let mut layers = vec![layer_of(bench, base)];
    for directory in [&own, &tar] {
        fs::create_dir(directory).unwrap();
        let target = RootDir::open(directory).unwrap();
        copy::copy_root(&RootDir::open(base).unwrap(), &target).unwrap();
    }
    let mut snapshot = snapshotter.base(base).unwrap();
    for (index, ops) in steps.iter().enumerate() {
        let active = snapshotter.begin(&snapshot, ParentUse::Last).unwrap();
        for op in ops {
            perform(&path_of(active.root()), op, index + 1 == steps.len());
        }
        let (next, changes) = active.commit().unwrap();
        let layer = packed(bench, &changes);
        let (limits, cancel) = (UnpackLimits::default(), CancellationToken::new());
        let blob = Decompression::start(std::io::Cursor::new(layer.clone()), limits).unwrap();
        let bounds = Bounds { limits, cancel: &cancel };
        crate::layer::unpack(Coming::Now(blob), &RootDir::open(&own).unwrap(), bounds).unwrap();
        apply_with_tar(&tar, &changes, &layer);
        layers.push(layer);
        snapshot = next;
    }
    let expected = exact(snapshotter.view(&snapshot).unwrap().root());
    let layout = work.path().join("layout");
    write_layout(&layout, &layers);
    let image = format!("{}:image", layout.display());
    run("umoci", &["unpack", "--image", &image, "bundle"], work.path(), b"");
    for read in [&own, &tar, &work.path().join("bundle/rootfs")] {
        let found = exact(&RootDir::open(read).unwrap());
        let name = snapshotter.name();
        for (path, entry) in &expected {
            assert_eq!(found.get(path), Some(entry), "{name}, {}", read.display());
        }
        assert!(found.keys().eq(expected.keys()), "{name}, {}: {found:?}", read.display());
    }
}

#[test]
fn whoever_reads_the_layers_gets_the_root() {
    let bench = Bench::new();
    let base = bench.base();
    let config = ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() };
    let steps = prop::collection::vec(prop::collection::vec(op(), 10..60), 1..4);
    proptest::test_runner::TestRunner::new(config)
        .run(&steps, |steps| {
            for snapshotter in bench.snapshotters() {
                check(&bench, snapshotter, &base, &steps);
            }
            Ok(())
        })
        .unwrap();
}
