//! Images made by hand: layers of raw tar entries, which no honest builder would make.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// The machine's architecture as images name it.
pub const ARCHITECTURE: &str = match std::env::consts::ARCH.as_bytes() {
    b"x86_64" => "amd64",
    b"aarch64" => "arm64",
    _ => std::env::consts::ARCH,
};

/// A layer that takes every name as it is: `../x`, `/x`, links to anywhere.
pub struct Layer(tar::Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }
}

impl Layer {
    /// Adds a directory.
    #[must_use]
    pub fn directory(self, name: &str, mode: u32) -> Self {
        self.entry(EntryType::Directory, (name, ""), mode, b"")
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, name: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, (name, ""), mode, content)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, (name, target), 0o777, b"")
    }

    /// Adds another name of a file.
    #[must_use]
    pub fn hardlink(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, (name, target), 0o755, b"")
    }

    fn entry(
        mut self,
        kind: EntryType,
        (name, target): (&str, &str),
        mode: u32,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        // Not through the crate's own functions: they refuse what these tests are about.
        let gnu = header.as_gnu_mut().expect("it was made one");
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).expect("memory can be written");
        self
    }

    /// The tar.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("memory can be written")
    }
}

/// Writes a layout with one image of uncompressed layers, each given as a tar.
///
/// `config` is the image config's `config`.
pub fn write(to: &Path, layers: &[Vec<u8>], config: &Value) {
    let blobs = to.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a test can make a directory");
    let blob = |media_type: &str, bytes: &[u8]| {
        let hex = hex(bytes);
        fs::write(blobs.join(&hex), bytes).expect("the directory is ours");
        json!({ "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len() })
    };
    let document = |kind: &str, value: &Value| {
        let media_type = format!("application/vnd.oci.image.{kind}.v1+json");
        blob(&media_type, value.to_string().as_bytes())
    };
    let layer =
        |tar: &Vec<u8>| blob("application/vnd.oci.image.layer.v1.tar+gzip", &compressed(tar));
    let diff_ids: Vec<String> = layers.iter().map(|tar| format!("sha256:{}", hex(tar))).collect();
    let config = json!({
        "architecture": ARCHITECTURE,
        "config": config,
        "created": "2024-01-01T00:00:00Z",
        "history": layers.iter().map(|_| json!({ "created_by": "by hand" })).collect::<Vec<_>>(),
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": document("config", &config),
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    });
    let index = json!({ "schemaVersion": 2, "manifests": [document("manifest", &manifest)] });
    fs::write(to.join("index.json"), index.to_string()).expect("the directory is ours");
    fs::write(to.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
        .expect("the directory is ours");
}

/// SHA-256 in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
