//! What a step's init does in namespaces: a file system of its own, put together mount by mount.

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use ir::instruction::{Network, Security};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::mount::{MountAttrFlags, MountPropagationFlags, UnmountFlags};
use rustix::process::DumpableBehavior;
use rustix::thread::UnshareFlags;

use super::spec::{self, Access, Failure, HOSTS, Mount, MountKind, Namespaces, Stage as _};
use super::{devices, mounting, sys};
use crate::rootdir::RootDir;

/// Puts this process into namespaces, and into the root that the specification describes.
pub(super) fn enter(own: &Namespaces, descriptors: Vec<OwnedFd>) -> Result<(), Failure> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .stage("protect the step's init")?;
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    let alone = own.network == Network::None;
    flags.set(UnshareFlags::NEWNET, alone);
    sys::unshare(flags).stage("make the step's namespaces")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).stage("make mounts private")?;
    if alone {
        // Root of the machine's user namespace needs CAP_NET_ADMIN for it, and may do without.
        sys::loopback_up().ok();
    }
    // Seccomp profiles refuse it; a name is not worth a failed step.
    let named = rustix::system::sethostname(own.hostname.as_bytes()).is_ok();

    let mut setup = Setup::begin(own, descriptors)?;
    devices::dev(&setup.root, own.shared_memory)?;
    devices::proc(&setup.root, own.own_pids, own.security)?;
    devices::sys(&setup.root, own.security)?;
    for (target, content) in &own.files {
        let mut content = content.clone();
        if target == HOSTS && !named {
            content.extend(local_line(rustix::system::uname().nodename()));
        }
        let file = MountKind::File { content, mode: 0o644, uid: 0, gid: 0, readonly: false };
        setup.mount(target, &file)?;
    }
    for Mount { target, kind } in &own.mounts {
        setup.mount(target, kind)?;
    }
    setup.scripts()?;
    setup.pivot()
}

/// A root while its mounts are made.
struct Setup<'a> {
    own: &'a Namespaces,
    root: RootDir,
    descriptors: Vec<Option<OwnedFd>>,
    /// Files and directories made for this step so far; they need names.
    made: usize,
}

impl<'a> Setup<'a> {
    /// Mounts the tmpfs that everything made for the step lives in, and the root within it.
    fn begin(own: &'a Namespaces, descriptors: Vec<OwnedFd>) -> Result<Self, Failure> {
        let options = [("mode", Some("700"))];
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        mounting::new("tmpfs", &options, attributes)
            .and_then(|stage| mounting::attach(stage.as_fd(), &own.stage))
            .stage("mount a tmpfs")?;
        let at = own.stage.join("root");
        fs::create_dir(&at).stage("make the root's mount point")?;
        let mut descriptors: Vec<_> = descriptors.into_iter().map(Some).collect();
        // The socket for reports has been taken out from before the root.
        let root = take(&mut descriptors, spec::ROOT)?;
        if own.security == Security::Sandbox {
            mounting::forbid_devices(root.as_fd()).stage("forbid devices")?;
        }
        mounting::attach(root.as_fd(), &at).stage("mount the root")?;
        Ok(Self { own, root: RootDir::from_fd(root), descriptors, made: 0 })
    }

    fn name(&mut self) -> PathBuf {
        self.made += 1;
        self.own.stage.join(self.made.to_string())
    }

