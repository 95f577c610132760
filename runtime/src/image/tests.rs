//! Images put together from real layers, written out, and read back by other code.
#![expect(clippy::disallowed_methods, reason = "tests run the readers of images")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use ir::config::{ConfigFile, ContainerConfig, HistoryEntry, RootFs};
use ir::graph::{Stage, StageHistory};
use ir::{NodeId, Platform};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::assemble::digest_of;
use super::layout::{LayoutError, LayoutImage};
use super::receipt::{DigestTo, Receipts};
use super::*;
use crate::layer::Compression;
use crate::registry::{Manifest, media_type};
use crate::store::Store;

const GZIP: Compression = Compression::Gzip { level: 6 };
const ZSTD: Compression = Compression::Zstd { level: 3 };

/// 2024-02-29T12:00:00Z
const CREATED: u64 = 1_709_208_000;

struct Bench {
    directory: TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store")).unwrap();
        Self { directory, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A layer with one file.
    fn layer(&self, file: &str, compression: Compression) -> Layer {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(file.len() as u64);
        archive.append_data(&mut header, file, file.as_bytes()).unwrap();
        let plain = archive.into_inner().unwrap();
        let bytes = match compression {
            Compression::None => plain.clone(),
            Compression::Gzip { .. } => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&plain).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd { .. } => zstd::encode_all(&plain[..], 1).unwrap(),
        };
        let path = self.path(&format!("blob-{file}"));
        fs::write(&path, &bytes).unwrap();
        Layer {
            diff_id: DiffId(digest_of(&plain)),
            digest: digest_of(&bytes),
            size: bytes.len() as u64,
            uncompressed: plain.len() as u64,
            compression,
            path,
        }
    }

    /// An image from scratch whose second of three steps changed nothing.
    fn image(&self, compression: Compression) -> Image {
        let layers =
            [(0, "a"), (2, "b")].map(|(node, file)| (NodeId(node), self.layer(file, compression)));
        let stage = stage([Some(0), Some(1), Some(2), None].map(step));
        assemble(&stage, &stage.history, None, &layers.into(), &settings(Format::Inherit)).unwrap()
    }
}

fn settings(format: Format) -> Assembly {
    Assembly { created: CREATED, format }
}

fn step(node: Option<u32>) -> StageHistory {
    let text = node.map_or("CMD".to_owned(), |node| format!("RUN {node}"));
    StageHistory {
        entry: HistoryEntry { created_by: text, ..HistoryEntry::default() },
        node: node.map(NodeId),
    }
}

fn stage(history: impl IntoIterator<Item = StageHistory>) -> Stage {
    let config = ContainerConfig {
        env: vec!["PATH=/bin".to_owned()],
        cmd: Some(vec!["sh".to_owned()]),
        ..ContainerConfig::default()
    };
    Stage {
        name: None,
        index: 0,
        root: NodeId(0),
        config: ConfigFile { config, ..ConfigFile::default() },
        continues: None,
        history: history.into_iter().collect(),
        platform: Platform::linux("x86_64"),
    }
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

/// A base of one layer of gzip that is in a registry, and a stage on it.
fn on_base(manifest_type: &str, layer_type: &str) -> (BaseImage, Stage) {
    let base = BaseImage {
        media_type: manifest_type.to_owned(),
        layers: vec![Descriptor::new(layer_type, digest(1), 11)],
        sources: vec![LayerSource::Base("r.io/base:1".parse().unwrap())],
    };
    let mut stage = stage([step(Some(0))]);
    stage.config.rootfs = RootFs { diff_ids: vec![DiffId(digest(2))], ..RootFs::default() };
    (base, stage)
}

#[test]
fn a_config_says_what_the_stage_and_its_layers_are() {
    let bench = Bench::new();
    let image = bench.image(GZIP);
    let diff_ids: Vec<String> =
        image.layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    let created = "2024-02-29T12:00:00Z";
    assert_eq!(
        value(&image.config_bytes),
        json!({
            "architecture": "amd64",
            "config": { "Cmd": ["sh"], "Env": ["PATH=/bin"] },
            "created": created,
            "history": [
                { "created": created, "created_by": "RUN 0" },
                { "created": created, "created_by": "RUN 1", "empty_layer": true },
                { "created": created, "created_by": "RUN 2" },
                { "created": created, "created_by": "CMD", "empty_layer": true },
            ],
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })
    );
    assert_eq!(
        value(&image.manifest_bytes),
        json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": {
                "mediaType": media_type::OCI_CONFIG,
                "digest": digest_of(&image.config_bytes),
                "size": image.config_bytes.len(),
            },
            "layers": image.layers.iter().map(|layer| json!({
                "mediaType": media_type::OCI_LAYER_GZIP,
                "digest": layer.descriptor.digest,
                "size": layer.descriptor.size,
            })).collect::<Vec<_>>(),
        })
    );
    assert_eq!(image.digest, digest_of(&image.manifest_bytes));
    assert_eq!(image, bench.image(GZIP), "the same input gives the same bytes");
}

