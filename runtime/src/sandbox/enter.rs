//! Finds out how commands can be confined here, and puts the builder where they can.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustix::process::DumpableBehavior;
use serde::{Deserialize, Serialize};

use super::child::in_child;
use super::fake_ids;
use super::fence::{Fence, Guard, Landlock};
use super::in_place::{self, Claim};
use super::ladder::{self, Devices, Probed};
use super::orphans;
use super::shim;
use super::spec::Stage as _;
use super::withhold::Withheld;

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
    /// Not at all, with their files moved into the builder's own root: only in the executor image.
    InPlace,
}

/// How commands are confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In namespaces of their own.
    Namespaces {
        /// Whose ids the builder and its commands have.
        mapping: Mapping,
        /// Whether commands have a pid namespace, and with it a `/proc` of their own.
        pids: bool,
    },
    /// By `chroot(2)`, where containers may do nothing else. Its limits:
    /// - `/proc` and pseudo terminals are answered for by the step's helper, where seccomp lets it:
    ///   `/proc` has the step's own processes and what is about none; a process that may not be
    ///   looked into does not see it; a session gets no controlling terminal by opening one;
    /// - processes, ids, host name and network are the builder's, and root can send signals to all
    ///   of them;
    /// - binds are copies and caches are moved in, so read-only is not enforced, and a cache that a
    ///   killed builder had moved is lost;
    /// - where the builder has no `CAP_SYS_ADMIN`, setuid programs gain nothing: the kernel lets
    ///   nobody else watch system calls, or refuse them with `--network=none`.
    Chroot {
        /// What the step's helper answers for.
        answered: Answered,
    },
    /// Not at all: their files are moved into the builder's own root, one command at a time. Its
    /// limits:
    /// - a command that is root can read and change everything of the builder's, and end it;
    /// - what the container has mounted stays where it is, and is seen instead of the image's own;
    /// - mounts are as in a chroot.
    InPlace,
}

/// What of the files that a command in a chroot finds is answered for by its helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answered {
    /// Nothing: there is no `/proc`.
    Nothing,
    /// `/proc` and pseudo terminals.
    Proc,
    /// Devices as well: where none can be made, those of the builder are lent.
    ProcAndDevices,
}

impl Answered {
    /// Whether there is a `/proc`.
    pub(super) fn proc(self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Proc | Self::ProcAndDevices => true,
        }
    }

    /// Whether devices are lent.
    pub(super) fn devices(self) -> bool {
        match self {
            Self::Nothing | Self::Proc => false,
            Self::ProcAndDevices => true,
        }
    }
}

/// Whose ids the builder has, and so what is kept in its work directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// Those that it was started with.
    Machine,
    /// The same, by an identical map of a user namespace.
    All,
    /// The same but root, which is an id that nobody else has: where root may not map itself.
    /// What belongs to the root outside is a stranger's to the builder.
    Swapped,
    /// The user's is root, and the user's subordinate ids are the others.
    Subordinate,
    /// The user's is root, and there are no others: whoever changes an owner, a user or a group is
    /// told that it was done, and nothing is.
    Single,
}

impl Mapping {
    /// What the log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Machine => "CAP_SYS_ADMIN",
            Self::All => "user namespace, all ids",
            Self::Swapped => "user namespace, all ids but root's",
            Self::Subordinate => "user namespace, subordinate ids",
            Self::Single => "user namespace, a single id",
        }
    }

    /// What commands have to do without, if anything.
    pub(super) fn lacks(self) -> Option<&'static str> {
        match self {
            Self::Machine | Self::All | Self::Subordinate => None,
            Self::Swapped => Some(
                "cannot map the root of this machine: files that only it may read or write, in \
                 contexts or where the image goes, are out of reach",
            ),
            Self::Single => Some(
                "cannot map more ids than one: everything belongs to root, every command is root, \
                 and a change of owner or user is only pretended",
            ),
        }
    }
}

impl Isolation {
    /// What the log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespaces { .. } => NAMESPACES,
            Self::Chroot { .. } => CHROOT,
            Self::InPlace => IN_PLACE,
        }
    }

    /// Whether commands have mounts of their own. Elsewhere a directory plays each, put in place by
    /// renaming what the image has there: so roots cannot be overlays, which rename no directory of
    /// a lower one.
    pub fn has_mounts(self) -> bool {
        match self {
            Self::Namespaces { .. } => true,
            Self::Chroot { .. } | Self::InPlace => false,
        }
    }
}

