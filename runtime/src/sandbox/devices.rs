//! `/dev`, `/proc` and `/sys` of a step in namespaces.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use ir::instruction::Security;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;

use super::mounting;
use super::spec::{Failure, Stage as _};
use crate::rootdir::RootDir;

/// The devices that a container has: name, major and minor number.
pub(super) const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// The one that is another one for each process: its terminal.
pub(super) const TERMINAL: &str = "tty";

/// What makes pseudo terminals.
pub(super) const MULTIPLEXER: &str = "ptmx";

/// The links to a process's descriptors that a container has in `/dev`.
pub(super) const STREAMS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// What containers do not get to see of a fresh `/proc`: it is about the machine.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
];

/// What containers may not change of it.
const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// A `/dev` in memory with the devices of a container, and so many bytes of shared memory.
pub(super) fn dev(root: &RootDir, shared_memory: u64) -> Result<(), Failure> {
    let options = [("mode", Some("755")), ("size", Some("65536k"))];
    // The devices in it are mounts of their own.
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = mounting::new("tmpfs", &options, attributes).stage("mount `/dev`")?;
    mounting::place(root, "/dev", mount.as_fd())?;
    for (name, _, _) in DEVICES {
        let path = format!("/dev/{name}");
        let device = mounting::clone(Path::new(&path));
        // A device that the builder does not have either is not worth a failed step.
        if let Some(device) = mounting::if_there(device).stage(&format!("clone `{path}`"))? {
            mounting::place(root, &path, device.as_fd())?;
        }
    }
    let pts = devpts().stage("mount `/dev/pts`")?;
    mounting::place(root, "/dev/pts", pts.as_fd())?;
    for (name, target) in STREAMS.into_iter().chain([("ptmx", "pts/ptmx")]) {
        let path = format!("/dev/{name}");
        mounting::make_link(root, Path::new(&path), target).stage(&format!("make `{path}`"))?;
    }
    let size = shared_memory.to_string();
    let shm = [("mode", Some("1777")), ("size", Some(size.as_str()))];
    let shm = mounting::new("tmpfs", &shm, mounting::PLAIN).stage("mount `/dev/shm`")?;
    mounting::place(root, "/dev/shm", shm.as_fd())?;
    // Kernels can be built without message queues.
    if let Ok(queues) = mounting::new("mqueue", &[], mounting::PLAIN) {
        mounting::place(root, "/dev/mqueue", queues.as_fd())?;
    }
    Ok(())
}

/// Whether commands may have this process's devices: they are those of a container, and even root
/// can change nothing about them, which would outlast the command, as in a user namespace that
/// they do not belong to.
pub(super) fn can_be_lent() -> bool {
    DEVICES.iter().filter(|(name, ..)| *name != TERMINAL).all(|(name, major, minor)| {
        let path = format!("/dev/{name}");
        let Ok(stat) = rustix::fs::stat(&path) else { return false };
        let is_it = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && stat.st_rdev == rustix::fs::makedev(*major, *minor);
        is_it && rustix::fs::chmod(&path, Mode::from_raw_mode(stat.st_mode)).is_err()
    })
}

/// The device that is at a path.
pub(super) fn named(path: &[u8]) -> Option<&'static str> {
    let name = path.strip_prefix(b"/dev/")?;
    DEVICES.iter().map(|(known, ..)| *known).find(|known| known.as_bytes() == name)
}

/// Makes what stands for a device that is answered for. Whoever opens it without asking, as those
/// do whose memory cannot be looked into, gets an error: it is a socket that nobody listens to. But
/// for `null` an empty file does nearly as well, and daemons that hide their memory want it.
pub(super) fn stand_in(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let kind = if name == "null" { FileType::RegularFile } else { FileType::Socket };
    rustix::fs::mknodat(parent, name, kind, Mode::from_raw_mode(0o666), 0)
}

/// Pseudo terminals of the step's own.
pub(super) fn devpts() -> io::Result<OwnedFd> {
    let plain = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let own = [("newinstance", None), ("ptmxmode", Some("0666")), ("mode", Some("0620"))];
    let mut with_group = own.to_vec();
    with_group.push(("gid", Some("5")));
    // Where a single id is mapped, the group tty is not.
    mounting::new("devpts", &with_group, plain).or_else(|_| mounting::new("devpts", &own, plain))
}

/// `/proc` of the pid namespace this process is in.
pub(super) fn fresh_proc() -> io::Result<OwnedFd> {
    mounting::new("proc", &[], mounting::PLAIN)
}

/// A fresh `/proc` or, without a pid namespace, the builder's; without what containers hide.
pub(super) fn proc(root: &RootDir, own_pids: bool, security: Security) -> Result<(), Failure> {
    let mount = if own_pids {
        fresh_proc().stage("mount `/proc`")?
    } else {
        mounting::clone(Path::new("/proc")).stage("clone `/proc`")?
    };
    mounting::place(root, "/proc", mount.as_fd())?;
    if security == Security::Insecure {
        return Ok(());
    }
    for path in MASKED {
        let stage = format!("hide `{path}`");
        let Some(stat) = root.stat(Path::new(path)).stage(&stage)? else { continue };
        let cover = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let attributes = mounting::PLAIN | MountAttrFlags::MOUNT_ATTR_RDONLY;
            mounting::new("tmpfs", &[("size", Some("0")), ("mode", Some("555"))], attributes)
        } else {
            mounting::clone(Path::new("/dev/null"))
        };
        mounting::place(root, path, cover.stage(&stage)?.as_fd())?;
    }
    for path in READ_ONLY {
        let stage = format!("protect `{path}`");
        if root.stat(Path::new(path)).stage(&stage)?.is_none() {
            continue;
        }
        let readonly = || -> io::Result<OwnedFd> {
            let open = root.open_at(Path::new(path), OFlags::PATH, Mode::empty())?;
            let mount = mounting::clone_fd(open.as_fd())?;
            mounting::make_readonly(mount.as_fd(), true)?;
            Ok(mount)
        };
        mounting::place(root, path, readonly().stage(&stage)?.as_fd())?;
    }
    Ok(())
}

/// The builder's `/sys`, read-only unless the step is trusted.
pub(super) fn sys(root: &RootDir, security: Security) -> Result<(), Failure> {
    let mount = mounting::clone(Path::new("/sys"));
    let Some(mount) = mounting::if_there(mount).stage("clone `/sys`")? else { return Ok(()) };
    if security == Security::Sandbox {
        mounting::make_readonly(mount.as_fd(), true).stage("protect `/sys`")?;
    }
    mounting::place(root, "/sys", mount.as_fd())
}