#[test]
fn layers_of_the_base_come_first_and_keep_their_place_in_the_history() {
    let bench = Bench::new();
    let (base, mut stage) = on_base(media_type::DOCKER_MANIFEST, media_type::DOCKER_LAYER_GZIP);
    stage.config.extra.insert("container".to_owned(), json!("0123"));
    stage.config.extra.insert("os.version".to_owned(), json!("1"));
    stage.config.config.extra.insert("Hostname".to_owned(), json!("0123"));
    let own = bench.layer("a", GZIP);
    let layers = BTreeMap::from([(NodeId(0), own.clone())]);
    let image =
        assemble(&stage, &stage.history, Some(&base), &layers, &settings(Format::Inherit)).unwrap();

    let config: ConfigFile = serde_json::from_slice(&image.config_bytes).unwrap();
    assert_eq!(config.rootfs.diff_ids, [DiffId(digest(2)), own.diff_id]);
    assert_eq!(config.history.len(), 2, "the base's layer has an entry, too");
    assert_eq!(config.history[1].created_by, "RUN 0");
    assert_eq!(config.extra.keys().collect::<Vec<_>>(), ["os.version"]);
    assert!(config.config.extra.is_empty());
    assert_eq!(image.layers[0].source, base.sources[0]);
    assert_eq!(image.layers[1].source, LayerSource::Blob(own.path));
}

#[test]
fn the_format_decides_all_media_types() {
    let bench = Bench::new();
    let docker = (media_type::DOCKER_MANIFEST, media_type::DOCKER_LAYER_GZIP);
    let oci = (media_type::OCI_MANIFEST, media_type::OCI_LAYER_GZIP);
    for (base, format, compression, manifest, layers) in [
        (docker, Format::Inherit, GZIP, docker.0, [docker.1, docker.1]),
        (oci, Format::Inherit, GZIP, oci.0, [oci.1, oci.1]),
        (docker, Format::Oci, GZIP, oci.0, [oci.1, oci.1]),
        (oci, Format::Docker, GZIP, docker.0, [docker.1, docker.1]),
        (docker, Format::Inherit, ZSTD, oci.0, [oci.1, media_type::OCI_LAYER_ZSTD]),
        (oci, Format::Docker, Compression::None, docker.0, [docker.1, media_type::DOCKER_LAYER]),
    ] {
        let (base, stage) = on_base(base.0, base.1);
        let own = BTreeMap::from([(NodeId(0), bench.layer("a", compression))]);
        let image = assemble(&stage, &stage.history, Some(&base), &own, &settings(format)).unwrap();
        assert_eq!(image.media_type, manifest);
        let types: Vec<&str> =
            image.layers.iter().map(|layer| layer.descriptor.media_type.as_str()).collect();
        assert_eq!(types, layers);
    }

    let (base, stage) = on_base(docker.0, docker.1);
    let own = BTreeMap::from([(NodeId(0), bench.layer("a", ZSTD))]);
    let error =
        assemble(&stage, &stage.history, Some(&base), &own, &settings(Format::Docker)).unwrap_err();
    assert!(matches!(error, ExportError::ZstdInDocker));
}

