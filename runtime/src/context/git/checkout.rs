//! Writes the files of a commit into a directory.
//!
//! Every name is taken from a tree of a stranger's. Each is made in the directory that was opened for
//! it, nothing is followed, nothing that exists is written to, and a name that git would read as its
//! own is refused.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use gix_hash::{Kind as HashKind, ObjectId};
use gix_object::tree::EntryKind;
use gix_object::{Kind, TreeRefIter};
use gix_transport::bstr::BStr;
use gix_validate::path::component;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use tokio_util::sync::CancellationToken;

use super::attributes::{self, Attributes};
use super::error::{GitError, shown};
use super::objects::Objects;
use crate::layer::entry::Time;
use crate::layer::metadata::set_mtime;
use crate::rootdir::{RootDir, names, stat_at};

/// The longest path, in bytes, as everywhere in the kernel.
const LONGEST: usize = 4095;

/// Where another repository has to go.
#[derive(Debug)]
pub(super) struct Link {
    /// Within the repository.
    pub(super) path: PathBuf,
    pub(super) commit: ObjectId,
}

/// What a repository is written with.
pub(super) struct CheckOut<'a> {
    pub(super) objects: &'a Objects,
    pub(super) root: &'a RootDir,
    /// For errors.
    pub(super) url: &'a str,
    pub(super) cancel: &'a CancellationToken,
}

/// A file's name and content in a tree.
struct File<'a> {
    name: &'a BStr,
    id: ObjectId,
    kind: EntryKind,
}

impl CheckOut<'_> {
    /// Writes a tree with all that is below it. Directories and executable files are 0755, other
    /// files 0644. Returns where other repositories belong; there are empty directories.
    pub(super) fn tree(&self, tree: ObjectId) -> Result<Vec<Link>, GitError> {
        let mut links = Vec::new();
        let mut attributes = Attributes::new();
        let mut pending = vec![(PathBuf::new(), tree)];
        while let Some((path, tree)) = pending.pop() {
            if self.cancel.is_cancelled() {
                return Err(GitError::Cancelled { url: self.url.to_owned() });
            }
            attributes.enter(&path);
            self.directory(&path, tree, &mut attributes, &mut |link, is_directory| {
                if is_directory { pending.push((link.path, link.commit)) } else { links.push(link) }
            })?;
        }
        Ok(links)
    }

    /// Writes one directory; `below` is told of those in it and of other repositories.
    fn directory(
        &self,
        path: &Path,
        tree: ObjectId,
        attributes: &mut Attributes,
        below: &mut dyn FnMut(Link, bool),
    ) -> Result<(), GitError> {
        let bad = |reason| self.bad(path, reason);
        let mut data = Vec::new();
        self.objects.expect(&tree, Kind::Tree, &mut data).map_err(bad)?;
        let directory = self.root.open_dir(path).map_err(|source| self.failed(path, source))?;
        self.attributes(path, &data, attributes)?;
        for entry in TreeRefIter::from_bytes(&data, HashKind::Sha1) {
            let entry = entry.map_err(|_| bad(format!("the tree {tree} is damaged")))?;
            let (name, kind) = (entry.filename, entry.mode.kind());
            let path = path.join(OsStr::from_bytes(name));
            check(name, kind).map_err(|reason| self.bad(&path, reason))?;
            if path.as_os_str().len() > LONGEST {
                return Err(self.bad(&path, "its path is too long".to_owned()));
            }
            let id = entry.oid.to_owned();
            match kind {
                EntryKind::Tree | EntryKind::Commit => {
                    let name = OsStr::from_bytes(name);
                    make_directory(directory.as_fd(), name)
                        .map_err(|source| self.twice(&path, source))?;
                    below(Link { path, commit: id }, kind == EntryKind::Tree);
                }
                EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                    self.file(directory.as_fd(), &path, &File { name, id, kind }, attributes)?;
                }
            }
        }
        Ok(())
    }

    /// Takes note of the directory's own `.gitattributes`. As git, not of one that is a link.
    fn attributes(
        &self,
        path: &Path,
        tree: &[u8],
        attributes: &mut Attributes,
    ) -> Result<(), GitError> {
        let mut entries = TreeRefIter::from_bytes(tree, HashKind::Sha1).filter_map(Result::ok);
        let file = entries.find(|entry| entry.filename == attributes::FILE && entry.mode.is_blob());
        let Some(file) = file else { return Ok(()) };
        let mut content = Vec::new();
        let added = self.objects.expect(file.oid, Kind::Blob, &mut content);
        let added = added.and_then(|()| attributes.add(path, &content));
        added.map_err(|reason| self.bad(&path.join(".gitattributes"), reason))
    }

    fn file(
        &self,
        directory: BorrowedFd<'_>,
        path: &Path,
        file: &File<'_>,
        attributes: &mut Attributes,
    ) -> Result<(), GitError> {
        let name = OsStr::from_bytes(file.name);
        let write = |content: &[u8]| -> io::Result<()> {
            if file.kind == EntryKind::Link {
                return Ok(rustix::fs::symlinkat(content, directory, name)?);
            }
            create(directory, name, file.kind)?.write_all(content)
        };
        let written = |done: io::Result<()>| done.map_err(|source| self.twice(path, source));
        if attributes.is_empty() && file.kind != EntryKind::Link {
            let content = self.objects.stream(&file.id);
            if let Some(mut content) = content.map_err(|source| self.failed(path, source))? {
                let copied = create(directory, name, file.kind)
                    .and_then(|mut to| io::copy(&mut content, &mut to));
                return written(copied.map(drop));
            }
        }
        let bad = |reason| self.bad(path, reason);
        let mut content = Vec::new();
        self.objects.expect(&file.id, Kind::Blob, &mut content).map_err(bad)?;
        if file.kind == EntryKind::Link && (content.is_empty() || content.contains(&0)) {
            return Err(bad("it is a link to nothing that can be named".to_owned()));
        }
        if attributes.is_empty() || file.kind == EntryKind::Link {
            return written(write(&content));
        }
        let converted = attributes.convert(path.as_os_str().as_bytes(), &file.id, content);
        written(write(&converted.map_err(bad)?))
    }

    fn bad(&self, path: &Path, reason: String) -> GitError {
        let path = shown(&path.to_string_lossy());
        GitError::CheckOut { url: self.url.to_owned(), path, reason }
    }

    /// Why something could not be made: git has no two entries of one name, but a tree may.
    fn twice(&self, path: &Path, source: io::Error) -> GitError {
        if source.kind() == io::ErrorKind::AlreadyExists {
            return self.bad(path, "its tree has two entries of this name".to_owned());
        }
        self.failed(path, source)
    }

    fn failed(&self, path: &Path, source: io::Error) -> GitError {
        if path.as_os_str().is_empty() || source.raw_os_error().is_none() {
            return self.bad(path, shown(&source.to_string()));
        }
        GitError::Write { path: path.to_owned(), source }
    }
}

