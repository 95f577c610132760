//! Trees of git repositories: a commit is fetched, and its files are written as git would.
//!
//! The library that this is made of (gix) does the protocol, the packs and the attributes. What it is
//! not asked for: configuration of this machine, credential helpers, hooks, filters. So nothing that
//! a repository says can start a program here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::op::GitOp;
use rustix::fs::{Mode, OFlags};

use super::source::{Owners, Tree, cleaned};
use crate::layer::entry::Time;
use crate::remove;
use crate::rootdir::{RootDir, is_missing};
use checkout::{CheckOut, Link};
use fetch::{Fetched, Wanted, fetch};
use keep::Kept;
use modules::Module;
use remote::Remote;

pub(crate) use access::Access;
pub use error::GitError;
pub(crate) use fetch::Surroundings;
pub(crate) use reference::References;

mod access;
mod attributes;
mod checkout;
mod encoding;
mod error;
mod fetch;
mod http;
mod keep;
mod line;
mod modules;
mod objects;
mod reference;
mod remote;
mod transport;

/// How deep repositories may be within repositories.
const DEEPEST: usize = 16;
/// How many repositories there may be in all.
const MOST: usize = 1000;

/// Fetches a commit and writes its files below a directory of the caller's, which must live as long
/// as the tree. Files are as of `now`, or of the commit if that is asked for.
///
/// Blocks.
pub(crate) fn tree(
    git: &GitOp,
    access: &Access<'_>,
    surroundings: &Surroundings,
    scratch: &Path,
    now: Time,
) -> Result<Tree, GitError> {
    let first = Remote::parse(&git.url)?;
    let files = scratch.join("files");
    keep::make_all(&files, Path::new(""))?;
    let failed = |source| GitError::Write { path: files.clone(), source };
    let root = RootDir::open(&files).map_err(failed)?;
    let subdirectory = cleaned(Path::new(&git.subdirectory));
    // As BuildKit: of a part of a repository there is no repository.
    let keep = git.keep_git_dir && subdirectory.as_os_str().is_empty();
    let wanted = Wanted {
        reference: git.reference.as_deref(),
        checksum: git.checksum.as_deref(),
        by_commit: git.fetch_by_commit,
    };
    let packs = scratch.join("packs");
    let mut writer =
        Writer { first: &first, access, surroundings, files: &files, packs: &packs, keep };
    let time = writer.all(&wanted, git.submodules)?;
    let seconds = if git.commit_time { time } else { now.seconds };
    let nanoseconds = if git.commit_time { 0 } else { now.nanoseconds };
    checkout::date(&root, Time { seconds, nanoseconds }).map_err(failed)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let part = root.open_at(&subdirectory, flags, Mode::empty()).map_err(|source| {
        if is_missing(&source) {
            let path = error::shown(&git.subdirectory);
            return GitError::NoDirectory { url: first.shown(), path };
        }
        failed(source)
    })?;
    Ok(Tree::new(Arc::new(RootDir::from_fd(part)), Owners::Root, None))
}

/// Writes a repository with all that are within it.
struct Writer<'a> {
    first: &'a Remote,
    access: &'a Access<'a>,
    surroundings: &'a Surroundings,
    /// Where the files go.
    files: &'a Path,
    /// Where packs are until the files are written.
    packs: &'a Path,
    /// Whether each repository stays one.
    keep: bool,
}

/// A repository that is to be written.
struct Job {
    remote: Remote,
    /// Where, within the first one.
    path: PathBuf,
    /// Where its own directory is, within the first one.
    git: PathBuf,
    commit: String,
    depth: usize,
}

