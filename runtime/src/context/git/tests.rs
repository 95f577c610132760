//! Repositories of the real git, from real servers, compared with what the real git makes of them.
#![expect(clippy::disallowed_methods, reason = "tests start processes and list directories")]

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;

use ir::op::GitOp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::registry::{Client, Settings};
use server::{Agent, Http};

mod hostile;
mod server;
mod servers;
mod trees;

/// When files are checked out.
const NOW: Time = Time { seconds: 1_500_000_000, nanoseconds: 7 };

/// git, as nobody and without configuration.
fn git_command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env_clear();
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.envs([("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")]);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "n").env(format!("GIT_{who}_EMAIL"), "e@x");
        command.env(format!("GIT_{who}_DATE"), "1400000000 +0000");
    }
    let settings = ["protocol.file.allow=always", "init.defaultBranch=main", "safe.directory=*"];
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
}

/// Runs a command that must succeed. Returns what it wrote, without the last line end.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Repositories, and where they are served from.
struct Repositories {
    directory: TempDir,
}

/// One of them: a working tree, and its bare copy that is served.
struct Repository {
    work: PathBuf,
    bare: PathBuf,
}

impl Repositories {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    /// An empty repository, served as `NAME.git`.
    fn make(&self, name: &str) -> Repository {
        let bare = self.root().join(format!("{name}.git"));
        let work = self.root().join("work").join(name);
        fs::create_dir_all(&work).unwrap();
        run(git_command(self.root()).args(["init", "--quiet", "--bare"]).arg(&bare));
        run(git_command(&work).args(["init", "--quiet"]));
        run(git_command(&work).args(["remote", "add", "origin"]).arg(&bare));
        Repository { work, bare }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }
}

impl Repository {
    fn git(&self, arguments: &[&str]) -> String {
        run(git_command(&self.work).args(arguments))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.work.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits what is there, and shows it to the world. Returns the commit.
    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.push();
        self.git(&["rev-parse", "HEAD"])
    }

    fn push(&self) {
        self.git(&["push", "--quiet", "--force", "origin", "HEAD", "--tags"]);
    }
}

/// A repository's URL with nothing else said about it.
fn op(url: &str) -> GitOp {
    GitOp {
        url: url.to_owned(),
        reference: None,
        subdirectory: String::new(),
        keep_git_dir: false,
        checksum: None,
        submodules: true,
        commit_time: false,
        fetch_by_commit: false,
    }
}

/// A checked out tree: what is at its top, and where.
struct Checked {
    scratch: TempDir,
    progress: u64,
}

impl Checked {
    /// With `.git`, if that is there.
    fn files(&self) -> PathBuf {
        self.scratch.path().join("files")
    }
}

/// Who asks.
#[derive(Default)]
struct Caller {
    secrets: BTreeMap<String, Vec<u8>>,
    agent: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    cancel: CancellationToken,
    references: Arc<References>,
}

impl Caller {
    fn secret(id: &str, value: &str) -> Self {
        let secrets = [(id.to_owned(), value.as_bytes().to_vec())].into();
        Self { secrets, ..Self::default() }
    }

    fn try_check_out(&self, git: &GitOp) -> Result<(Checked, Tree), GitError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let most = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let seen = Arc::clone(&most);
        let progress = move |done| {
            seen.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
        };
        let surroundings = Surroundings {
            handle: runtime.handle().clone(),
            cancel: self.cancel.clone(),
            progress: Arc::new(progress),
            references: Arc::clone(&self.references),
        };
        let http = Client::new(Settings::default()).unwrap();
        let access = Access {
            http: &http,
            secrets: &self.secrets,
            agent: self.agent.as_deref(),
            known_hosts: self.known_hosts.as_deref(),
        };
        let tree = tree(git, &access, &surroundings, scratch.path(), NOW)?;
        let progress = most.load(std::sync::atomic::Ordering::Relaxed);
        Ok((Checked { scratch, progress }, tree))
    }

    fn check_out(&self, git: &GitOp) -> Checked {
        let checked = self.try_check_out(git);
        checked.unwrap_or_else(|error| panic!("{}: {}", git.url, chain(&error))).0
    }

    fn refused(&self, git: &GitOp) -> GitError {
        match self.try_check_out(git) {
            Ok(_) => panic!("{} is checked out", git.url),
            Err(error) => error,
        }
    }
}

fn check_out(git: &GitOp) -> Checked {
    Caller::default().check_out(git)
}

fn refused(git: &GitOp) -> GitError {
    Caller::default().refused(git)
}

fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source)));
    format!("{error}{}", source.unwrap_or_default())
}

/// Everything below a directory but for what is in `.git`: type and mode, content or target.
fn listing(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() == ".git" {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_dir() {
                pending.push(path.clone());
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
            } else {
                fs::read(&path).unwrap()
            };
            let name = path.strip_prefix(directory).unwrap().to_owned();
            found.insert(name, (metadata.mode(), content));
        }
    }
    found
}

/// What git itself checks out.
fn reference(repositories: &Repositories, bare: &Path, options: &[&str]) -> PathBuf {
    let to = repositories.path("reference");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$@\"", "sh"]).current_dir(repositories.root());
    let clone = git_command(repositories.root());
    shell.env_clear().envs(clone.get_envs().filter_map(|(k, v)| Some((k, v?))));
    shell.arg(clone.get_program()).args(clone.get_args());
    shell.args(["clone", "--quiet"]).args(options).arg(bare).arg(&to);
    run(&mut shell);
    to
}
