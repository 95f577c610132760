//! Finds out how commands can be confined here, by doing it.
//!
//! Each rung of the ladder is tried in a forked child first, on the real work directory; then
//! the builder itself enters what worked. Version numbers, names and files in `/proc` say little
//! about what a container may do, so they are not asked.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fd::AsFd as _;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::mount::{MountAttrFlags, MountPropagationFlags};
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions};
use rustix::thread::{CapabilitySet, UnshareFlags};
use serde::{Deserialize, Serialize};

use super::fence::{Fence, Landlock};
use super::idmap::IdMap;
use super::spec::{Failure, Stage};
use super::{devices, mounting, shim, spec, sys};

/// How commands shall be confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// As well as can be.
    #[default]
    Auto,
    /// In namespaces, or not at all.
    Namespaces,
    /// By `chroot(2)`, or not at all.
    Chroot,
}

/// How commands are confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In namespaces of their own.
    Namespaces {
        /// Whether the builder is in a user namespace that it made.
        user: bool,
        /// Whether commands have a pid namespace, and with it a `/proc` of their own.
        pids: bool,
    },
    /// By `chroot(2)`, where containers may do nothing else. Its limits:
    /// - `/proc` and pseudo terminals are answered for by the step's helper, where seccomp lets it:
    ///   `/proc` has the step's own processes and what is about none, and no file that shows or
    ///   changes memory; a process that may not be looked into does not see it; a session gets no
    ///   controlling terminal by opening one;
    /// - processes, ids, host name and network are the builder's, and root can send signals to all
    ///   of them;
    /// - binds are copies and caches are moved in, so read-only is not enforced, and a cache that a
    ///   killed builder had moved is lost;
    /// - where the builder has no `CAP_SYS_ADMIN`, setuid programs gain nothing: the kernel lets
    ///   nobody else watch system calls, or refuse them with `--network=none`.
    Chroot {
        /// Whether there is a `/proc`.
        proc: bool,
    },
}

impl Isolation {
    /// What the log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespaces { .. } => NAMESPACES,
            Self::Chroot { .. } => CHROOT,
        }
    }
}

const NAMESPACES: &str = "namespaces";
const CHROOT: &str = "chroot";

/// What came of [`enter()`].
#[derive(Clone, Debug)]
pub struct Entered {
    /// How commands will be confined; none where that is impossible: builds without commands
    /// work all the same.
    pub isolation: Option<Isolation>,
    /// Why better ways fell out, and what the one that was chosen lacks; one line each.
    pub passed_over: Vec<String>,
    /// Why there is no isolation, for whoever then wants to run a command.
    pub refusal: Option<NoIsolation>,
    /// What Landlock keeps commands from.
    pub(super) fence: Option<Fence>,
    /// What takes privileges from setuid programs, if anything does.
    pub(super) lacks_setuid: Option<LacksSetuid>,
}

/// Why setuid programs gain nothing in commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LacksSetuid {
    /// Landlock wants it, which can be done without.
    Landlock,
    /// Watching system calls wants it, which `/proc` in a chroot comes from.
    Proc,
}

/// Commands cannot be confined here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoIsolation {
    /// What was tried, in order.
    pub tried: Vec<Attempt>,
    /// What would make it work.
    pub help: &'static str,
}

/// A way to confine commands that does not work here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `namespaces` or `chroot`, and how.
    pub rung: String,
    /// The first thing that failed, and how.
    pub reason: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rung, self.reason)
    }
}

impl fmt::Display for NoIsolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot confine commands here")?;
        for attempt in &self.tried {
            write!(f, "\n  {attempt}")?;
        }
        write!(f, "\n{}", self.help)
    }
}

impl std::error::Error for NoIsolation {}

const HELP: &str = "any one of these helps: a container that runs as root with its default \
    capabilities (chroot), a seccomp profile that allows user namespaces (`seccompProfile: \
    Unconfined`; on AppArmor nodes also `appArmorProfile: Unconfined`), or newuidmap with \
    subordinate ids and `allowPrivilegeEscalation: true` for a user";

const FENCE_HELP: &str = "`--isolation-landlock=auto` goes on with what there is";