    fn mount(&mut self, target: &str, kind: &MountKind) -> Result<(), Failure> {
        let stage = format!("mount `{target}`");
        let mount = match kind {
            MountKind::Attach { descriptor, access } => {
                let mount = take(&mut self.descriptors, *descriptor)?;
                mounting::forbid_devices(mount.as_fd()).stage(&stage)?;
                match access {
                    Access::Shared => mount,
                    Access::ReadOnly => {
                        mounting::make_readonly(mount.as_fd(), true).stage(&stage)?;
                        mount
                    }
                    Access::ThrowAway => self.throw_away(&mount, &stage)?,
                }
            }
            MountKind::Tmpfs { size, readonly } => {
                let size = size.map(|bytes| bytes.to_string());
                let mut options = vec![("mode", Some("1777"))];
                if let Some(size) = &size {
                    options.push(("size", Some(size)));
                }
                let mut attributes = mounting::PLAIN - MountAttrFlags::MOUNT_ATTR_NOEXEC;
                attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, *readonly);
                mounting::new("tmpfs", &options, attributes).stage(&stage)?
            }
            MountKind::File { content, mode, uid, gid, readonly } => {
                let path = self.name();
                write(&path, content, *mode, (*uid, *gid)).stage(&stage)?;
                let mount = mounting::clone(&path).stage(&stage)?;
                if *readonly {
                    mounting::make_readonly(mount.as_fd(), false).stage(&stage)?;
                }
                mount
            }
        };
        mounting::place(&self.root, target, mount.as_fd())
    }

    /// A mount like the given one whose changes are lost: an overlay, or for a file a copy.
    fn throw_away(&mut self, mount: &OwnedFd, stage: &str) -> Result<OwnedFd, Failure> {
        let stat = rustix::fs::fstat(mount).stage(stage)?;
        let lower = self.name();
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            let copy = self.name();
            File::create(&lower).stage(stage)?;
            mounting::attach(mount.as_fd(), &lower).stage(stage)?;
            fs::copy(&lower, &copy).stage(stage)?;
            std::os::unix::fs::chown(&copy, Some(stat.st_uid), Some(stat.st_gid)).stage(stage)?;
            return mounting::clone(&copy).stage(stage);
        }
        fs::create_dir(&lower).stage(stage)?;
        mounting::attach(mount.as_fd(), &lower).stage(stage)?;
        // On disk, if what is there can carry an overlay; else in memory.
        let number = self.made.to_string();
        let on_disk = self.own.disk.join(&number);
        let in_memory = self.name();
        self.overlay(&lower, &on_disk)
            .or_else(|_| self.overlay(&lower, &in_memory))
            .stage(&format!("{stage} for writing"))
    }

    fn overlay(&self, lower: &Path, at: &Path) -> std::io::Result<OwnedFd> {
        let (upper, work) = (at.join("upper"), at.join("work"));
        fs::create_dir_all(&upper)?;
        fs::create_dir_all(&work)?;
        let stat = fs::metadata(lower)?;
        fs::set_permissions(&upper, stat.permissions())?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (lower, upper, work) = (text(lower), text(&upper), text(&work));
        let mut options = vec![
            ("lowerdir", Some(lower.as_str())),
            ("upperdir", Some(upper.as_str())),
            ("workdir", Some(work.as_str())),
        ];
        if self.own.overlay_user_xattrs {
            options.push(("userxattr", None));
        }
        mounting::new("overlay", &options, MountAttrFlags::MOUNT_ATTR_NODEV)
    }

    /// Shows the scripts of heredocs below `/dev/pipes`, read-only.
    fn scripts(&mut self) -> Result<(), Failure> {
        if self.own.scripts.is_empty() {
            return Ok(());
        }
        let directory = self.name();
        fs::create_dir(&directory).stage("make the scripts' directory")?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755))
            .stage("make the scripts' directory")?;
        let inside = RootDir::open(&directory).stage("open the scripts' directory")?;
        for (name, content) in &self.own.scripts {
            let stage = format!("write the script `{name}`");
            let path = Path::new(name);
            mounting::make_file(&inside, path).stage(&stage)?;
            let opened = inside.open_at(path, OFlags::WRONLY | OFlags::TRUNC, Mode::empty());
            let mut file = File::from(opened.stage(&stage)?);
            file.write_all(content.as_bytes()).stage(&stage)?;
            file.set_permissions(fs::Permissions::from_mode(0o755)).stage(&stage)?;
        }
        let mount = mounting::clone(&directory).stage("mount the scripts")?;
        mounting::make_readonly(mount.as_fd(), false).stage("mount the scripts")?;
        mounting::place(&self.root, "/dev/pipes", mount.as_fd())
    }

    /// Makes the root `/`, and lets go of everything else.
    fn pivot(self) -> Result<(), Failure> {
        rustix::process::fchdir(self.root.fd()).stage("enter the root")?;
        if rustix::process::pivot_root(".", ".").is_ok() {
            // The old root now lies on top of the new one.
            rustix::mount::unmount(".", UnmountFlags::DETACH).stage("detach the old root")?;
        } else {
            // Seccomp profiles may refuse it, and an initial RAM disk cannot be pivoted away.
            rustix::mount::mount_move(".", "/").stage("move the root")?;
            rustix::process::chroot(".").stage("change the root")?;
        }
        rustix::process::chdir("/").stage("enter the root")
    }
}

/// A line of `/etc/hosts` by which a machine finds itself.
fn local_line(name: &CStr) -> Vec<u8> {
    [b"127.0.0.1\t", name.to_bytes(), b"\n"].concat()
}

fn take(descriptors: &mut [Option<OwnedFd>], number: usize) -> Result<OwnedFd, Failure> {
    // The first of those that were sent, the socket for reports, is no longer among them.
    let slot = number.checked_sub(1).and_then(|index| descriptors.get_mut(index));
    let missing = std::io::Error::from_raw_os_error(libc::EBADF);
    slot.and_then(Option::take).ok_or(missing).stage("find a descriptor of the step")
}

fn write(path: &Path, content: &[u8], mode: u32, owner: (u32, u32)) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    fchown(&file, Some(owner.0), Some(owner.1))?;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))
}
