//! A `.git` directory beside the files of a commit, such that git finds nothing to do there.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gix_index::State;
use gix_validate::path::component;

use super::error::GitError;
use super::fetch::Fetched;
use super::remote::Remote;

/// What is written into a `.git` directory.
pub(super) struct Kept<'a> {
    pub(super) fetched: &'a Fetched,
    pub(super) remote: &'a Remote,
    /// Where the files are, as seen from the directory; none if it is beside them.
    pub(super) files: Option<&'a Path>,
    /// Names and URLs of the repositories within this one.
    pub(super) modules: &'a [(String, String)],
}

/// Makes a repository of what was fetched, in a directory that does not exist yet. Its only commit is
/// checked out and belongs to no branch; the reference that led to it is there too, and the server's
/// URL without credentials.
pub(super) fn write(directory: &Path, kept: &Kept<'_>) -> Result<(), GitError> {
    let write = |name: &str, content: &str| put(directory, name, content.as_bytes());
    let Fetched { reference, commit, objects, shallow } = kept.fetched;
    for name in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
        make_all(directory, Path::new(name))?;
    }
    write("HEAD", &format!("{}\n", commit.id))?;
    write("config", &config(kept))?;
    write("description", "Unnamed repository; edit this file 'description' to name it.\n")?;
    let known = |name: &&str| gix_validate::reference::name((*name).into()).is_ok();
    let reference = reference.as_ref().map(|reference| (reference.name.as_str(), reference.id));
    if let Some((name, id)) = reference.filter(|(name, _)| name.starts_with("refs/") && known(name))
    {
        if let Some(parent) = Path::new(name).parent() {
            make_all(directory, parent)?;
        }
        write(name, &format!("{id}\n"))?;
    }
    if let Some(shallow) = shallow {
        copy(shallow, &directory.join("shallow"), 0o644)?;
    }
    let pack = objects.pack();
    for from in [pack.to_owned(), pack.with_extension("idx")] {
        let to = directory.join("objects/pack").join(from.file_name().unwrap_or_default());
        copy(&from, &to, 0o444)?;
    }
    index(directory, kept)
}

fn config(kept: &Kept<'_>) -> String {
    let mut text = String::from(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\
         \tlogallrefupdates = true\n",
    );
    if let Some(files) = kept.files {
        text.extend(["\tworktree = ", &quoted(&files.to_string_lossy()), "\n"]);
    }
    text.extend(["[remote \"origin\"]\n\turl = ", &quoted(&kept.remote.text()), "\n"]);
    text.push_str("\tfetch = +refs/heads/*:refs/remotes/origin/*\n");
    for (name, url) in kept.modules {
        text.extend(["[submodule ", &quoted(name), "]\n\tactive = true\n"]);
        text.extend(["\turl = ", &quoted(url), "\n"]);
    }
    text
}

/// A value of git's configuration, whatever is in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The index of the commit's files. Git finds out by itself what they look like on the disk.
fn index(directory: &Path, kept: &Kept<'_>) -> Result<(), GitError> {
    let path = directory.join("index");
    let Fetched { commit, objects, .. } = kept.fetched;
    let options = component::Options::default();
    let failed = |error: gix_error::Error| GitError::Write {
        path: path.clone(),
        source: io::Error::other(super::error::shown(&error.to_string())),
    };
    let state = State::from_tree(&commit.tree, objects, options).map_err(failed)?;
    let mut bytes = Vec::new();
    gix_index::File::from_state(state, &path)
        .write_to(&mut bytes, gix_index::write::Options::default())
        .map_err(failed)?;
    put(directory, "index", &bytes)
}

/// Makes a directory below another, with its parents: 0755, whatever the umask is.
pub(super) fn make_all(root: &Path, below: &Path) -> Result<(), GitError> {
    let mut path = root.to_owned();
    let make = |path: &PathBuf| {
        let made = match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            other => other,
        };
        let mode = fs::Permissions::from_mode(0o755);
        made.and_then(|()| fs::set_permissions(path, mode))
            .map_err(|source| GitError::Write { path: path.clone(), source })
    };
    make(&path)?;
    for name in below {
        path.push(name);
        make(&path)?;
    }
    Ok(())
}

fn put(directory: &Path, name: &str, content: &[u8]) -> Result<(), GitError> {
    let path = directory.join(name);
    let written = fs::write(&path, content)
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)));
    written.map_err(|source| GitError::Write { path, source })
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<(), GitError> {
    let linked = fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .and_then(|()| fs::set_permissions(to, fs::Permissions::from_mode(mode)));
    linked.map_err(|source| GitError::Write { path: to.to_owned(), source })
}