/// Prepares this process for running commands: probes, and enters namespaces where that is how.
///
/// Must be called while the process has a single thread, before anything is opened or mounted
/// below `work`: afterwards its user ids and its mounts can be other ones. `work` is the directory
/// that roots will lie in; it must exist.
///
/// # Errors
///
/// If what was asked for is impossible. [`Request::Auto`] asks for nothing.
pub fn enter(request: Request, landlock: Landlock, work: &Path) -> Result<Entered, NoIsolation> {
    let mut tried = Vec::new();
    let isolation = climb(request, work, &mut tried);
    // From here on neither a command nor anyone else of the same user can look into the builder.
    // It is the kernel's switch for just this and cannot fail for these arguments.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    let passed_over = tried.iter().map(Attempt::to_string).collect();
    let Some(isolation) = isolation else {
        let refusal = NoIsolation { tried, help: HELP };
        if request != Request::Auto {
            return Err(refusal);
        }
        let refusal = Some(refusal);
        let (fence, lacks_setuid) = (None, None);
        return Ok(Entered { isolation: None, passed_over, refusal, fence, lacks_setuid });
    };
    let mut entered = Entered {
        isolation: Some(isolation),
        passed_over,
        refusal: None,
        fence: None,
        lacks_setuid: None,
    };
    if matches!(isolation, Isolation::Chroot { .. }) {
        entered.watch();
    }
    if landlock != Landlock::Off {
        entered.fence_in(Fence::of(isolation), landlock)?;
    }
    Ok(entered)
}

impl Entered {
    /// Finds out whether a chroot can have a `/proc`.
    fn watch(&mut self) {
        let lacks = match in_child(shim::probe) {
            Ok(shim::Watched { no_new_privileges }) => {
                self.isolation = Some(Isolation::Chroot { proc: true });
                self.lacks_setuid = no_new_privileges.then_some(LacksSetuid::Proc);
                "no processes of their own".to_owned()
            }
            Err(failure) => {
                format!("no /proc, no pseudo terminals and no processes of their own: {failure}")
            }
        };
        self.passed_over.push(format!("chroot: commands have {lacks}"));
    }

    /// Finds out what Landlock adds.
    fn fence_in(&mut self, fence: Fence, landlock: Landlock) -> Result<(), NoIsolation> {
        const UNSCOPED: &str = "this kernel has no scopes for it (Linux 6.12 has)";
        let fenced = in_child(|| fence.enter());
        let lacks = match &fenced {
            Ok(fenced) => (!fenced.scoped).then(|| UNSCOPED.to_owned()),
            Err(failure) => Some(failure.to_string()),
        };
        if let Some(reason) = lacks {
            let reason = format!("{reason}: {}", fence.otherwise());
            let attempt = Attempt { rung: "Landlock".to_owned(), reason };
            if landlock == Landlock::On {
                return Err(NoIsolation { tried: vec![attempt], help: FENCE_HELP });
            }
            self.passed_over.push(attempt.to_string());
        }
        if let Ok(fenced) = fenced {
            self.fence = Some(fence);
            if fenced.no_new_privileges && self.lacks_setuid.is_none() {
                self.lacks_setuid = Some(LacksSetuid::Landlock);
            }
        }
        Ok(())
    }
}

fn climb(request: Request, work: &Path, tried: &mut Vec<Attempt>) -> Option<Isolation> {
    if request != Request::Chroot {
        for way in ways() {
            let rung = format!("{NAMESPACES} ({})", way.name());
            let entered = in_child(|| way.probe(work)).and_then(|probed| {
                way.enter()?;
                Ok(probed)
            });
            match entered {
                Ok(Probed { no_pids }) => {
                    let pids = no_pids.is_none();
                    let user = matches!(way, Way::User(_));
                    tried.extend(no_pids.map(|failure| Attempt {
                        rung: "pid namespace".to_owned(),
                        reason: failure.to_string(),
                    }));
                    if let Way::User(IdMap::Single { uid, .. }) = way {
                        tried.push(Attempt {
                            rung: "other users".to_owned(),
                            reason: format!("cannot map more ids than {uid}: commands are root"),
                        });
                    }
                    return Some(Isolation::Namespaces { user, pids });
                }
                Err(failure) => tried.push(Attempt { rung, reason: failure.to_string() }),
            }
        }
    }
    if request != Request::Namespaces {
        match in_child(|| probe_chroot(work)) {
            Ok(()) => return Some(Isolation::Chroot { proc: false }),
            Err(failure) => {
                let rung = CHROOT.to_owned();
                tried.push(Attempt { rung, reason: failure.to_string() });
            }
        }
    }
    None
}

/// A way into namespaces.
enum Way {
    /// With the privilege to mount.
    Privileged,
    /// Through a user namespace.
    User(IdMap),
}

/// What a probe found beside that it works.
#[derive(Debug, Serialize, Deserialize)]
struct Probed {
    /// Why there cannot be a pid namespace, if so.
    no_pids: Option<Failure>,
}

