//! Which of a tree's files a copy takes.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::context::source::Tree;
use ir::pattern::Ignore;
use ir::pattern::Wildcard;

/// What is copied of a tree, and where to.
pub(super) struct Selection<'s> {
    /// The tree.
    pub tree: &'s Tree,
    /// The directory of the tree whose content is copied: the copy's root.
    pub base: PathBuf,
    /// The directory of the root it goes to, which exists.
    pub target: PathBuf,
    /// What is left out, relative to the copy's root.
    pub exclude: &'s Ignore,
    /// What is wanted, relative to the copy's root; none is everything.
    pub wanted: Option<&'s Wildcard>,
}

impl Selection<'_> {
    /// Whether a path, relative to the copy's root, is copied.
    pub(super) fn takes(&self, relative: &Path) -> bool {
        let bytes = relative.as_os_str().as_bytes();
        self.tree.shows(&self.base.join(relative))
            && !self.exclude.excluded(relative)
            && self.wanted.is_none_or(|wanted| wanted.matches_with_parents(bytes))
    }

    /// Whether something below a directory that is not taken itself may be.
    pub(super) fn may_take_below(&self, relative: &Path) -> bool {
        let bytes = relative.as_os_str().as_bytes();
        self.tree.may_show_below(&self.base.join(relative))
            && (!self.exclude.excluded(relative) || self.exclude.may_hold_included(relative))
            && self.wanted.is_none_or(|wanted| {
                wanted.matches_with_parents(bytes) || wanted.may_match_below(bytes)
            })
    }
}
