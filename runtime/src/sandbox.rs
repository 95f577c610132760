//! Confined execution of the commands of `RUN`.
//!
//! [`enter()`] finds out once, at the start, how that can be done here, and puts the builder itself
//! where it can. A [`Sandbox`] then runs [`Step`]s, any number at once. Each has a file system
//! and, where possible, processes, network and host name of its own; it sees nothing of the
//! builder, and everything it starts ends with it.
//!
//! The builder has many threads by then, and a process with threads cannot enter namespaces or
//! fork with any comfort: so a step is the work of a fresh process, the builder's own program
//! started again as [`init()`] (see [`Helper`]).

mod advice;
mod child;
mod chroot;
mod command;
mod copy;
mod devices;
mod enter;
mod fake_ids;
mod fence;
mod idmap;
mod in_place;
mod init;
mod ladder;
mod layout;
mod limits;
mod mounting;
mod namespaces;
mod orphans;
mod output;
mod prepare;
mod process;
mod processes;
mod relay;
mod seccomp;
mod shim;
mod spec;
mod strangers;
mod stubs;
mod survey;
mod sys;
mod withhold;

use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ir::instruction::{Network, Security};
use ir::op::InlineFile;
use rustix::fd::{BorrowedFd, OwnedFd};
use tokio_util::sync::CancellationToken;

pub use enter::{
    Answered, Attempt, Entered, Isolation, LacksSetuid, Mapping, NoIsolation, Request, enter,
};
pub use fence::Landlock;
pub use in_place::swap_back;
pub use init::init;
pub use limits::{Limits, Ulimit, UlimitError};
pub use survey::{Help, Part, Rung, Trial, survey};

use crate::event::Stream;
use crate::rootdir::RootDir;
use crate::users::{self, UserError};

/// Runs the commands of a build.
#[derive(Clone, Debug)]
pub struct Sandbox {
    entered: Arc<Entered>,
    helper: Helper,
    /// Held by the step whose files are in `/`, where that is how steps run.
    place: Arc<tokio::sync::Mutex<()>>,
}

/// A program that calls [`init()`] when it is started so.
#[derive(Clone, Debug)]
pub struct Helper {
    /// Path of the program.
    pub program: PathBuf,
    /// What comes before the arguments that [`init()`] gets.
    pub arguments: Vec<OsString>,
}

/// The first argument of a program that is started to become a step.
pub const INIT: &str = "sandbox-init";

impl Default for Helper {
    /// This program, with [`INIT`] as its first argument.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), arguments: vec![INIT.into()] }
    }
}

/// A command and what it sees. Paths are absolute paths in the root.
#[derive(Debug)]
pub struct Step<'a> {
    /// The root directory, for looking things up and for making what mounts stand on.
    pub root: BorrowedFd<'a>,
    /// The root as a mount that is attached nowhere. Without it, `root` is mounted itself.
    pub mount: Option<OwnedFd>,
    /// Program and arguments; never empty.
    pub argv: &'a [String],
    /// `PATH` and `HOME` are added if they are missing.
    pub env: &'a [(String, String)],
    /// The working directory; it must exist.
    pub cwd: &'a str,
    /// `user[:group]`, names or numbers; empty is root.
    pub user: &'a str,
    /// In order.
    pub mounts: Vec<StepMount>,
    /// Shown below `/dev/pipes`.
    pub scripts: &'a [InlineFile],
    /// Which network it has.
    pub network: Network,
    /// How confined it is.
    pub security: Security,
    /// Its host name, where it can have one of its own; none is a constant.
    pub hostname: Option<&'a str>,
    /// What stands in its `/etc/hosts` besides.
    pub hosts: &'a [(String, IpAddr)],
    /// What it may use.
    pub limits: &'a Limits,
    /// An empty directory of this step's own outside the root. The caller removes it.
    pub scratch: &'a Path,
}

impl Step<'_> {
    /// Where the step sees something else than its root has. In a chroot, what the root has there is
    /// moved away for as long.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        let files = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"].into_iter();
        files.chain(self.mounts.iter().map(StepMount::target))
    }
}

