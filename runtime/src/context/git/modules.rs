//! `.gitmodules`: which repository belongs where another one has a link to it.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use gix_config::file::Metadata;

use super::error::shown;

/// A repository within another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// What its directory in `.git/modules` is called.
    pub(super) name: String,
    /// As written; may be relative to that of the repository it is in.
    pub(super) url: String,
    /// Whether it is to stay away (`update = none`).
    pub(super) absent: bool,
}

/// The modules of a repository by their path. What cannot be meant is left out; it is missed when
/// its path is looked up.
pub(super) fn read(text: &[u8]) -> Result<BTreeMap<PathBuf, Module>, String> {
    let file = gix_config::File::from_bytes_no_includes(
        text,
        Metadata::default(),
        gix_config::file::init::Options::default(),
    );
    let file = file.map_err(|error| shown(&error.to_string()))?;
    let mut modules = BTreeMap::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        let name = section.header().subsection_name();
        let (Some(name), Some(path), Some(url)) =
            (name, section.value("path"), section.value("url"))
        else {
            continue;
        };
        let (Ok(name), Ok(url)) = (std::str::from_utf8(name), std::str::from_utf8(&url)) else {
            continue;
        };
        if !is_usable(name) {
            continue;
        }
        let path = Path::new(std::ffi::OsStr::from_bytes(&path)).components().collect();
        let absent = section.value("update").is_some_and(|update| update == "none");
        modules.insert(path, Module { name: name.to_owned(), url: url.to_owned(), absent });
    }
    Ok(modules)
}

/// As git: a name is a path that leads down.
fn is_usable(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('\0')
        && name.split(['/', '\\']).all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_their_path() {
        let text = b"[submodule \"a b\"]\n\tpath = libs/a\n\turl = ../a.git\n\
            [submodule \"../../x\"]\npath = x\nurl = ../x\n\
            [submodule \"none\"]\npath = none\n\
            [other]\npath = y\nurl = z\n";
        let modules = read(text).unwrap();
        assert_eq!(modules.len(), 1);
        let module = &modules[Path::new("libs/a")];
        assert_eq!((module.name.as_str(), module.url.as_str()), ("a b", "../a.git"));
        assert!(read(b"[submodule").is_err());
        assert!(read(b"").unwrap().is_empty());
    }
}