#[test]
fn a_base_that_contradicts_itself_is_refused() {
    let (base, mut stage) = on_base(media_type::OCI_MANIFEST, media_type::OCI_LAYER_GZIP);
    stage.config.rootfs.diff_ids.clear();
    let error =
        assemble(&stage, &stage.history, Some(&base), &BTreeMap::new(), &settings(Format::Inherit));
    assert!(matches!(error, Err(ExportError::BaseLayers { layers: 1, diff_ids: 0 })));
}

/// Recomputes every digest, size and diff id of a layout.
fn validate(layout: &Path) {
    let read = |descriptor: &Value| {
        let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
        let bytes = fs::read(layout.join("blobs/sha256").join(digest.hex())).unwrap();
        assert_eq!(digest_of(&bytes), digest);
        assert_eq!(descriptor["size"], bytes.len());
        bytes
    };
    let index = value(&fs::read(layout.join("index.json")).unwrap());
    let manifest = value(&read(&index["manifests"][0]));
    let config = value(&read(&manifest["config"]));
    let layers = manifest["layers"].as_array().unwrap();
    let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!(layers.len(), diff_ids.len());
    for (layer, diff_id) in layers.iter().zip(diff_ids) {
        let bytes = read(layer);
        let plain = match layer["mediaType"].as_str().unwrap().rsplit_once('+') {
            Some((_, "gzip")) => {
                let mut plain = Vec::new();
                flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
                plain
            }
            Some((_, "zstd")) => zstd::decode_all(&bytes[..]).unwrap(),
            _ => bytes,
        };
        assert_eq!(diff_id, &digest_of(&plain).to_string());
    }
    let told = config["history"].as_array().unwrap().iter();
    assert_eq!(told.filter(|entry| entry["empty_layer"] != true).count(), layers.len());
}

/// Runs a reader of images, which must like what it reads.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed by this test: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_layout_is_what_the_specification_says() {
    for compression in [Compression::None, GZIP, ZSTD] {
        let bench = Bench::new();
        let (image, to) = (bench.image(compression), bench.path("layout"));
        layout::write(&image, &to, Some("v1"), &bench.store, &CancellationToken::new()).unwrap();
        validate(&to);
        let inspected =
            value(run("skopeo", &["inspect", &format!("oci:{}:v1", to.display())]).as_bytes());
        assert_eq!(inspected["Digest"], image.digest.to_string());
    }
}

#[test]
fn a_layout_is_unpacked_by_umoci() {
    let bench = Bench::new();
    let (image, to) = (bench.image(GZIP), bench.path("layout"));
    layout::write(&image, &to, Some("v1"), &bench.store, &CancellationToken::new()).unwrap();
    let bundle = bench.path("bundle");
    let image = format!("{}:v1", to.display());
    run("umoci", &["unpack", "--rootless", "--image", &image, bundle.to_str().unwrap()]);
    assert_eq!(fs::read(bundle.join("rootfs/a")).unwrap(), b"a");
    assert_eq!(fs::read(bundle.join("rootfs/b")).unwrap(), b"b");
}

#[test]
fn a_layout_written_again_names_the_new_image_only() {
    let bench = Bench::new();
    let to = bench.path("layout");
    layout::write(&bench.image(GZIP), &to, None, &bench.store, &CancellationToken::new()).unwrap();
    let image = bench.image(ZSTD);
    layout::write(&image, &to, None, &bench.store, &CancellationToken::new()).unwrap();
    validate(&to);
    let platform = Platform::linux("x86_64");
    assert_eq!(LayoutImage::open(&to, None, &platform).unwrap().digest, image.digest);
    let names = run("find", &[to.to_str().unwrap(), "-name", ".*"]);
    assert_eq!(names, "", "nothing half-written stays");
}

