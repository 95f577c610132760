//! Paths that are kept out of layers, whatever happens to them.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use ir::pattern::{DoubleStar, PatternError, Wildcard};

use super::ChangeSet;
use crate::context::source::cleaned;
use crate::layer::entry::Kind;

/// Paths, with everything below them, that no layer has: neither what changes there nor what is
/// deleted. Steps see them all the same.
///
/// A component may be a pattern of Go's `filepath.Match` (as with kaniko in Go).
#[derive(Clone, Debug, Default)]
pub struct Ignored(Vec<Wildcard>);

/// Why a path cannot be kept out.
#[derive(Debug, thiserror::Error)]
pub enum IgnoredError {
    /// It is a malformed pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// It leaves nothing to build.
    #[error("cannot ignore `{0}`: it is the whole root")]
    Root(String),
}

impl Ignored {
    /// Reads paths from `/` on, which need not begin with it.
    ///
    /// # Errors
    ///
    /// The first that is the root itself, or a malformed pattern.
    pub fn new(paths: &[String]) -> Result<Self, IgnoredError> {
        let parse = |text: &String| {
            let path = cleaned(Path::new(text));
            match path.to_str() {
                None | Some("") => Err(IgnoredError::Root(text.clone())),
                Some(path) => Ok(Wildcard::parse(path, DoubleStar::Stars)?),
            }
        };
        Ok(Self(paths.iter().map(parse).collect::<Result<_, _>>()?))
    }

    fn covers(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        self.0.iter().any(|pattern| pattern.matches_with_parents(bytes))
    }
}

/// A file with several names whose first one is left out.
struct Orphan {
    size: u64,
    /// The first name that is not.
    heir: Option<PathBuf>,
}

impl ChangeSet {
    /// Leaves out what is ignored. What is left of a file with several names stays one file.
    pub(crate) fn leave_out(&mut self, ignored: &Ignored) {
        if ignored.0.is_empty() {
            return;
        }
        let mut orphans: BTreeMap<PathBuf, Orphan> = BTreeMap::new();
        self.entries.retain_mut(|entry| {
            let stays = !ignored.covers(&entry.path);
            if let (false, Kind::File { size }) = (stays, &entry.kind) {
                orphans.insert(entry.path.clone(), Orphan { size: *size, heir: None });
            }
            if let (true, Kind::Hardlink { target }) = (stays, &entry.kind)
                && let Some(orphan) = orphans.get_mut(target)
            {
                entry.kind = match &orphan.heir {
                    Some(heir) => Kind::Hardlink { target: heir.clone() },
                    None => Kind::File { size: orphan.size },
                };
                orphan.heir.get_or_insert_with(|| entry.path.clone());
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::entry::Entry;
    use crate::layer::testing::entry;
    use crate::rootdir::RootDir;
    use crate::snapshot::tests::lines;

    fn left(ignored: &[&str], entries: &[(&str, Kind)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let content = RootDir::open(dir.path()).unwrap().into();
        let entries = entries.iter().map(|(path, kind)| -> Entry { entry(path, kind.clone()) });
        let mut changes = ChangeSet { entries: entries.collect(), content };
        let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
        changes.leave_out(&Ignored::new(&ignored).unwrap());
        lines(&changes)
    }

    fn file() -> Kind {
        Kind::File { size: 5 }
    }

    fn link(target: &str) -> Kind {
        Kind::Hardlink { target: target.into() }
    }

    #[test]
    fn a_path_covers_what_is_below_it_and_no_more() {
        let entries = [
            ("a", Kind::Directory),
            ("a/b", Kind::Directory),
            ("a/b/c", file()),
            ("a/bc", file()),
            ("x/a/b", file()),
        ];
        let kept = ["dir a", "file a/bc", "file x/a/b"];
        for ignored in ["/a/b", "a/b/", "/a/./x/../b", "/?/b", "/[a-c]/b"] {
            assert_eq!(left(&[ignored], &entries), kept, "{ignored}");
        }
        assert_eq!(left(&["/a/b*"], &entries), ["dir a", "file x/a/b"]);
        assert_eq!(left(&["/*/b"], &entries), kept, "a star ends at a slash");
        assert_eq!(left(&["/a/b/c/d", "/none"], &entries).len(), 5);
        assert_eq!(left(&[], &entries).len(), 5);
        assert_eq!(left(&["/a", "x"], &entries), [""; 0]);
    }

    #[test]
    fn deletions_are_covered_too() {
        let entries = [("a", Kind::Directory), ("a/b", Kind::Whiteout), ("c", Kind::Whiteout)];
        assert_eq!(left(&["/a/b"], &entries), ["dir a", "- c"]);
    }

    #[test]
    fn the_next_name_of_a_file_becomes_the_file() {
        let entries =
            [("a", file()), ("b", link("a")), ("c", file()), ("d", link("a")), ("e", link("c"))];
        assert_eq!(left(&["/a"], &entries), ["file b", "file c", "link d = b", "link e = c"]);
        assert_eq!(left(&["/b"], &entries), ["file a", "file c", "link d = a", "link e = c"]);
        assert_eq!(left(&["/a", "/b", "/c"], &entries), ["file d", "file e"]);
    }

    #[test]
    fn the_root_is_never_ignored() {
        for path in ["", "/", ".", "/a/.."] {
            let error = Ignored::new(&[path.to_owned()]).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot ignore `{path}`: it is the whole root"));
        }
        assert!(Ignored::new(&["/a[".to_owned()]).is_err());
    }
}
