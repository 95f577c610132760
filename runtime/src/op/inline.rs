//! Files that are given in the Dockerfile itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::op::{InlineFile, InlineOp};
use rustix::fd::AsFd as _;
use rustix::fs::{Mode, OFlags};

use crate::context::source::{Owners, Tree, cleaned};
use crate::layer::entry::Time;
use crate::layer::metadata::set_mtime;
use crate::rootdir::RootDir;

/// A file of the Dockerfile that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct InlineError {
    /// Its name.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes the files into a directory of the caller's, which must live as long as the tree: 0644,
/// as of `now`.
pub(crate) fn inline(op: &InlineOp, scratch: &Path, now: Time) -> Result<Tree, InlineError> {
    let failed = |path: &Path, source| InlineError { path: path.to_owned(), source };
    let root = RootDir::open(scratch).map_err(|source| failed(scratch, source))?;
    for file in &op.files {
        write(&root, file, now).map_err(|source| failed(Path::new(&file.name), source))?;
    }
    Ok(Tree::new(Arc::new(root), Owners::Root, None))
}

fn write(root: &RootDir, file: &InlineFile, now: Time) -> io::Result<()> {
    // Cleaned and beneath the root: a heredoc called `../x` stays inside.
    let path = cleaned(Path::new(&file.name));
    root.create_dir_all(path.parent().unwrap_or(Path::new("")), |_, _| Ok(()))?;
    let (dir, name) = root.parent(&path)?;
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&dir, &name, flags, Mode::from_raw_mode(0o644))?;
    // Not left to the process's umask.
    rustix::fs::fchmod(&fd, Mode::from_raw_mode(0o644))?;
    io::Write::write_all(&mut std::fs::File::from(fd), file.content.as_bytes())?;
    set_mtime(dir.as_fd(), &name, now)
}

#[cfg(test)]
mod tests;
