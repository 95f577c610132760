//! Makes everything ready that a step needs, before its process is started.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use ir::instruction::{Network, Security};
use ir::op::InlineFile;
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::fence::Guard;
use super::in_place::Swap;
use super::layout::Layout;
use super::limits::Limits;
use super::relay::Relay;
use super::spec::{Access, Confinement, HOSTS, Ids, Mount, MountKind, Namespaces, ROOT, Spec};
use super::stubs::Stubs;
use super::{
    Answered, Isolation, Mapping, SandboxError, Step, StepMount, command, mounting, strangers,
};
use crate::rootdir::RootDir;
use crate::users::User;

/// The host name in a step that asks for none; constant, as it may end up in what the step writes.
const HOSTNAME: &str = "kaniko";

/// Where a Debian has settings of apt.
const APT_SETTINGS: &str = "/etc/apt/apt.conf.d";

/// What to make ready.
pub(super) struct Task {
    pub isolation: Isolation,
    pub guard: Guard,
    pub root: RootDir,
    pub mount: Option<OwnedFd>,
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub cwd: String,
    pub ids: Ids,
    pub mounts: Vec<StepMount>,
    pub scripts: Vec<InlineFile>,
    pub network: Network,
    pub security: Security,
    pub hostname: String,
    pub hosts: Vec<(String, IpAddr)>,
    pub limits: Limits,
    pub scratch: PathBuf,
}

/// What is ready.
pub(super) struct Prepared {
    pub spec: Spec,
    /// Those that the specification names, from [`ROOT`] on.
    pub descriptors: Vec<OwnedFd>,
    pub relays: Vec<Relay>,
    pub undo: Undo,
}

/// How to leave everything as if nothing had been made for the step.
pub(super) struct Undo {
    root: RootUndo,
    attached: Attached,
}

enum RootUndo {
    /// After a step in namespaces.
    Stubs(Stubs),
    /// After a step in a chroot.
    Layout(Layout),
    /// After a step in place: what was laid out goes before the root does.
    Swap(Layout, Swap),
}

impl Undo {
    pub(super) fn finish(self) -> Result<(), SandboxError> {
        let undone = match self.root {
            RootUndo::Stubs(stubs) => stubs.undo(),
            RootUndo::Layout(layout) => layout.take_away(),
            RootUndo::Swap(layout, swap) => {
                let taken = layout.take_away();
                swap.finish().and(taken)
            }
        };
        drop(self.attached);
        undone.map_err(SandboxError::prepare("put away what was made"))
    }
}

impl Task {
    pub(super) fn new(
        isolation: Isolation,
        guard: Guard,
        root: RootDir,
        user: User,
        step: Step<'_>,
    ) -> Self {
        let mut env = step.env.to_vec();
        let home = user.home;
        for (name, value) in [("PATH", command::DEFAULT_PATH), ("HOME", home.as_str())] {
            if !env.iter().any(|(known, _)| known == name) {
                env.push((name.to_owned(), value.to_owned()));
            }
        }
        Self {
            isolation,
            // A step that is trusted has the capabilities to do all that would be forbidden.
            guard: if step.security == Security::Sandbox { guard } else { Guard::default() },
            root,
            mount: step.mount,
            argv: step.argv.to_vec(),
            env,
            cwd: step.cwd.to_owned(),
            ids: Ids { uid: user.uid, gid: user.gid, groups: user.groups },
            mounts: step.mounts,
            scripts: step.scripts.to_vec(),
            network: step.network,
            security: step.security,
            hostname: step.hostname.unwrap_or(HOSTNAME).to_owned(),
            hosts: step.hosts.to_vec(),
            limits: step.limits.clone(),
            scratch: step.scratch.to_owned(),
        }
    }

