//! What `.gitattributes` say about a file's content in a working tree: `$Id$`, line ends, encodings.
//!
//! No filter is configured, so none runs: a file that git-lfs keeps elsewhere stays the pointer that
//! is in the repository.

use std::path::{Path, PathBuf};

use gix_attributes::glob::pattern::Case;
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};
use gix_filter::eol::{self, AttributesDigest};
use gix_hash::oid;
use gix_transport::bstr::ByteSlice as _;

use super::encoding;
use super::error::shown;

/// The name of the file that says it.
pub(super) const FILE: &[u8] = b".gitattributes";
/// What is looked for. The old name `crlf` counts where `text` is not spoken of.
const NAMES: [&str; 5] = ["text", "crlf", "eol", "ident", "working-tree-encoding"];

/// The attributes of the directories from the top to the one that is being written.
pub(super) struct Attributes {
    search: Search,
    known: MetadataCollection,
    found: Outcome,
    /// Which directories have a list of their own, from the top.
    directories: Vec<PathBuf>,
}

/// What is to be done with a file's content, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Conversion {
    ident: bool,
    crlf: Option<AttributesDigest>,
    encoding: Option<String>,
}

impl Attributes {
    /// None yet.
    pub(super) fn new() -> Self {
        let mut known = MetadataCollection::default();
        let nothing: [PathBuf; 0] = [];
        let search = Search::new_globals(nothing, &mut Vec::new(), &mut known).unwrap_or_default();
        let mut found = Outcome::default();
        found.initialize_with_selection(&known, NAMES);
        Self { search, known, found, directories: Vec::new() }
    }

    /// Goes to a directory, which is below one of those that were gone to, or below a parent of it.
    pub(super) fn enter(&mut self, directory: &Path) {
        while self.directories.last().is_some_and(|last| !directory.starts_with(last)) {
            self.directories.pop();
            self.search.pop_pattern_list();
        }
    }

    /// Adds what the file of a directory that was just entered says.
    pub(super) fn add(&mut self, directory: &Path, content: &[u8]) -> Result<(), String> {
        let top = directory.as_os_str().is_empty();
        let (file, root) = (directory.join(".gitattributes"), Some(Path::new("")));
        let added = self.search.add_patterns_buffer(content, file, root, &mut self.known, top);
        added.map_err(|error| shown(&error.to_string()))?;
        self.directories.push(directory.to_owned());
        Ok(())
    }

    /// Whether nothing is said about any file here.
    pub(super) fn is_empty(&self) -> bool {
        self.directories.is_empty()
    }

    /// The content that a file has in a working tree. `id` is that of its blob.
    pub(super) fn convert(
        &mut self,
        path: &[u8],
        id: &oid,
        mut content: Vec<u8>,
    ) -> Result<Vec<u8>, String> {
        let Conversion { ident, crlf, encoding } = self.conversion(path);
        if ident {
            content = with_ids(&content, id);
        }
        if let Some(digest) = crlf {
            let mut converted = Vec::new();
            let configuration = eol::Configuration::default();
            let done = eol::convert_to_worktree(&content, digest, &mut converted, configuration);
            if done.map_err(|error| shown(&error.to_string()))? {
                content = converted;
            }
        }
        // As git, which leaves as it is what has no such encoding.
        let encoded = encoding.and_then(|encoding| encoding::encode(&content, &encoding));
        Ok(encoded.unwrap_or(content))
    }

    fn conversion(&mut self, path: &[u8]) -> Conversion {
        let Self { search, known, found, .. } = self;
        found.initialize(known);
        search.pattern_matching_relative_path(path.as_bstr(), Case::Sensitive, Some(false), found);
        let mut states = found.iter_selected().map(|found| found.assignment.state);
        let mut next = || states.next().unwrap_or(StateRef::Unspecified);
        let [text, crlf, eol, ident, encoding] = [next(), next(), next(), next(), next()];
        let value = |state: StateRef<'_>| match state {
            StateRef::Value(value) => Some(value.as_bstr().to_string()),
            StateRef::Set | StateRef::Unset | StateRef::Unspecified => None,
        };
        let text = if text == StateRef::Unspecified { crlf } else { text };
        let wants_crlf = value(eol).as_deref() == Some("crlf") && text != StateRef::Unset;
        let auto = value(text).as_deref() == Some("auto");
        let crlf = wants_crlf.then_some(if auto {
            AttributesDigest::TextAutoCrlf
        } else {
            AttributesDigest::TextCrlf
        });
        Conversion { ident: ident == StateRef::Set, crlf, encoding: value(encoding) }
    }
}

/// Replaces `$Id$`, and what an earlier replacement made of it, by the name of the blob. One that has
/// blanks within is another program's.
fn with_ids(content: &[u8], id: &oid) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find(b"$Id") {
        let (before, after) = rest.split_at(start + 3);
        replaced.extend_from_slice(before);
        rest = after;
        let end = match after.first() {
            Some(b'$') => Some(0),
            Some(b':') => {
                let line = &after[..after.find_byte(b'\n').unwrap_or(after.len())];
                line.find_byte(b'$').filter(|end| {
                    let within = line.get(2..end.saturating_sub(1)).unwrap_or_default();
                    !within.contains(&b' ')
                })
            }
            Some(_) | None => None,
        };
        if let Some(end) = end {
            replaced.extend_from_slice(format!(": {id} $").as_bytes());
            rest = &after[end + 1..];
        }
    }
    replaced.extend_from_slice(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_programs_stay() {
        let id = gix_hash::ObjectId::from_bytes_or_panic(&[0x11; 20]);
        let own = format!("$Id: {id} $");
        for (content, expected) in [
            ("a $Id$ b $Id$", format!("a {own} b {own}")),
            ("$Id: 22 $", own.clone()),
            ("$Id:22$", own.clone()),
            ("$Id: $", own.clone()),
            ("$Id:$", own.clone()),
            ("$Id: a b $", "$Id: a b $".to_owned()),
            ("$Id: a\n$", "$Id: a\n$".to_owned()),
            ("$Idx$ $Id", "$Idx$ $Id".to_owned()),
            ("$$Id$$", format!("${own}$")),
        ] {
            let replaced = String::from_utf8(with_ids(content.as_bytes(), &id)).unwrap();
            assert_eq!(replaced, expected, "{content}");
        }
    }
}