#[test]
fn an_archive_is_read_by_skopeo() {
    let bench = Bench::new();
    let (image, to) = (bench.image(GZIP), bench.path("image.tar"));
    let names = ["r.io/x:1".parse().unwrap(), "r.io/x:2".parse().unwrap()];
    archive::write(&image, &to, &names, &bench.store, &CancellationToken::new()).unwrap();
    for name in ["r.io/x:1", "r.io/x:2"] {
        let from = format!("docker-archive:{}:{name}", to.display());
        let config = run("skopeo", &["inspect", "--config", "--raw", &from]);
        assert_eq!(value(config.as_bytes()), value(&image.config_bytes));
    }
    // A copy into a layout unpacks the layers and compares them with the diff ids.
    let layout = bench.path("copied");
    let from = format!("docker-archive:{}:r.io/x:1", to.display());
    run("skopeo", &["copy", "--quiet", &from, &format!("oci:{}:x", layout.display())]);
    validate(&layout);
}

#[test]
fn an_archive_holds_a_repeated_layer_once() {
    let bench = Bench::new();
    let layer = bench.layer("a", GZIP);
    let layers = BTreeMap::from([(NodeId(0), layer.clone()), (NodeId(1), layer)]);
    let stage = stage([step(Some(0)), step(Some(1))]);
    let image =
        assemble(&stage, &stage.history, None, &layers, &settings(Format::Inherit)).unwrap();
    let to = bench.path("image.tar");
    archive::write(&image, &to, &[], &bench.store, &CancellationToken::new()).unwrap();
    let mut archive = tar::Archive::new(fs::File::open(&to).unwrap());
    let names: Vec<PathBuf> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().into_owned())
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(names.len(), 3);
}

#[test]
fn a_damaged_layer_leaves_what_was_there_before() {
    let bench = Bench::new();
    let image = bench.image(GZIP);
    let LayerSource::Blob(blob) = &image.layers[1].source else { panic!("it is a file") };
    let mut bytes = fs::read(blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(blob, bytes).unwrap();

    let to = bench.path("image.tar");
    fs::write(&to, "before").unwrap();
    let error =
        archive::write(&image, &to, &[], &bench.store, &CancellationToken::new()).unwrap_err();
    assert!(error.to_string().contains("image.tar"), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&image.layers[1].descriptor.digest.to_string()), "{cause}");
    assert_eq!(fs::read(&to).unwrap(), b"before");
    assert!(
        layout::write(&image, &bench.path("layout"), None, &bench.store, &CancellationToken::new())
            .is_err()
    );
    assert!(!bench.path("layout/index.json").exists());
}

#[test]
fn an_image_of_a_layout_is_found_and_can_be_built_on() {
    for compression in [Compression::None, GZIP, ZSTD] {
        let bench = Bench::new();
        let (image, to) = (bench.image(compression), bench.path("layout"));
        layout::write(&image, &to, Some("v1"), &bench.store, &CancellationToken::new()).unwrap();
        let platform = Platform::linux("x86_64");
        let by_digest = image.digest.to_string();
        for name in [None, Some("v1"), Some(by_digest.as_str())] {
            let found = LayoutImage::open(&to, name, &platform).unwrap();
            assert_eq!(found.digest, image.digest);
            assert_eq!(found.config_bytes, image.config_bytes);
            let mut stage = stage([]);
            stage.config = found.config.clone();
            let built = assemble(
                &stage,
                &stage.history,
                Some(&found.base()),
                &BTreeMap::new(),
                &settings(Format::Inherit),
            );
            let files: Vec<_> = built.unwrap().layers.into_iter().map(|l| l.source).collect();
            let blob =
                |digest: Digest| LayerSource::Blob(to.join("blobs/sha256").join(digest.hex()));
            let expected: Vec<_> =
                image.layers.iter().map(|layer| blob(layer.descriptor.digest)).collect();
            assert_eq!(files, expected);
            for (layer, source) in found.manifest.layers.iter().zip(&files) {
                let LayerSource::Blob(path) = source else { panic!("a layout has files") };
                assert_eq!(digest_of(&fs::read(path).unwrap()), layer.digest);
            }
        }
        let error = LayoutImage::open(&to, Some("v2"), &platform).unwrap_err();
        assert!(
            matches!(&error, LayoutError::NoSuchName { available, .. } if available == &["v1"])
        );
        let error = LayoutImage::open(&to, None, &Platform::linux("s390x")).unwrap_err();
        assert!(error.to_string().contains("linux/amd64"), "{error}");
    }
}

