//! What `.gitattributes` say about a file's content in a working tree: line ends, encodings, `$Id$`.
//!
//! No filter is configured, so none runs: a file that git-lfs keeps elsewhere stays the pointer that
//! is in the repository.

use std::path::{Path, PathBuf};

use gix_attributes::Search;
use gix_attributes::glob::pattern::Case;
use gix_attributes::search::MetadataCollection;
use gix_filter::Pipeline;
use gix_filter::pipeline::convert::{ToWorktreeOutcome, to_worktree};
use gix_hash::Kind as HashKind;
use gix_transport::bstr::ByteSlice as _;

use super::error::shown;

/// The name of the file that says it.
pub(super) const FILE: &[u8] = b".gitattributes";

/// The attributes of the directories from the top to the one that is being written.
pub(super) struct Attributes {
    search: Search,
    known: MetadataCollection,
    /// Which directories have a list of their own, from the top.
    directories: Vec<PathBuf>,
    pipeline: Pipeline,
}

impl Attributes {
    /// None yet.
    pub(super) fn new() -> Self {
        let mut known = MetadataCollection::default();
        let nothing: [PathBuf; 0] = [];
        let search = Search::new_globals(nothing, &mut Vec::new(), &mut known).unwrap_or_default();
        let options = gix_filter::pipeline::Options::default();
        let pipeline = Pipeline::new(Default::default(), HashKind::Sha1, options);
        Self { search, known, directories: Vec::new(), pipeline }
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
        let file = directory.join(".gitattributes");
        let added = self.search.add_patterns_buffer(
            content,
            file,
            Some(Path::new("")),
            &mut self.known,
            top,
        );
        added.map_err(|error| shown(&error.to_string()))?;
        self.directories.push(directory.to_owned());
        Ok(())
    }

    /// Whether nothing is said about any file here.
    pub(super) fn is_empty(&self) -> bool {
        self.directories.is_empty()
    }

    /// The content that a file has in a working tree.
    pub(super) fn convert<'a>(
        &'a mut self,
        path: &[u8],
        content: &'a [u8],
    ) -> Result<&'a [u8], String> {
        let Self { search, known, pipeline, .. } = self;
        let converted = pipeline.convert_to_worktree(
            content,
            path.as_bstr(),
            &mut |path, found| {
                found.initialize(known);
                search.pattern_matching_relative_path(path, Case::Sensitive, Some(false), found);
            },
            to_worktree::Options::default(),
        );
        match converted.map_err(|error| shown(&error.to_string()))? {
            ToWorktreeOutcome::Unchanged(content) | ToWorktreeOutcome::Buffer(content) => {
                Ok(content)
            }
            ToWorktreeOutcome::Process(_) => Err("it would need a filter".to_owned()),
        }
    }
}
