//! What this machine or container allows a build, and what would lift what it does not.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::sandbox::{Entered, Help, Isolation, Mapping, Rung, Trial};
use crate::snapshot::{self, Choice, SnapshotError};

mod cgroup;
mod process;

pub use cgroup::Limits;
pub use process::Process;

/// The answer to everything. Its form as JSON is told by `docs/isolation.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of the form; raised when a field changes its meaning or goes.
    pub version: u32,
    /// Whether commands can be run.
    pub runs: bool,
    /// How: `namespaces`, `chroot` or `in-place`.
    pub isolation: Option<&'static str>,
    /// Which of the ways into namespaces.
    pub way: Option<&'static str>,
    /// `overlay` or `tree`, for builds with commands.
    pub snapshotter: &'static str,
    /// Whether roots can be overlays.
    pub overlay: Trial,
    /// Whether files can be copied without their content.
    pub reflinks: bool,
    /// The ways to run commands, the most confined first.
    pub rungs: Vec<Rung>,
    /// The work directory.
    pub work: Work,
    /// The builder as it was started.
    pub process: Process,
    /// What the control groups leave it.
    pub limits: Limits,
}

/// The work directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Where it is.
    pub path: PathBuf,
    /// What it lies on.
    pub file_system: String,
    /// Bytes that can be written.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
}

/// What is found out before the builder enters what it found: afterwards it looks different.
#[derive(Clone, Debug)]
pub struct Outside {
    rungs: Vec<Rung>,
    process: Process,
    limits: Limits,
}

impl Outside {
    /// Looks around, and tries every rung. Only for a process with a single thread.
    pub fn look(work: &Path) -> Self {
        Self {
            rungs: crate::sandbox::survey(work),
            process: Process::read(),
            limits: Limits::read(),
        }
    }

    /// The whole report. `entered` is where this process is by now; none if what was asked for
    /// cannot be had.
    ///
    /// # Errors
    ///
    /// If the work directory cannot be used.
    pub fn report(self, entered: Option<&Entered>, work: &Path) -> io::Result<Report> {
        let isolation = entered.and_then(|entered| entered.isolation);
        let way = match isolation {
            Some(Isolation::Namespaces { mapping, .. }) => Some(Mapping::name(mapping)),
            Some(Isolation::Chroot { .. } | Isolation::InPlace) | None => None,
        };
        let scratch = Scratch::new(work)?;
        let overlay = overlay(&scratch.0, work);
        let stackable = isolation.is_none_or(Isolation::has_mounts);
        let snapshotter = if overlay.works && stackable { "overlay" } else { "tree" };
        Ok(Report {
            version: 1,
            runs: isolation.is_some(),
            isolation: isolation.map(Isolation::name),
            way,
            snapshotter,
            overlay,
            reflinks: reflinks(&scratch.0)?,
            rungs: self.rungs,
            work: Work::read(work)?,
            process: self.process,
            limits: self.limits,
        })
    }
}

/// Whether overlays work where roots will lie.
fn overlay(scratch: &Path, work: &Path) -> Trial {
    const VOLUME: [Help; 2] = [
        Help { of: "Kubernetes", setting: "an emptyDir volume, mounted at the work directory" },
        Help { of: "Docker", setting: "--volume kaniko:/kaniko" },
    ];
    match snapshot::choose(Choice::Overlay, scratch, &CancellationToken::new()) {
        Ok(_) => Trial::works(),
        Err(SnapshotError::Nested { .. }) => Trial::fails(
            format!("`{}` lies on an overlay itself, as the root of a container", work.display()),
            &VOLUME,
        ),
        Err(error) => Trial::fails(snapshot::chain(&error), &[]),
    }
}

/// Whether a file can share its content with another.
fn reflinks(scratch: &Path) -> io::Result<bool> {
    let from = scratch.join("from");
    std::fs::write(&from, [1; 4096])?;
    let (from, to) = (File::open(from)?, File::create(scratch.join("to"))?);
    Ok(rustix::fs::ioctl_ficlone(&to, &from).is_ok())
}

impl Work {
    fn read(path: &Path) -> io::Result<Self> {
        let (kind, room) = (rustix::fs::statfs(path)?, rustix::fs::statvfs(path)?);
        Ok(Self {
            path: path.to_owned(),
            file_system: name_of(kind.f_type),
            free: room.f_bavail.saturating_mul(room.f_frsize),
            size: room.f_blocks.saturating_mul(room.f_frsize),
        })
    }
}

/// The name of a file system by the number that `statfs(2)` has for it.
fn name_of(magic: rustix::fs::FsWord) -> String {
    // `linux/magic.h`, and the sources of those that have no line there.
    let name = match magic {
        0xef53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x794c_7630 => "overlay",
        0x0102_1994 => "tmpfs",
        0x2fc1_2fc1 => "zfs",
        0xf2f5_2010 => "f2fs",
        0x6969 => "nfs",
        0x0102_1997 => "9p",
        0x6573_5546 => "fuse",
        0x00c3_6400 => "ceph",
        0xca45_1a4e => "bcachefs",
        unknown => return format!("{unknown:#x}"),
    };
    name.to_owned()
}

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(work: &Path) -> io::Result<Self> {
        let path = work.join(format!(".doctor-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left to tell.
        crate::remove::tree(&self.0).ok();
    }
}
