//! An image that was built, read back by other people's tools.

use std::cell::OnceCell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::layout::hex;
use crate::tool;

/// What podman needs so that it touches nothing of the machine's: its own storage, and no cgroups,
/// whose layout on the machine the runtime may not know.
const PODMAN: &str = r#"
mount -t tmpfs cgroup /sys/fs/cgroup
cd "$1"; shift
exec podman --root "$PWD/podman/root" --runroot "$PWD/podman/runroot" --storage-driver vfs \
    --cgroup-manager cgroupfs run --rm --quiet --log-driver passthrough --network none --cgroups disabled \
    --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
"#;

/// A copy of an image in an OCI layout.
pub struct Image {
    directory: TempDir,
    root: OnceCell<PathBuf>,
}

/// The manifest of an image in a registry, as the registry has it.
pub fn manifest(reference: &str) -> Value {
    let image = format!("docker://{reference}");
    json(&tool::run("skopeo", ["inspect", "--tls-verify=false", "--raw", &image]))
}

/// The digest of an image in a registry.
pub fn digest(reference: &str) -> String {
    let image = format!("docker://{reference}");
    let format = ["inspect", "--tls-verify=false", "--no-tags", "--format", "{{.Digest}}", &image];
    tool::run("skopeo", format).trim().to_owned()
}

impl Image {
    /// Copies an image from a registry without TLS.
    pub fn pull(reference: &str) -> Self {
        Self::copy(&format!("docker://{reference}"))
    }

    /// Copies an image from what `docker save` writes.
    pub fn of_archive(path: &Path) -> Self {
        Self::copy(&format!("docker-archive:{}", path.display()))
    }

    /// Copies an image from a layout.
    pub fn of_layout(path: &Path) -> Self {
        Self::copy(&format!("oci:{}", path.display()))
    }

    fn copy(from: &str) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let to = format!("oci:{}:image", directory.path().join("layout").display());
        tool::run("skopeo", ["copy", "--quiet", "--src-tls-verify=false", from, &to]);
        let image = Self { directory, root: OnceCell::new() };
        image.validate();
        image
    }

    /// The config file.
    pub fn config(&self) -> Value {
        json(&String::from_utf8(self.blob(&self.manifest()["config"])).expect("JSON is UTF-8"))
    }

    /// Digests of the uncompressed layers, lowest first.
    pub fn diff_ids(&self) -> Vec<String> {
        let config = self.config();
        let diff_ids = config["rootfs"]["diff_ids"].as_array().expect("configs have diff ids");
        diff_ids.iter().map(|id| id.as_str().expect("they are texts").to_owned()).collect()
    }

    /// The uncompressed layers, lowest first.
    pub fn layers(&self) -> Vec<Vec<u8>> {
        let manifest = self.manifest();
        let layers = manifest["layers"].as_array().expect("manifests have layers");
        layers.iter().map(|layer| plain(self.blob(layer))).collect()
    }

    /// The names in the archive of each layer, lowest first.
    pub fn names(&self) -> Vec<Vec<String>> {
        let names = |layer: Vec<u8>| {
            let mut archive = tar::Archive::new(&layer[..]);
            let entries = archive.entries().expect("it was read before").map(|entry| {
                let entry = entry.expect("it was read before");
                String::from_utf8(entry.path_bytes().into_owned()).expect("tests use UTF-8")
            });
            entries.collect()
        };
        self.layers().into_iter().map(names).collect()
    }

    /// Unpacks it with umoci and gives the path of its root. The owners are the image's.
    pub fn unpack(&self) -> &Path {
        self.root.get_or_init(|| {
            let (image, bundle) = (self.path("layout"), self.path("bundle"));
            let image = format!("{}:image", image.display());
            tool::run("umoci", ["unpack", "--image", &image, &bundle.display().to_string()]);
            bundle.join("rootfs")
        })
    }

    /// Runs a command in it with podman; it must succeed. Without a command, the image's own.
    pub fn run(&self, command: &[&str]) -> String {
        let directory = self.directory.path().display().to_string();
        let namespace = ["--mount", "--propagation", "private", "sh", "-euc", PODMAN, "podman"];
        // Relative, as podman takes the path for an image name, which has no upper case.
        let words = namespace.into_iter().chain([directory.as_str(), "oci:layout:image"]);
        tool::run("unshare", words.chain(command.iter().copied()))
    }

    /// Recomputes every digest, size and diff id, and pairs history and layers.
    fn validate(&self) {
        let config = self.config();
        let diff_ids: Vec<String> =
            self.layers().iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
        assert_eq!(self.diff_ids(), diff_ids);
        let history = config["history"].as_array().expect("what kaniko builds has a history");
        let told = history.iter().filter(|entry| entry["empty_layer"] != true).count();
        assert_eq!(told, diff_ids.len(), "{history:?}");
    }

    fn manifest(&self) -> Value {
        let index = fs::read_to_string(self.path("layout/index.json")).expect("skopeo wrote it");
        let manifest = self.blob(&json(&index)["manifests"][0]);
        json(&String::from_utf8(manifest).expect("JSON is UTF-8"))
    }

    fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().expect("descriptors have digests");
        let name = digest.strip_prefix("sha256:").expect("digests are of SHA-256");
        let bytes = fs::read(self.path("layout/blobs/sha256").join(name)).expect("it was copied");
        assert_eq!(hex(&bytes), name);
        assert_eq!(descriptor["size"], bytes.len());
        bytes
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the document is JSON")
}

/// Undoes gzip where there is one; skopeo writes nothing else.
fn plain(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("it is gzip");
    plain
}
