//! What holds a command back beyond its root and its capabilities: Landlock above all.

use std::error::Error;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, LandlockStatus, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::Isolation;
use super::spec::{Failure, Stage as _};
use super::withhold::Withheld;

/// Whether commands are confined by Landlock besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Landlock {
    /// As far as this kernel has it.
    #[default]
    Auto,
    /// Entirely, or nothing is run.
    On,
    /// Not at all. Where it is what takes privileges from setuid programs (see
    /// [`LacksSetuid`](super::LacksSetuid)), this gives them back.
    Off,
}

/// Everything that holds a command back; the default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guard {
    /// By Landlock.
    pub fence: Option<Fence>,
    /// By a filter.
    pub withheld: Option<Withheld>,
    /// Whether it may make devices: only where those that it should not have cannot be opened.
    pub makes_devices: bool,
}

impl Guard {
    /// Holds this process back, and all that it will start.
    pub(super) fn enter(self) -> Result<(), Failure> {
        if let Some(fence) = self.fence {
            fence.enter()?;
        }
        self.withheld.map_or(Ok(()), Withheld::refuse).stage("refuse keyrings and user namespaces")
    }
}

/// What a step is kept from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fence {
    /// Files that are not beneath its root, and what [`Fence::Processes`] says.
    Files,
    /// Signals to processes that it did not start, and abstract sockets of others.
    Processes,
    /// Abstract sockets of others: they belong to the network, which steps share.
    Sockets,
}

/// What came of a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fenced {
    /// Whether the kernel knows more than files (Linux 6.12).
    pub scoped: bool,
    /// Whether it took no-new-privileges, so that setuid programs gain nothing.
    pub no_new_privileges: bool,
}

/// The newest version whose rights are asked for; a kernel grants those that it knows.
const NEWEST: ABI = ABI::V10;

impl Fence {
    /// What is not out of reach already.
    pub(super) fn of(isolation: Isolation) -> Self {
        match isolation {
            Isolation::Namespaces { pids: true, .. } => Self::Sockets,
            Isolation::Namespaces { pids: false, .. } | Isolation::InPlace => Self::Processes,
            Isolation::Chroot { .. } => Self::Files,
        }
    }

    /// What a command can do without it, as it follows a reason.
    pub(super) fn otherwise(self) -> &'static str {
        match self {
            Self::Files | Self::Processes => {
                "a command that is root can send signals to the builder"
            }
            Self::Sockets => "commands can connect to abstract sockets of their network",
        }
    }

    /// Puts this process, and all it will start, behind the fence.
    ///
    /// Without `CAP_SYS_ADMIN` the kernel wants no-new-privileges for that. Fails where Landlock
    /// has nothing of what is asked for.
    pub(super) fn enter(self) -> Result<Fenced, Failure> {
        let stage = "confine the command with Landlock";
        let mut no_new_privileges = false;
        let mut status = self.restrict(no_new_privileges);
        if status.as_ref().is_err_and(|error| number(error) == Errno::PERM.raw_os_error()) {
            no_new_privileges = true;
            status = self.restrict(no_new_privileges);
        }
        let status = status.map_err(|error| io::Error::from_raw_os_error(number(&error)));
        let status = status.stage(stage)?;
        let scoped = match status.landlock {
            LandlockStatus::Available { effective_abi, .. } => effective_abi >= ABI::V6,
            LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => false,
        };
        if status.ruleset == RulesetStatus::NotEnforced {
            let missing = match status.landlock {
                LandlockStatus::NotEnabled => Errno::OPNOTSUPP,
                LandlockStatus::NotImplemented | LandlockStatus::Available { .. } => Errno::NOSYS,
            };
            return Err(missing).stage(stage);
        }
        Ok(Fenced { scoped, no_new_privileges })
    }

    fn restrict(self, no_new_privileges: bool) -> Result<RestrictionStatus, RulesetError> {
        let rights = AccessFs::from_all(NEWEST);
        let rules = match self {
            Self::Files => Ruleset::default().handle_access(rights)?.scope(Scope::from_all(NEWEST)),
            Self::Processes => Ruleset::default().scope(Scope::from_all(NEWEST)),
            Self::Sockets => Ruleset::default().scope(Scope::AbstractUnixSocket),
        };
        let mut rules = rules?.create()?.no_new_privs(no_new_privileges);
        if self == Self::Files {
            // Renaming from one directory into another must be allowed by name, or else it is not.
            let root = PathFd::new("/").map(|root| PathBeneath::new(root, rights));
            // A process that cannot open its own root is as confined as can be.
            if let Ok(root) = root {
                rules = rules.add_rule(root)?;
            }
        }
        rules.restrict_self()
    }
}

/// The number of the system call's error behind an error.
fn number(error: &RulesetError) -> i32 {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(number) = error.downcast_ref().and_then(io::Error::raw_os_error) {
            return number;
        }
        cause = error.source();
    }
    Errno::INVAL.raw_os_error()
}