const NAMESPACES: &str = "namespaces";
const CHROOT: &str = "chroot";
const IN_PLACE: &str = "in-place";

/// What came of [`enter()`].
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// How commands will be confined; none where that is impossible: builds without commands
    /// work all the same.
    pub isolation: Option<Isolation>,
    /// Why better ways fell out, and what the one that was chosen lacks; one line each.
    pub passed_over: Vec<String>,
    /// Why there is no isolation, for whoever then wants to run a command.
    pub refusal: Option<NoIsolation>,
    /// What images lack that are built without a command; one line.
    pub lost: Option<&'static str>,
    /// What holds commands back besides.
    pub(super) guard: Guard,
    /// What takes privileges from setuid programs, if anything does.
    pub(super) lacks_setuid: Option<LacksSetuid>,
    /// For [`Isolation::InPlace`].
    _claim: Option<Arc<Claim>>,
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

impl Attempt {
    fn new(rung: impl Into<String>, reason: &dyn fmt::Display) -> Self {
        Self { rung: rung.into(), reason: reason.to_string() }
    }
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

const IN_PLACE_HELP: &str = "`--isolation=in-place` is for the executor image, unchanged, with its \
    work directory on its own root file system";

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
    let mut claim = None;
    let isolation = if request == Request::InPlace {
        match in_place::claim(work) {
            Ok(claimed) => claim = Some(Arc::new(claimed)),
            Err(reason) => tried.push(Attempt { rung: IN_PLACE.to_owned(), reason }),
        }
        claim.as_ref().map(|_| Isolation::InPlace)
    } else {
        climb(request, work, &mut tried)
    };
    // From here on neither a command nor anyone else of the same user can look into the builder.
    // It is the kernel's switch for just this and cannot fail for these arguments.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    // Nor can this.
    orphans::inherit().ok();
    let passed_over = tried.iter().map(Attempt::to_string).collect();
    let Some(isolation) = isolation else {
        let help = if request == Request::InPlace { IN_PLACE_HELP } else { HELP };
        let refusal = NoIsolation { tried, help };
        if request != Request::Auto {
            return Err(refusal);
        }
        let lost = pretend_owners();
        return Ok(Entered { passed_over, refusal: Some(refusal), lost, ..Entered::default() });
    };
    let lost = match isolation {
        Isolation::Namespaces { mapping: Mapping::Single, .. } => Some(OWNERS_LOST),
        Isolation::Namespaces { .. } | Isolation::Chroot { .. } | Isolation::InPlace => None,
    };
    let isolated = Some(isolation);
    let mut entered =
        Entered { isolation: isolated, passed_over, lost, _claim: claim, ..Entered::default() };
    entered.guard(isolation, landlock, work)?;
    Ok(entered)
}

const OWNERS_LOST: &str = "other users: everything belongs to root, whatever is asked for";

/// Lets a user who cannot be root build without commands: what cannot be given to others stays the
/// user's own, which is root in the image. Returns what is lost.
fn pretend_owners() -> Option<&'static str> {
    let pretends = !rustix::process::geteuid().is_root() && fake_ids::pretend_as_user().is_ok();
    pretends.then_some(OWNERS_LOST)
}

