//! The rungs of the ladder, and finding out which of them hold here.
//!
//! Each is tried in a forked child, on the real work directory, by what a step will do there.
//! Version numbers, names and files in `/proc` say little about what a container may do, so they
//! are not asked; and whatever the kernel answers, a refusal means that the rung is not to be had:
//! seccomp profiles, security modules and old kernels each have their own number for it.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fd::AsFd as _;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::mount::{MountAttrFlags, MountPropagationFlags};
use rustix::process::{Signal, Uid};
use rustix::thread::{CapabilitySet, UnshareFlags};
use serde::{Deserialize, Serialize};

use super::child::{Child, in_child};
use super::idmap::IdMap;
use super::spec::{Failure, Stage as _};
use super::{Mapping, devices, fake_ids, mounting, shim, sys};

/// A way into namespaces.
pub(super) enum Way {
    /// With the privilege to mount.
    Privileged,
    /// Through a user namespace.
    User(IdMap),
}

/// What a probe found beside that it works.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Probed {
    /// Why there cannot be a pid namespace, if so.
    pub no_pids: Option<Failure>,
}

/// The ways worth trying, the best first.
pub(super) fn ways() -> Vec<Way> {
    let privileged = rustix::process::geteuid().is_root()
        && rustix::thread::capabilities(None)
            .is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN));
    let mut ways: Vec<Way> = IdMap::candidates().into_iter().map(Way::User).collect();
    if privileged {
        ways.insert(0, Way::Privileged);
    }
    ways
}

// What is tried, as failures name it.
pub(super) const USER_NAMESPACE: &str = "make a user namespace";
pub(super) const PRIVATE_MOUNTS: &str = "make mounts private";
pub(super) const FRESH_PROC: &str = "mount `/proc`";
pub(super) const DEVICE: &str = "make a device";
pub(super) const CHANGE_ROOT: &str = "change the root";

impl Way {
    /// What the log calls it.
    pub(super) fn name(&self) -> &'static str {
        self.mapping().name()
    }

    /// Whose ids a process has that went this way.
    pub(super) fn mapping(&self) -> Mapping {
        match self {
            Self::Privileged => Mapping::Machine,
            Self::User(map) => map.mapping(),
        }
    }

    /// Tries it in a child. That process does what a step's init will do.
    pub(super) fn probe(&self, work: &Path) -> Result<Probed, Failure> {
        in_child(|| self.probe_here(work))
    }

    /// Tries in a child whether a step can have a network namespace. What is wrong with its
    /// loopback interface is no failure.
    pub(super) fn probe_network(&self) -> Result<Option<Failure>, Failure> {
        in_child(|| {
            self.enter_namespaces()?;
            sys::unshare(UnshareFlags::NEWNET).stage("make a network namespace")?;
            Ok(sys::loopback_up().stage("bring the loopback interface up").err())
        })
    }

    /// Puts this process into a mount namespace of its own, from which nothing gets out, and hands
    /// the work directory over to who it is there.
    pub(super) fn enter(&self, work: &Path) -> Result<(), Failure> {
        if let Self::User(IdMap::Swapped { root, .. }) = self {
            std::os::unix::fs::chown(work, Some(*root), None)
                .stage("hand the work directory over")?;
        }
        self.enter_namespaces()?;
        if self.mapping() == Mapping::Single {
            fake_ids::pretend().stage("pretend that there are other users")?;
        }
        Ok(())
    }

    /// As [`Way::enter`], for a child that leaves the work directory alone.
    pub(super) fn enter_namespaces(&self) -> Result<(), Failure> {
        match self {
            Self::Privileged => {
                sys::unshare(UnshareFlags::NEWNS).stage("make a mount namespace")?;
            }
            Self::User(map) => enter_user_namespace(map)?,
        }
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).stage(PRIVATE_MOUNTS)
    }

    fn probe_here(&self, work: &Path) -> Result<Probed, Failure> {
        self.enter_namespaces()?;
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
        mounting::clone(Path::new("/proc")).stage("clone `/proc`")?;
        let no_pids = sys::unshare(UnshareFlags::NEWPID)
            .stage("make a pid namespace")
            .and_then(|()| in_child(|| devices::fresh_proc().map(drop).stage(FRESH_PROC)))
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
    let unshared = sys::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS).stage(USER_NAMESPACE);
    made.write_all(&[u8::from(unshared.is_ok())]).stage("wake the mapper")?;
    let mapped = mapper.finish();
    unshared.and(mapped)?;
    // Where root was swapped, this process is nobody until it says who it is.
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
        .stage("become root of the user namespace")
}

/// How a chroot comes by its devices.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Devices {
    /// They are made.
    Made,
    /// The builder's are lent, as none can be made.
    Lent(Failure),
}

/// Tries in a child what a chroot needs: itself, and devices that can be made and opened, or lent.
pub(super) fn probe_chroot(work: &Path) -> Result<Devices, Failure> {
    in_child(|| probe_chroot_here(work))
}

fn probe_chroot_here(work: &Path) -> Result<Devices, Failure> {
    let devices = match open_device(work, rustix::fs::makedev(1, 3)).stage(DEVICE) {
        Ok(()) => Devices::Made,
        Err(failure) if devices::can_be_lent() && in_child(shim::probe).is_ok() => {
            Devices::Lent(failure)
        }
        Err(failure) => return Err(failure),
    };
    rustix::process::chdir(work).stage("enter the work directory")?;
    rustix::process::chroot(".").stage(CHANGE_ROOT)?;
    Ok(devices)
}

/// Whether someone, as the device cgroup of a container does, sees to it that a device that was made
/// cannot be opened unless it is harmless. Only where nobody does, one that does not exist is told
/// from one that is forbidden.
pub(super) fn devices_are_guarded(work: &Path) -> bool {
    let refused = in_child(|| {
        // Beyond all numbers that are given to devices.
        open_device(work, rustix::fs::makedev(4095, 0)).stage("open a device")
    });
    refused.is_err_and(|failure| failure.errno == libc::EPERM)
}

/// Makes a device in a directory, opens it, and removes it.
fn open_device(directory: &Path, device: u64) -> io::Result<()> {
    let name = format!(".probe-{}", rustix::process::getpid().as_raw_nonzero());
    let path = directory.join(name);
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, mode, device)?;
    let opened = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, mode);
    rustix::fs::unlink(&path)?;
    Ok(opened.map(drop)?)
}