    pub(super) fn prepare(self) -> Result<Prepared, SandboxError> {
        match self.isolation {
            Isolation::Namespaces { mapping, pids } => {
                let mut files = files(&self.hostname, &self.hosts);
                if mapping == Mapping::Single {
                    files.extend(self.settings_for_a_single_user());
                }
                let own = Namespaces {
                    stage: self.scratch.join("stage"),
                    disk: self.scratch.join("disk"),
                    own_pids: pids,
                    overlay_user_xattrs: mapping != Mapping::Machine,
                    network: self.network,
                    security: self.security,
                    shared_memory: self.limits.shared_memory(),
                    files,
                    hostname: self.hostname.clone(),
                    mounts: Vec::new(),
                    scripts: Vec::new(),
                };
                self.for_namespaces(own)
            }
            Isolation::Chroot { answered } => {
                self.refuse_devices()?;
                self.for_chroot(answered)
            }
            Isolation::InPlace => {
                self.refuse_devices()?;
                self.for_in_place()
            }
        }
    }

    /// Refuses a step that would see devices which nobody keeps it from.
    fn refuse_devices(&self) -> Result<(), SandboxError> {
        if self.guard.makes_devices || self.security == Security::Insecure {
            return Ok(());
        }
        strangers::refuse(&self.root, &self.mounts)
    }

    /// What programs must be told that see through it when users are pretended: apt looks whether it
    /// has become the user that its downloads belong to.
    fn settings_for_a_single_user(&self) -> Option<(String, Vec<u8>)> {
        let directory = self.root.stat(Path::new(APT_SETTINGS)).ok().flatten()?;
        let is_there = FileType::from_raw_mode(directory.st_mode) == FileType::Directory;
        let content = b"APT::Sandbox::User \"root\";\n".to_vec();
        is_there.then(|| (format!("{APT_SETTINGS}/99kaniko"), content))
    }

    fn for_namespaces(mut self, mut own: Namespaces) -> Result<Prepared, SandboxError> {
        let scripts = std::mem::take(&mut self.scripts).into_iter();
        own.scripts = scripts.map(|file| (file.name, file.content)).collect();
        let mut attached = Attached::default();
        let root = match self.mount.take() {
            Some(mount) => mount,
            None => attached
                .clone_beneath(&self.root, Path::new(""), &self.scratch)
                .map_err(SandboxError::prepare("mount the root"))?,
        };
        for directory in [&own.stage, &own.disk] {
            fs::create_dir(directory).map_err(SandboxError::prepare("make a directory"))?;
        }
        let stubs = self.root.try_clone().map(Stubs::new);
        let mut stubs = stubs.map_err(SandboxError::prepare("open the root"))?;
        let mut sources = Sources { descriptors: vec![root], relays: Vec::new(), attached };
        for mount in std::mem::take(&mut self.mounts) {
            let mount = self.source(mount, &mut sources)?;
            own.mounts.push(mount);
        }
        let placed = place_stubs(&mut stubs, &own, &sources.descriptors);
        placed.map_err(SandboxError::prepare("make mount points"))?;
        let Sources { descriptors, relays, attached } = sources;
        let spec = self.spec(Confinement::Namespaces(own));
        Ok(Prepared {
            spec,
            descriptors,
            relays,
            undo: Undo { root: RootUndo::Stubs(stubs), attached },
        })
    }

    fn for_chroot(mut self, answered: Answered) -> Result<Prepared, SandboxError> {
        let descriptors = self.root.fd().try_clone_to_owned().map(|root| vec![root]);
        let descriptors = descriptors.map_err(SandboxError::prepare("open the root"))?;
        let root = self.root.try_clone().map_err(SandboxError::prepare("open the root"))?;
        let mut layout = Layout::new(root, self.scratch.clone());
        let mut relays = Vec::new();
        layout.devices(answered.devices()).map_err(SandboxError::prepare("make devices"))?;
        if answered.proc() {
            layout.proc().map_err(SandboxError::prepare("make stand-ins for `/proc`"))?;
        }
        for (target, content) in files(&self.hostname, &self.hosts) {
            let action = format!("write `{target}`");
            layout.file(&target, &content, 0o644, (0, 0)).map_err(SandboxError::prepare(action))?;
        }
        self.lay_out(&mut layout, &mut relays)?;
        let network = self.network;
        let spec = self.spec(Confinement::Chroot { network, answered });
        Ok(Prepared {
            spec,
            descriptors,
            relays,
            undo: Undo { root: RootUndo::Layout(layout), attached: Attached::default() },
        })
    }