impl Entered {
    /// Finds out what can hold commands back besides.
    fn guard(
        &mut self,
        isolation: Isolation,
        landlock: Landlock,
        work: &Path,
    ) -> Result<(), NoIsolation> {
        let proc = match isolation {
            Isolation::Chroot { answered } => self.watch(landlock, answered),
            Isolation::Namespaces { .. } | Isolation::InPlace => false,
        };
        // In place it would take the privileges of setuid programs and leave the builder's files.
        let asked = isolation != Isolation::InPlace || landlock == Landlock::On;
        if asked && landlock != Landlock::Off {
            self.fence_in(Fence::of(isolation), landlock)?;
        }
        let withheld = match isolation {
            // In a chroot a filter may cost what these cost: it comes with them, or not at all.
            Isolation::Chroot { .. } | Isolation::InPlace => {
                (proc || self.guard.fence.is_some()).then_some(Withheld::WithOthers)
            }
            Isolation::Namespaces { pids: false, .. } => Some(Withheld::WithOthers),
            Isolation::Namespaces { pids: true, .. } => Some(Withheld::WithinProcesses),
        };
        self.guard.withheld = withheld.filter(|it| {
            in_child(|| it.refuse().stage("refuse keyrings and user namespaces")).is_ok()
        });
        if isolation == Isolation::InPlace {
            self.passed_over.push(
                "in-place: nothing keeps commands from the builder and what is its".to_owned(),
            );
        }
        // Mounts of a step's own have no devices.
        self.guard.makes_devices = isolation.has_mounts() || ladder::devices_are_guarded(work);
        if !self.guard.makes_devices {
            let why = "commands make no devices, as those of the machine could be opened";
            self.passed_over.push(format!("{}: {why}", isolation.name()));
        }
        Ok(())
    }

    /// Finds out whether a chroot can have a `/proc`.
    fn watch(&mut self, landlock: Landlock, found: Answered) -> bool {
        const NOTHING: &str = "no /proc, no pseudo terminals and no processes of their own";
        let watched = in_child(shim::probe);
        let mut proc = false;
        let lacks = match watched {
            Ok(shim::Watched { no_new_privileges: true })
                if landlock == Landlock::Off && !found.devices() =>
            {
                format!("{NOTHING}: that would take their privileges from setuid programs")
            }
            Ok(shim::Watched { no_new_privileges }) => {
                proc = true;
                self.lacks_setuid = no_new_privileges.then_some(LacksSetuid::Proc);
                "no processes of their own".to_owned()
            }
            Err(failure) => format!("{NOTHING}: {failure}"),
        };
        let answered = match found {
            Answered::Nothing if proc => Answered::Proc,
            Answered::Nothing | Answered::Proc | Answered::ProcAndDevices => found,
        };
        self.isolation = Some(Isolation::Chroot { answered });
        self.passed_over.push(format!("chroot: commands have {lacks}"));
        proc
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
            self.guard.fence = Some(fence);
            if fenced.no_new_privileges && self.lacks_setuid.is_none() {
                self.lacks_setuid = Some(LacksSetuid::Landlock);
            }
        }
        Ok(())
    }
}

fn climb(request: Request, work: &Path, tried: &mut Vec<Attempt>) -> Option<Isolation> {
    if request != Request::Chroot {
        for way in ladder::ways() {
            let entered = way.probe(work).and_then(|probed| way.enter(work).map(|()| probed));
            match entered {
                Ok(Probed { no_pids }) => {
                    let pids = no_pids.is_none();
                    let mapping = way.mapping();
                    tried.extend(no_pids.map(|failure| Attempt::new("pid namespace", &failure)));
                    tried.extend(mapping.lacks().map(|lack| Attempt::new("other users", &lack)));
                    return Some(Isolation::Namespaces { mapping, pids });
                }
                // Then no map of ids is worth trying.
                Err(failure) if failure.stage == ladder::USER_NAMESPACE => {
                    tried.push(Attempt::new(NAMESPACES, &failure));
                    break;
                }
                Err(failure) => {
                    let rung = format!("{NAMESPACES} ({})", way.name());
                    tried.push(Attempt::new(rung, &failure));
                }
            }
        }
    }
    if request != Request::Namespaces {
        match ladder::probe_chroot(work) {
            Ok(devices) => {
                let answered = match devices {
                    Devices::Made => Answered::Nothing,
                    Devices::Lent(why) => {
                        tried.push(Attempt::new("devices of their own", &why));
                        Answered::ProcAndDevices
                    }
                };
                return Some(Isolation::Chroot { answered });
            }
            Err(failure) => tried.push(Attempt::new(CHROOT, &failure)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_was_tried_and_what_would_help() {
        let refusal = NoIsolation {
            tried: vec![
                Attempt::new("namespaces", &"cannot make a user namespace"),
                Attempt::new("chroot", &"cannot make a device"),
            ],
            help: "root helps",
        };
        assert_eq!(
            refusal.to_string(),
            "cannot confine commands here\n  \
             namespaces: cannot make a user namespace\n  \
             chroot: cannot make a device\n\
             root helps"
        );
    }
}
