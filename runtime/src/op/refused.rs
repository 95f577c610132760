//! Extended attributes that the file system or the kernel did not take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::layer::metadata::RefusedXattr;

/// What was refused: by attribute and reason the first path in order, as a copy without one
/// attribute is often one without thousands.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    first: Mutex<BTreeMap<(Vec<u8>, String), PathBuf>>,
}

impl Refused {
    /// Notes what a path of the root was not given.
    pub(crate) fn note(&self, path: &Path, refused: Vec<RefusedXattr>) {
        if refused.is_empty() {
            return;
        }
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        for RefusedXattr { name, reason } in refused {
            let noted = first
                .entry((name, std::io::Error::from(reason).to_string()))
                .or_insert_with(|| path.to_owned());
            if path < noted.as_path() {
                path.clone_into(noted);
            }
        }
    }

    /// A line for each, for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = first.iter().map(|((name, reason), path)| {
            let name = name.escape_ascii();
            format!("cannot keep attribute `{name}` of `/{}`: {reason}", path.display())
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn the_first_path_in_order_speaks_for_all() {
        let refused = Refused::default();
        for path in ["b", "a", "c"] {
            let name = b"user.x".to_vec();
            refused.note(Path::new(path), vec![RefusedXattr { name, reason: Errno::OPNOTSUPP }]);
        }
        refused.note(Path::new("0"), Vec::new());
        let lines = refused.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("cannot keep attribute `user.x` of `/a`: "), "{lines:?}");
    }
}