/// Refuses a name that leads elsewhere, or to git's own directory on any file system.
fn check(name: &BStr, kind: EntryKind) -> Result<(), String> {
    let mode = (kind == EntryKind::Link).then_some(component::Mode::Symlink);
    // Windows is not protected: its devices are names like others here.
    let options =
        component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };
    match gix_validate::path::component(name, mode, options) {
        Ok(_) if !name.contains(&0) => Ok(()),
        Ok(_) => Err("its name has a NUL in it".to_owned()),
        Err(error) => Err(format!("its name cannot be used: {error}")),
    }
}

fn make_directory(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    rustix::fs::mkdirat(directory, name, Mode::from_raw_mode(0o755))?;
    // Whatever the umask is.
    Ok(rustix::fs::chmodat(directory, name, Mode::from_raw_mode(0o755), AtFlags::empty())?)
}

fn create(directory: BorrowedFd<'_>, name: &OsStr, kind: EntryKind) -> io::Result<std::fs::File> {
    let mode = if kind == EntryKind::BlobExecutable { 0o755 } else { 0o644 };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(mode))?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    Ok(file.into())
}

/// Gives everything in a directory, and the directory, a time.
pub(super) fn date(root: &RootDir, time: Time) -> io::Result<()> {
    let mut pending = vec![PathBuf::new()];
    while let Some(path) = pending.pop() {
        let directory = root.open_dir(&path)?;
        for name in names(directory.as_fd())? {
            set_mtime(directory.as_fd(), &name, time)?;
            let mode = stat_at(directory.as_fd(), &name)?.st_mode;
            if rustix::fs::FileType::from_raw_mode(mode) == rustix::fs::FileType::Directory {
                pending.push(path.join(name));
            }
        }
    }
    set_mtime(root.fd(), OsStr::new("."), time)
}