    /// Swaps the root in; what is laid out is laid out there, where the container's mounts are too.
    fn for_in_place(mut self) -> Result<Prepared, SandboxError> {
        let files = files(&self.hostname, &self.hosts);
        let swap = Swap::begin(&self.root);
        let swap = swap.map_err(SandboxError::prepare("move the root into `/`"))?;
        let root = RootDir::open(Path::new("/")).map_err(SandboxError::prepare("open the root"))?;
        let mut layout = Layout::new(root, self.scratch.clone());
        let mut relays = Vec::new();
        for (target, content) in files {
            let action = format!("write `{target}`");
            // What the container engine has mounted says the same.
            let mut place = || {
                if Swap::is_mounted(Path::new(&target))? {
                    return Ok(());
                }
                layout.file(&target, &content, 0o644, (0, 0))
            };
            place().map_err(SandboxError::prepare(action))?;
        }
        self.lay_out(&mut layout, &mut relays)?;
        let network = self.network;
        Ok(Prepared {
            spec: self.spec(Confinement::InPlace { network }),
            descriptors: Vec::new(),
            relays,
            undo: Undo { root: RootUndo::Swap(layout, swap), attached: Attached::default() },
        })
    }

    /// Puts the step's mounts and scripts into the root.
    fn lay_out(
        &mut self,
        layout: &mut Layout,
        relays: &mut Vec<Relay>,
    ) -> Result<(), SandboxError> {
        for mount in std::mem::take(&mut self.mounts) {
            let action = format!("mount {}", mount.described());
            let relay = layout.mount(mount).map_err(SandboxError::prepare(action))?;
            relays.extend(relay);
        }
        for script in std::mem::take(&mut self.scripts) {
            let target = format!("/dev/pipes/{}", script.name);
            let content = script.content.as_bytes();
            layout
                .file(&target, content, 0o755, (0, 0))
                .map_err(SandboxError::prepare(format!("write `{target}`")))?;
        }
        Ok(())
    }

    fn spec(self, confinement: Confinement) -> Spec {
        Spec {
            confinement,
            argv: self.argv,
            env: self.env,
            cwd: self.cwd,
            ids: self.ids,
            security: self.security,
            limits: self.limits.resources,
            guard: self.guard,
        }
    }

    /// Opens what a step's mount shows.
    fn source(&self, mount: StepMount, to: &mut Sources) -> Result<Mount, SandboxError> {
        let action = format!("mount {}", mount.described());
        let number = to.relays.len();
        let opened = match mount {
            StepMount::Bind { target, from, source, writable } => to
                .attached
                .clone_beneath(&RootDir::from_fd(from), Path::new(&source), &self.scratch)
                .map(|fd| {
                    let access = if writable { Access::ThrowAway } else { Access::ReadOnly };
                    Mount { target, kind: to.attach(fd, access) }
                }),
            StepMount::Cache { target, directory, readonly } => {
                mounting::clone(&directory).map(|fd| {
                    let access = if readonly { Access::ReadOnly } else { Access::Shared };
                    Mount { target, kind: to.attach(fd, access) }
                })
            }
            StepMount::Tmpfs { target, size, readonly } => {
                Ok(Mount { target, kind: MountKind::Tmpfs { size, readonly } })
            }
            StepMount::Secret { target, content, mode, uid, gid } => Ok(Mount {
                target,
                kind: MountKind::File { content, mode, uid, gid, readonly: true },
            }),
            StepMount::Ssh { target, socket, mode, uid, gid } => {
                let path = self.scratch.join(format!("agent-{number}"));
                listen(&path, mode, (uid, gid)).and_then(|listener| {
                    to.relays.push(Relay { listener, agent: socket });
                    let fd = mounting::clone(&path)?;
                    Ok(Mount { target, kind: to.attach(fd, Access::Shared) })
                })
            }
        };
        opened.map_err(SandboxError::prepare(action))
    }
}

/// Mounts of the builder's own that a step needs; dropping this takes them off.
#[derive(Default)]
struct Attached(Vec<PathBuf>);