/// Something a step sees beside its root.
#[derive(Debug)]
pub enum StepMount {
    /// A directory or file.
    Bind {
        /// Where it appears.
        target: String,
        /// A directory that `source` is looked up beneath. It may be a mount that is attached
        /// nowhere; before Linux 6.15 such a one can serve one step only.
        from: OwnedFd,
        /// Path within that; empty for all of it.
        source: String,
        /// Whether it can be written; what is written is thrown away.
        writable: bool,
    },
    /// A directory that outlives the step. In a chroot it is moved into the root for as long as the
    /// step takes (see [`Isolation::Chroot`]): there only one step at a time can have it.
    Cache {
        /// Where it appears.
        target: String,
        /// The directory, on the builder's disk.
        directory: PathBuf,
        /// Whether it cannot be written.
        readonly: bool,
    },
    /// An empty file system in memory.
    Tmpfs {
        /// Where it appears.
        target: String,
        /// In bytes; none is the kernel's default.
        size: Option<u64>,
        /// Whether it cannot be written. In a chroot it can, and what is written is thrown away, as
        /// always.
        readonly: bool,
    },
    /// A file that is in memory only.
    Secret {
        /// Where it appears.
        target: String,
        /// What is in it.
        content: Vec<u8>,
        /// Its mode.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// A socket that leads to an agent.
    Ssh {
        /// Where it appears.
        target: String,
        /// The agent's socket.
        socket: PathBuf,
        /// Its mode.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
}

impl StepMount {
    /// Where it appears.
    pub fn target(&self) -> &str {
        match self {
            Self::Bind { target, .. }
            | Self::Cache { target, .. }
            | Self::Tmpfs { target, .. }
            | Self::Secret { target, .. }
            | Self::Ssh { target, .. } => target,
        }
    }

    /// What is mounted where, as it follows "mount".
    fn described(&self) -> String {
        match self {
            Self::Bind { source, target, .. } if !matches!(source.as_str(), "" | "/") => {
                format!("`{source}` at `{target}`")
            }
            Self::Bind { target, .. }
            | Self::Cache { target, .. }
            | Self::Tmpfs { target, .. }
            | Self::Secret { target, .. }
            | Self::Ssh { target, .. } => format!("`{target}`"),
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself. 126 and 127 also say that the program could not be executed or found.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// Why a command could not be run. That it failed is no error but an [`Exit`].
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Nothing works here.
    #[error(transparent)]
    NoIsolation(#[from] NoIsolation),
    /// Nobody knows the user.
    #[error(transparent)]
    User(#[from] UserError),
    /// The step's process could not set up what the step needs.
    #[error("cannot {stage}")]
    Setup {
        /// Verb and object.
        stage: String,
        /// Why.
        source: io::Error,
    },
    /// What the step needs could not be made ready, or be put away after it.
    #[error("cannot {action} for the command")]
    Prepare {
        /// Verb and object.
        action: String,
        /// Why.
        source: io::Error,
    },
    /// The step would see a device that it must not open.
    #[error(
        "cannot run commands beside `{path}`, a device: nothing keeps them from opening it, as \
         `--isolation=namespaces` or a container's device cgroup does"
    )]
    Device {
        /// Where it is, in the step's root or in what it mounts.
        path: String,
    },
    /// The step's process could not be started or heard.
    #[error("cannot start the command's process")]
    Start(#[source] io::Error),
    /// The step's process ended without a word, as if killed for want of memory.
    #[error("cannot learn how the command ended: its process was killed")]
    Lost,
    /// The build was stopped.
    #[error("cannot finish the command: the build was stopped")]
    Cancelled,
}

impl SandboxError {
    fn prepare(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Prepare { action, source }
    }
}

impl Sandbox {
    /// A sandbox for what [`enter()`] found.
    pub fn new(entered: Entered, helper: Helper) -> Self {
        Self { entered: Arc::new(entered), helper, place: Arc::default() }
    }

    /// Why stronger ways fell out, and what the one that was chosen lacks; one line each.
    pub fn passed_over(&self) -> &[String] {
        &self.entered.passed_over
    }

    /// What images lack here that are built without a command; one line.
    pub fn lost(&self) -> Option<&'static str> {
        self.entered.lost
    }

    /// How commands are confined, if they can be.
    pub fn isolation(&self) -> Option<Isolation> {
        self.entered.isolation
    }

    /// Why setuid programs gain nothing in commands, if so.
    pub fn lacks_setuid(&self) -> Option<LacksSetuid> {
        self.entered.lacks_setuid
    }

    /// Runs a command to its end, and passes its output on line by line; while a line is not taken,
    /// no more of that stream is read.
    ///
    /// When this returns, every process of the step is dead and nothing that was made for it is
    /// left in the root, unless the step itself put something there. Cancelling `cancel` kills the
    /// step at once. The future must be driven to its end: dropped, it still ends the step, but
    /// does not wait for that.
    ///
    /// # Errors
    ///
    /// If the command could not be run or was stopped; its failure is no error.
    pub async fn run<Told: Future<Output = ()> + Send>(
        &self,
        step: Step<'_>,
        output: impl Fn(Stream, String) -> Told + Send + Sync,
        cancel: CancellationToken,
    ) -> Result<Exit, SandboxError> {
        let Some(isolation) = self.entered.isolation else {
            let refusal = self.entered.refusal.clone();
            return Err(refusal.expect("without isolation there is a reason").into());
        };
        let root = step.root.try_clone_to_owned().map(RootDir::from_fd);
        let root = root.map_err(SandboxError::prepare("open the root"))?;
        let user = users::lookup(&root, step.user)?;
        let _place = match isolation {
            Isolation::InPlace => Some(self.place.lock().await),
            Isolation::Chroot { .. } | Isolation::Namespaces { .. } => None,
        };
        let task = prepare::Task::new(isolation, self.entered.guard, root, user, step);
        let prepared = blocking(move || task.prepare()).await?;
        let prepare::Prepared { spec, descriptors, relays, undo } = prepared;

        let relays = relay::start(relays).map_err(SandboxError::prepare("relay to the agent"))?;
        let ended = process::run(&self.helper, spec, descriptors, output, cancel).await;
        drop(relays);
        let undone = blocking(move || undo.finish()).await;
        let exit = ended?;
        undone.map(|()| exit)
    }
}

/// Does file system work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down.
            Err(_) => Err(SandboxError::Cancelled),
        },
    }
}
