//! Every rung of the ladder as it is here, also those that a build would not get to.

use std::path::Path;

use serde::Serialize;

use super::child::in_child;
use super::fence::Fence;
use super::ladder::{self, Devices, Probed, Way};
use super::spec::Failure;
use super::{Answered, Isolation, Mapping, advice, in_place, shim};

/// A way to confine commands, and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// `namespaces`, `chroot` or `in-place`.
    pub name: &'static str,
    /// Which of several ways it is; none where there is one.
    pub way: Option<&'static str>,
    /// Whether commands can be run so.
    #[serde(flatten)]
    pub trial: Trial,
    /// What commands have there, or have not; nothing where they cannot be run.
    pub parts: Vec<Part>,
}

/// Something that a rung may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// In a few words.
    pub what: &'static str,
    /// Whether it has it.
    #[serde(flatten)]
    pub trial: Trial,
}

/// What came of trying something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Whether it works.
    pub works: bool,
    /// Why not; or, where it works, what to know about it.
    pub reason: Option<String>,
    /// What would make it work, where that is known.
    pub help: Vec<Help>,
}

/// A setting that would lift an obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Help {
    /// Whose it is: `Kubernetes`, `Docker`, `machine` or `kaniko`.
    pub of: &'static str,
    /// What to write there.
    pub setting: &'static str,
}

impl Trial {
    /// It works.
    pub fn works() -> Self {
        Self { works: true, reason: None, help: Vec::new() }
    }

    /// It does not.
    pub fn fails(reason: impl Into<String>, help: &[Help]) -> Self {
        Self { works: false, reason: Some(reason.into()), help: help.to_vec() }
    }

    fn of(result: Result<(), &Failure>) -> Self {
        match result {
            Ok(()) => Self::works(),
            Err(failure) => Self::fails(failure.to_string(), advice::on(failure)),
        }
    }
}

/// Tries every rung in children of this process, which must have a single thread.
pub fn survey(work: &Path) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = ladder::ways().iter().map(|way| namespaces(way, work)).collect();
    rungs.extend([chroot(work), in_place(work)]);
    rungs
}

fn namespaces(way: &Way, work: &Path) -> Rung {
    let probed = way.probe(work);
    let trial = Trial::of(probed.as_ref().map(drop));
    let parts = probed.map_or_else(
        |_| Vec::new(),
        |Probed { no_pids }| {
            let isolation =
                Isolation::Namespaces { mapping: way.mapping(), pids: no_pids.is_none() };
            vec![
                Part {
                    what: "its own processes and /proc",
                    trial: Trial::of(no_pids.as_ref().map_or(Ok(()), Err)),
                },
                Part { what: "any user and group", trial: users(way.mapping()) },
                Part { what: "--network=none", trial: network(way) },
                fence(isolation, || way.enter_namespaces()),
            ]
        },
    );
    Rung { name: "namespaces", way: Some(way.name()), trial, parts }
}

fn chroot(work: &Path) -> Rung {
    let probed = ladder::probe_chroot(work);
    let trial = Trial::of(probed.as_ref().map(drop));
    let parts = match probed {
        Ok(devices) => {
            let watched = in_child(shim::probe);
            let trial = Trial::of(watched.as_ref().map(|_| ()));
            let lent = match &devices {
                Devices::Made => None,
                Devices::Lent(failure) => Some(failure),
            };
            // What the helper answers for is no matter to Landlock.
            let isolation = Isolation::Chroot { answered: Answered::Nothing };
            vec![
                Part { what: "devices of its own", trial: Trial::of(lent.map_or(Ok(()), Err)) },
                Part { what: "/proc and pseudo terminals", trial },
                fence(isolation, || Ok(())),
            ]
        }
        Err(_) => Vec::new(),
    };
    Rung { name: "chroot", way: None, trial, parts }
}

/// What is never taken by itself, as it confines nothing.
fn in_place(work: &Path) -> Rung {
    const UNASKED: &str = "refused unless asked for by `--isolation=in-place`";
    let trial = match in_place::claim(work) {
        Ok(_) => Trial {
            works: true,
            reason: Some(UNASKED.to_owned()),
            help: advice::ASK_FOR_IN_PLACE.to_vec(),
        },
        Err(reason) => Trial::fails(format!("{UNASKED}, and {reason}"), &advice::IN_PLACE),
    };
    Rung { name: Isolation::InPlace.name(), way: None, trial, parts: Vec::new() }
}

fn network(way: &Way) -> Trial {
    match way.probe_network() {
        Ok(no_loopback) => {
            Trial { reason: no_loopback.map(|failure| failure.to_string()), ..Trial::works() }
        }
        Err(failure) => Trial::of(Err(&failure)),
    }
}

fn users(mapping: Mapping) -> Trial {
    match mapping.lacks() {
        None => Trial::works(),
        Some(lack) => Trial::fails(lack, advice::on_users(mapping)),
    }
}

/// What Landlock adds to a rung, which `enter` puts a child on.
fn fence(isolation: Isolation, enter: impl FnOnce() -> Result<(), Failure>) -> Part {
    let fence = Fence::of(isolation);
    let fenced = in_child(|| {
        enter()?;
        fence.enter()
    });
    let trial = match &fenced {
        Err(failure) => Trial::of(Err(failure)),
        Ok(fenced) => Trial {
            works: fenced.scoped,
            reason: (!fenced.scoped)
                .then_some("this kernel has no scopes for it (Linux 6.12 has)")
                .or(fenced.no_new_privileges.then_some("setuid programs gain nothing"))
                .map(str::to_owned),
            help: Vec::new(),
        },
    };
    Part { what: "Landlock", trial }
}