impl Attached {
    /// A detached mount of something beneath a directory, which may itself be a detached mount.
    fn clone_beneath(
        &mut self,
        root: &RootDir,
        path: &Path,
        scratch: &Path,
    ) -> io::Result<OwnedFd> {
        let fd = root.open_at(path, OFlags::PATH, Mode::empty())?;
        match mounting::clone_fd(fd.as_fd()) {
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                self.attach(root, scratch)?;
                mounting::clone_fd(fd.as_fd())
            }
            other => other,
        }
    }

    /// Before Linux 6.15, what is attached nowhere cannot be cloned: so it is attached, in the
    /// builder's private mount namespace, until the step has ended.
    fn attach(&mut self, root: &RootDir, scratch: &Path) -> io::Result<()> {
        let at = scratch.join(format!("view-{}", self.0.len()));
        fs::create_dir(&at)?;
        mounting::attach(root.fd(), &at)?;
        self.0.push(at);
        Ok(())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        for at in &self.0 {
            rustix::mount::unmount(at, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).ok();
        }
    }
}

/// What the mounts of a step show.
struct Sources {
    descriptors: Vec<OwnedFd>,
    relays: Vec<Relay>,
    attached: Attached,
}

impl Sources {
    fn attach(&mut self, fd: OwnedFd, access: Access) -> MountKind {
        self.descriptors.push(fd);
        // The root is the first of these.
        MountKind::Attach { descriptor: ROOT + self.descriptors.len() - 1, access }
    }
}

/// Makes what the mounts of a step stand on, in the root.
fn place_stubs(stubs: &mut Stubs, own: &Namespaces, descriptors: &[OwnedFd]) -> io::Result<()> {
    for directory in ["/dev", "/proc", "/sys"] {
        stubs.directory(Path::new(directory))?;
    }
    for (target, _) in &own.files {
        stubs.file(Path::new(target))?;
    }
    for Mount { target, kind } in &own.mounts {
        let directory = match kind {
            MountKind::Tmpfs { .. } => true,
            MountKind::File { .. } => false,
            MountKind::Attach { descriptor, .. } => {
                let stat = rustix::fs::fstat(&descriptors[descriptor - ROOT])?;
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            }
        };
        if directory {
            stubs.directory(Path::new(target))?;
        } else {
            stubs.file(Path::new(target))?;
        }
    }
    Ok(())
}

/// Listens on a socket at a path of any length.
pub(super) fn listen(path: &Path, mode: u32, owner: (u32, u32)) -> io::Result<UnixListener> {
    // An address has room for 108 bytes.
    let parent = RootDir::open(path.parent().unwrap_or(Path::new("/")))?;
    let name = path.file_name().unwrap_or_default();
    let short = Path::new("/proc/self/fd").join(parent.fd().as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(short)?;
    chown(path, Some(owner.0), Some(owner.1))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))?;
    Ok(listener)
}

/// The files that tell a container about its network.
///
/// What the builder's `/etc/hosts` says about itself is left out: a step has a name of its own.
fn files(name: &str, more: &[(String, IpAddr)]) -> Vec<(String, Vec<u8>)> {
    let resolv = fs::read("/etc/resolv.conf").unwrap_or_default();
    let mut hosts = format!(
        "127.0.0.1\tlocalhost {name}\n::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n"
    );
    // Before what the builder's own says: the first line of a name counts.
    hosts.extend(more.iter().map(|(name, address)| format!("{address}\t{name}\n")));
    let own = fs::read("/etc/hosts").unwrap_or_default();
    for line in String::from_utf8_lossy(&own).lines() {
        let address = line.split_whitespace().next().unwrap_or("#");
        let known = ["127.", "::1", "fe00::", "ff00::", "ff02::", "#"];
        if !known.iter().any(|prefix| address.starts_with(prefix)) {
            hosts += line;
            hosts.push('\n');
        }
    }
    vec![
        ("/etc/resolv.conf".to_owned(), resolv),
        (HOSTS.to_owned(), hosts.into_bytes()),
        ("/etc/hostname".to_owned(), format!("{name}\n").into_bytes()),
    ]
}