fn ways() -> Vec<Way> {
    let privileged = rustix::process::geteuid().is_root()
        && rustix::thread::capabilities(None)
            .is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN));
    let mut ways: Vec<Way> = IdMap::candidates().into_iter().map(Way::User).collect();
    if privileged {
        ways.insert(0, Way::Privileged);
    }
    ways
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Privileged => "CAP_SYS_ADMIN",
            Self::User(map) => map.name(),
        }
    }

    /// Puts this process into a mount namespace of its own, from which nothing gets out.
    fn enter(&self) -> Result<(), Failure> {
        match self {
            Self::Privileged => {
                sys::unshare(UnshareFlags::NEWNS).stage("make a mount namespace")?;
            }
            Self::User(map) => enter_user_namespace(map)?,
        }
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).stage("make mounts private")
    }

    /// Does what a step's init will do. Only for a process that ends afterwards.
    fn probe(&self, work: &Path) -> Result<Probed, Failure> {
        self.enter()?;
        sys::unshare(UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS)
            .stage("make a step's namespaces")?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
        mounting::new("tmpfs", &[], attributes)
            .and_then(|mount| mounting::attach(mount.as_fd(), work))
            .stage("mount a tmpfs")?;
        mounting::clone(work)
            .and_then(|mount| mounting::make_readonly(mount.as_fd(), true))
            .stage("clone a mount")?;
        devices::devpts().stage("mount a devpts")?;
        mounting::clone(Path::new("/dev/null")).stage("clone `/dev/null`")?;
        let no_pids = sys::unshare(UnshareFlags::NEWPID)
            .stage("make a pid namespace")
            .and_then(|()| in_child(|| devices::fresh_proc().map(drop).stage("mount `/proc`")))
            .err();
        Ok(Probed { no_pids })
    }
}

/// Puts this process into a user namespace and a mount namespace that belongs to it, and goes on
/// there as root with every capability.
///
/// A child that stays outside writes the id maps: inside, nobody may.
fn enter_user_namespace(map: &IdMap) -> Result<(), Failure> {
    let this = rustix::process::getpid();
    let (mut waiting, mut made) = io::pipe().stage("make a pipe")?;
    let mapper = Child::start(|| {
        // It holds the pipe's other end too, so the builder's death would not wake it.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .stage("tie the mapper to the builder")?;
        let mut answer = [0];
        waiting.read_exact(&mut answer).stage("wait for the namespace")?;
        if answer == [1] { map.write(this) } else { Ok(()) }
    })?;
    let unshared =
        sys::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS).stage("make a user namespace");
    made.write_all(&[u8::from(unshared.is_ok())]).stage("wake the mapper")?;
    let mapped = mapper.finish();
    unshared.and(mapped)
}

/// What a chroot needs: itself, and devices that can be made and opened.
fn probe_chroot(work: &Path) -> Result<(), Failure> {
    let name = PathBuf::from(format!(".probe-{}", rustix::process::getpid().as_raw_nonzero()));
    let directory =
        rustix::fs::open(work, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .stage("open the work directory")?;
    let device = rustix::fs::makedev(1, 3);
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(&directory, &name, FileType::CharacterDevice, mode, device)
        .stage("make a device")?;
    let opened = rustix::fs::openat(&directory, &name, OFlags::RDWR | OFlags::CLOEXEC, mode);
    rustix::fs::unlinkat(&directory, &name, rustix::fs::AtFlags::empty())
        .stage("remove a device")?;
    opened.stage("open a device")?;
    rustix::process::fchdir(&directory).stage("enter the work directory")?;
    rustix::process::chroot(".").stage("change the root")
}

/// Does something in a child process, and returns what it returned.
fn in_child<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure>
where
    T: Serialize + for<'a> Deserialize<'a>,
{
    Child::start(work)?.finish()
}

/// A forked process that ends with a result.
struct Child<T> {
    pid: Pid,
    result: io::PipeReader,
    _result: std::marker::PhantomData<T>,
}

impl<T: Serialize + for<'a> Deserialize<'a>> Child<T> {
    fn start(work: impl FnOnce() -> Result<T, Failure>) -> Result<Self, Failure> {
        let (result, mut writer) = io::pipe().stage("make a pipe")?;
        if let Some(pid) = sys::fork().stage("fork")? {
            return Ok(Self { pid, result, _result: std::marker::PhantomData });
        }
        drop(result);
        let written = spec::write_frame(&mut writer, &work());
        sys::exit_now(i32::from(written.is_err()))
    }

    fn finish(mut self) -> Result<T, Failure> {
        let result = spec::read_frame(&mut self.result);
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitpid(Some(self.pid), WaitOptions::empty())
        {}
        result.unwrap_or_else(|error| Err(Failure::new("hear from a probe", &error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_was_tried_and_what_would_help() {
        let attempt = |rung: &str, failure: Failure| Attempt {
            rung: rung.to_owned(),
            reason: failure.to_string(),
        };
        let refused = io::Error::from_raw_os_error(libc::EPERM);
        let refusal = NoIsolation {
            tried: vec![
                attempt("namespaces", Failure::new("make a user namespace", &refused)),
                attempt("chroot", Failure::new("make a device", &refused)),
            ],
            help: "root helps",
        };
        assert_eq!(
            refusal.to_string(),
            "cannot confine commands here\n  \
             namespaces: cannot make a user namespace: Operation not permitted (os error 1)\n  \
             chroot: cannot make a device: Operation not permitted (os error 1)\n\
             root helps"
        );
    }
}
