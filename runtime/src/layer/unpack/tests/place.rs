//! A root that layers come to in a test, each in both ways.

use std::fs;
use std::path::PathBuf;

use super::super::*;
use crate::layer::entry::Entry;
use crate::layer::testing::{archive, run, tree};

/// A root beside a secret.
pub(super) struct Place {
    pub(super) dir: tempfile::TempDir,
    pub(super) root: RootDir,
}

pub(super) fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("root")).unwrap();
    fs::write(dir.path().join("secret"), "outside").unwrap();
    let root = RootDir::open(&dir.path().join("root")).unwrap();
    Place { dir, root }
}

/// What a layer comes to when its files are made ahead of its turn, in a copy of the root.
struct Other {
    unpacked: Result<Unpacked, LayerError>,
    tree: Vec<(Entry, Vec<u8>)>,
}

impl Place {
    pub(super) fn apply(&self, entries: &[(Entry, Vec<u8>)]) -> Result<Unpacked, LayerError> {
        self.apply_blob(&archive(entries))
    }

    pub(super) fn apply_blob(&self, blob: &[u8]) -> Result<Unpacked, LayerError> {
        self.apply_within(blob, UnpackLimits::default())
    }

    pub(super) fn apply_within(
        &self,
        blob: &[u8],
        limits: UnpackLimits,
    ) -> Result<Unpacked, LayerError> {
        let ahead = self.apply_ahead(blob, limits);
        let bounds = Bounds { limits, cancel: &CancellationToken::new() };
        let unpacked = unpack(Coming::Now(start(blob, limits)), &self.root, bounds);
        match (&unpacked, &ahead.unpacked) {
            (Ok(unpacked), Ok(ahead)) => assert_eq!(unpacked, ahead),
            (unpacked, ahead) => assert_eq!(format!("{unpacked:?}"), format!("{ahead:?}")),
        }
        if unpacked.is_ok() {
            assert!(ahead.tree == tree(&self.root), "{:?}", ahead.tree);
        }
        unpacked
    }

    /// Applies a layer to a copy of the root, its files made first.
    fn apply_ahead(&self, blob: &[u8], limits: UnpackLimits) -> Other {
        let path = self.dir.path().join("copy");
        fs::create_dir(&path).unwrap();
        let archived =
            run("tar", &["-c", "--xattrs", "--xattrs-include=*", "."], &self.root_path(), b"");
        run("tar", &["-xp", "--xattrs", "--xattrs-include=*"], &path, &archived);
        let root = RootDir::open(&path).unwrap();
        let aside = self.dir.path().join("aside");
        fs::create_dir(&aside).unwrap();
        let bounds = Bounds { limits, cancel: &CancellationToken::new() };
        let unpacked = Ahead::start(start(blob, limits), aside.clone(), bounds)
            .and_then(|ahead| unpack(Coming::Ahead(ahead), &root, bounds));
        assert!(!aside.exists());
        let tree = if unpacked.is_ok() { tree(&root) } else { Vec::new() };
        fs::remove_dir_all(&path).unwrap();
        Other { unpacked, tree }
    }

    fn root_path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(super) fn add(
        &self,
        blob: &[u8],
        into: &str,
        owner: Option<(u32, u32)>,
    ) -> Result<Vec<String>, LayerError> {
        let limits = UnpackLimits::default();
        let bounds = Bounds { limits, cancel: &CancellationToken::new() };
        unpack_archive(start(blob, limits), &self.root, Path::new(into), owner, bounds)
    }
}

pub(super) fn start(blob: &[u8], limits: UnpackLimits) -> Decompression {
    Decompression::start(io::Cursor::new(blob.to_vec()), limits).unwrap()
}
