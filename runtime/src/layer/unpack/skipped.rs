//! What a file system or the kernel did not take, and was left out: for people to read.

use std::path::Path;

use crate::layer::metadata::RefusedXattr;

/// How many are told one by one: archives have millions of entries.
const TOLD: usize = 100;

/// What was left out of an archive.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// By the entry's place in the archive.
    told: Vec<(u64, String)>,
    more: u64,
}

impl Skipped {
    /// Notes an entry, or something of it.
    pub(super) fn entry(&mut self, number: u64, path: &Path, reason: &str) {
        if self.told.len() < TOLD {
            self.told.push((number, format!("`{}`: {reason}", path.display())));
        } else {
            self.more += 1;
        }
    }

    /// Notes an extended attribute.
    pub(super) fn xattr(&mut self, number: u64, path: &Path, refused: &RefusedXattr) {
        let name = String::from_utf8_lossy(&refused.name).into_owned();
        self.entry(number, path, &format!("attribute `{name}`: {}", refused.reason));
    }

    /// All of it and of another list, in the order of the archive.
    pub(super) fn lines(mut self, other: Self) -> Vec<String> {
        self.told.extend(other.told);
        self.told.sort();
        let more = self.more + other.more + self.told.len().saturating_sub(TOLD) as u64;
        self.told.truncate(TOLD);
        let mut lines: Vec<_> = self.told.into_iter().map(|(_, line)| line).collect();
        if more > 0 {
            lines.push(format!("{more} more"));
        }
        lines
    }
}
