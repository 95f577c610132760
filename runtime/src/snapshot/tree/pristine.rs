//! The root that a tree began as, before any step changed it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::rootdir::RootDir;
use crate::snapshot::{SnapshotError, cannot};

/// Makes a base's directory once more, where nobody changes it.
pub(crate) type Again =
    Box<dyn Fn() -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// Where a root that a tree began as can be read. Cheap to clone.
#[derive(Clone)]
pub(super) enum Pristine {
    /// It was empty.
    Empty,
    /// In the store.
    Kept(Arc<RootDir>),
    /// Nowhere, as a step was given it; but it can be made again.
    Given(Arc<Given>),
}

pub(super) struct Given {
    again: Again,
    made: Mutex<Option<Arc<RootDir>>>,
}

impl Pristine {
    pub(super) fn given(again: Again) -> Self {
        Self::Given(Arc::new(Given { again, made: Mutex::new(None) }))
    }

    /// Whether reading it costs no more than that.
    pub(super) fn is_at_hand(&self) -> bool {
        match self {
            Self::Empty | Self::Kept(_) => true,
            Self::Given(given) => given.made().is_some(),
        }
    }

    /// The root, made again if need be; none if it was empty. Not to be called by a thread of a
    /// pool, which could come to wait for itself.
    pub(super) fn root(&self) -> Result<Option<Arc<RootDir>>, SnapshotError> {
        let given = match self {
            Self::Empty => return Ok(None),
            Self::Kept(root) => return Ok(Some(Arc::clone(root))),
            Self::Given(given) => given,
        };
        let mut made = given.made();
        if let Some(root) = &*made {
            return Ok(Some(Arc::clone(root)));
        }
        let path = (given.again)().map_err(SnapshotError::Again)?;
        let root = Arc::new(RootDir::open(&path).map_err(cannot("open", &path))?);
        *made = Some(Arc::clone(&root));
        Ok(Some(root))
    }
}

impl Given {
    fn made(&self) -> std::sync::MutexGuard<'_, Option<Arc<RootDir>>> {
        self.made.lock().expect("nobody panics while holding the lock")
    }
}

impl fmt::Debug for Pristine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Kept(root) => f.debug_tuple("Kept").field(root).finish(),
            Self::Given(_) => f.write_str("Given"),
        }
    }
}