#[test]
fn a_layout_with_other_bytes_is_refused() {
    let platform = Platform::linux("x86_64");
    let damage = |which: fn(&Manifest, Digest) -> Digest| {
        let bench = Bench::new();
        let (image, to) = (bench.image(GZIP), bench.path("layout"));
        layout::write(&image, &to, None, &bench.store, &CancellationToken::new()).unwrap();
        let found = LayoutImage::open(&to, None, &platform).unwrap();
        let blob = to.join("blobs/sha256").join(which(&found.manifest, found.digest).hex());
        let mut bytes = fs::read(&blob).unwrap();
        bytes[0] ^= 1;
        fs::write(blob, bytes).unwrap();
        LayoutImage::open(&to, None, &platform).unwrap_err()
    };
    for which in [(|_, manifest| manifest) as fn(&Manifest, Digest) -> Digest, |manifest, _| {
        manifest.config.digest
    }] {
        let error = damage(which);
        assert!(matches!(error, LayoutError::Read { .. }), "{error}");
    }
}

#[test]
fn an_index_of_several_platforms_gives_the_one_asked_for() {
    let bench = Bench::new();
    let to = bench.path("layout");
    let mut descriptors = Vec::new();
    for architecture in ["x86_64", "aarch64"] {
        let mut stage = stage([step(Some(0))]);
        stage.platform = Platform::linux(architecture);
        let layers = BTreeMap::from([(NodeId(0), bench.layer("a", GZIP))]);
        let image =
            assemble(&stage, &stage.history, None, &layers, &settings(Format::Inherit)).unwrap();
        layout::write(&image, &to, None, &bench.store, &CancellationToken::new()).unwrap();
        descriptors.push(Descriptor::new(
            &image.media_type,
            image.digest,
            image.manifest_bytes.len() as u64,
        ));
    }
    let inner =
        serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": descriptors })).unwrap();
    let outer = Descriptor::new(media_type::OCI_INDEX, digest_of(&inner), inner.len() as u64);
    fs::write(to.join("blobs/sha256").join(outer.digest.hex()), &inner).unwrap();
    let index = json!({ "schemaVersion": 2, "manifests": [outer] });
    fs::write(to.join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
    for (architecture, expected) in [("x86_64", 0), ("aarch64", 1)] {
        let found = LayoutImage::open(&to, None, &Platform::linux(architecture)).unwrap();
        assert_eq!(found.digest, descriptors[expected].digest);
    }
}

#[test]
fn a_digest_file_has_no_line_end_and_may_be_a_device() {
    let bench = Bench::new();
    let path = bench.path("a/b/digest");
    let to = |path: &Path| Receipts {
        digest: Some(DigestTo::File(path.to_owned())),
        ..Receipts::default()
    };
    to(&path).write(&digest(0xab), &[]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("sha256:{}", "ab".repeat(32)));
    to(Path::new("/dev/null")).write(&digest(0xab), &[]).unwrap();
    assert!(!Path::new("/dev/null").is_file());
}