impl Writer<'_> {
    /// Returns the time of the commit, in seconds since 1970.
    fn all(&mut self, wanted: &Wanted<'_>, submodules: bool) -> Result<i64, GitError> {
        let first = Job {
            remote: self.first.clone(),
            path: PathBuf::new(),
            git: PathBuf::from(".git"),
            commit: String::new(),
            depth: 0,
        };
        let mut pending = Vec::new();
        let time = self.one(&first, wanted, submodules, &mut pending)?;
        let mut count = 0;
        while let Some(job) = pending.pop() {
            let wanted = Wanted { reference: Some(&job.commit), ..Wanted::default() };
            count += 1;
            let written = if job.depth > DEEPEST || count > MOST {
                Err(job.bad("there are too many repositories within repositories"))
            } else {
                self.one(&job, &wanted, submodules, &mut pending)
            };
            written.map_err(|source| {
                if let GitError::Cancelled { .. } = source {
                    return source;
                }
                let path = error::shown(&job.path.to_string_lossy());
                GitError::Submodule { path, source: Box::new(source) }
            })?;
        }
        Ok(time)
    }

    fn one(
        &self,
        job: &Job,
        wanted: &Wanted<'_>,
        submodules: bool,
        pending: &mut Vec<Job>,
    ) -> Result<i64, GitError> {
        keep::make_all(self.packs, Path::new(""))?;
        let remotes = (&job.remote, self.first);
        let fetched = fetch(remotes, wanted, self.access, self.surroundings, self.packs)?;
        let directory = self.files.join(&job.path);
        let failed = |source| GitError::Write { path: directory.clone(), source };
        let root = RootDir::open(&directory).map_err(failed)?;
        let url = job.remote.shown();
        let cancel = &self.surroundings.cancel;
        let check_out = CheckOut { objects: &fetched.objects, root: &root, url: &url, cancel };
        let links = check_out.tree(fetched.commit.tree)?;
        let within = if submodules { job.within(&root, &links)? } else { Vec::new() };
        if self.keep {
            let modules: Vec<_> =
                within.iter().map(|(name, job)| (name.clone(), job.remote.text())).collect();
            self.keep(job, &fetched, &modules)?;
        }
        pending.extend(within.into_iter().map(|(_, job)| job));
        drop(fetched.objects);
        remove::tree(self.packs).map_err(failed)?;
        Ok(fetched.commit.time)
    }

    /// Makes the files of a job a repository.
    fn keep(
        &self,
        job: &Job,
        fetched: &Fetched,
        modules: &[(String, String)],
    ) -> Result<(), GitError> {
        let up = |path: &Path| path.components().map(|_| "..").collect::<PathBuf>();
        let directory = self.files.join(&job.git);
        let is_within = job.depth > 0;
        let files = is_within.then(|| up(&job.git).join(&job.path));
        if directory.exists() {
            return Err(job.bad("its name is also within that of another"));
        }
        if is_within {
            keep::make_all(self.files, &job.git)?;
            let file = self.files.join(&job.path).join(".git");
            let text = format!("gitdir: {}\n", up(&job.path).join(&job.git).display());
            let written = fs::File::create_new(&file).and_then(|mut file| {
                file.set_permissions(fs::Permissions::from_mode(0o644))?;
                file.write_all(text.as_bytes())
            });
            written.map_err(|source| GitError::Write { path: file, source })?;
        }
        let (remote, files) = (&job.remote, files.as_deref());
        keep::write(&directory, &Kept { fetched, remote, files, modules })
    }
}

impl Job {
    /// The repositories within this one, by their names.
    fn within(&self, root: &RootDir, links: &[Link]) -> Result<Vec<(String, Job)>, GitError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let modules = self.modules(root)?;
        let mut within = Vec::new();
        for Link { path, commit } in links {
            let Some(Module { name, url, absent }) = modules.get(path) else {
                let path = error::shown(&path.to_string_lossy());
                let source = self.bad("`.gitmodules` does not say where it is");
                return Err(GitError::Submodule { path, source: Box::new(source) });
            };
            if *absent {
                continue;
            }
            let path = self.path.join(path);
            let remote = self.remote.submodule(url).map_err(|source| {
                let path = error::shown(&path.to_string_lossy());
                GitError::Submodule { path, source: Box::new(source) }
            })?;
            let git = self.git.join("modules").join(name);
            let commit = commit.to_string();
            within.push((name.clone(), Job { remote, path, git, commit, depth: self.depth + 1 }));
        }
        Ok(within)
    }

    /// What the repository says about those within it.
    fn modules(&self, root: &RootDir) -> Result<BTreeMap<PathBuf, Module>, GitError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let text = match root.open_at(Path::new(".gitmodules"), flags, Mode::empty()) {
            Ok(file) => std::io::read_to_string(fs::File::from(file)).unwrap_or_default(),
            Err(_) => String::new(),
        };
        modules::read(text.as_bytes()).map_err(|_| self.bad("`.gitmodules` cannot be read"))
    }

    fn bad(&self, reason: &str) -> GitError {
        GitError::CheckOut {
            url: self.remote.shown(),
            path: error::shown(&self.path.to_string_lossy()),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
