//! A container for kaniko to run in, as a container engine would make it: a bundle for `crun`, with
//! a root that is an overlay above an image which holds nothing but the static binary.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kaniko::{Call, Place};
use crate::seccomp::Profile;
use crate::tool;

/// Where the binary is in a container.
pub const EXECUTOR: &str = "/kaniko/executor";

/// What Docker, containerd and podman give to a container of root.
pub const DOCKER: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What CRI-O gives.
pub const CRIO: [&str; 9] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
];

/// Paths that container engines cover, with an empty directory or file.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/scsi",
    "/proc/timer_list",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Makes mounts that end with the container, and starts it. The machine's cgroups may have a layout
/// that the runtime does not know.
const START: &str = r#"
mount -t tmpfs cgroup /sys/fs/cgroup
mount -t overlay -o "lowerdir=$1/image,upperdir=$1/upper,workdir=$1/scratch" root "$1/root"
exec crun --cgroup-manager=disabled --root "$1/state" run --bundle "$1" "$2"
"#;

/// What a container is allowed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The user and group that kaniko is.
    pub user: u32,
    /// In all sets of the process, where the user is root.
    pub capabilities: Vec<&'static str>,
    /// The engine's profile.
    pub seccomp: Option<Profile>,
    /// Whether `no_new_privs` is set.
    pub no_new_privileges: bool,
    /// Whether parts of `/proc` and `/sys` are covered or read-only.
    pub masked: bool,
    /// The first id outside of the container's own user namespace, where it has one.
    pub own_users: Option<u32>,
}

/// A container that was not started yet.
#[derive(Debug)]
pub struct Container {
    limits: Limits,
    directory: TempDir,
    mounts: Vec<Value>,
    namespaces: Vec<&'static str>,
    /// What starts kaniko there, with its command line as arguments; nothing else does.
    wrapper: Vec<String>,
}

impl Container {
    /// A container whose image holds a binary and nothing else.
    ///
    /// # Panics
    ///
    /// If its directories cannot be made.
    pub fn new(binary: &Path, limits: Limits) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let path = |name: &str| directory.path().join(name);
        let names = ["image/kaniko", "upper/kaniko", "scratch", "root", "state"];
        for name in names {
            fs::create_dir_all(path(name)).expect("the directory is ours");
        }
        let copy = path("image").join(&EXECUTOR[1..]);
        if fs::hard_link(binary, &copy).is_err() {
            fs::copy(binary, &copy).expect("the binary can be read");
        }
        let namespaces = vec!["pid", "ipc", "uts", "mount", "network"];
        let (mounts, wrapper) = (Vec::new(), Vec::new());
        let container = Self { limits, directory, mounts, namespaces, wrapper };
        // Root of the container's own users has to get there.
        let open = fs::Permissions::from_mode(0o711);
        fs::set_permissions(container.directory.path(), open).expect("the directory is ours");
        for name in ["upper", "upper/kaniko"] {
            container.own(&container.directory.path().join(name));
        }
        container
    }

    /// A path on the machine that lives as long as the container.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Gives something on the machine, with all that is in it, to the user of the container.
    ///
    /// # Panics
    ///
    /// If it cannot be given away.
    pub fn own(&self, path: &Path) {
        let id = self.limits.user + self.limits.own_users.unwrap_or(0);
        tool::run("chown", ["-R", &format!("{id}:{id}"), &path.display().to_string()]);
    }

    /// Shows a directory of the machine at a path of the container.
    #[must_use]
    pub fn bind(mut self, from: &Path, to: &Path, read_only: bool) -> Self {
        self.mounts.push(bind(from, to, if read_only { "ro" } else { "rw" }));
        self
    }

    /// Adds a program to the image, by a path.
    ///
    /// # Panics
    ///
    /// If it cannot be copied.
    #[must_use]
    pub fn program(self, name: &str, from: &Path) -> Self {
        fs::copy(from, self.directory.path().join("image").join(name)).expect("it can be read");
        self
    }

    /// Lets another program start kaniko, which is then not the first process of the container.
    #[must_use]
    pub fn under(mut self, program: &[&str]) -> Self {
        self.wrapper = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Adds a file to the image.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn file(self, name: &str, content: &str) -> Self {
        let path = self.directory.path().join("image").join(name);
        fs::create_dir_all(path.parent().expect("it is in the image")).expect("it is ours");
        fs::write(path, content).expect("the directory is ours");
        self
    }

    /// Gives it the machine's network, as `docker run --network host`, and not one of its own.
    #[must_use]
    pub fn machine_network(mut self) -> Self {
        self.namespaces.retain(|kind| *kind != "network");
        self
    }

    /// Mounts memory at a path of the container.
    #[must_use]
    pub fn tmpfs(mut self, at: &str) -> Self {
        self.mounts.push(json!({
            "destination": at, "source": "tmpfs", "type": "tmpfs", "options": ["mode=755"],
        }));
        self
    }

    /// What containers have written to its root beside the work directory: files, and marks of what
    /// was deleted, in order.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn written(&self) -> Vec<String> {
        let upper = self.directory.path().join("upper").display().to_string();
        let kaniko = format!("{upper}/kaniko");
        let arguments =
            [&upper, "-path", &kaniko, "-prune", "-o", "!", "-type", "d", "-printf", "%P\\n"];
        let mut names: Vec<String> =
            tool::run("find", arguments).lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The runtime's call.
    fn start(&self) -> Command {
        let path = self.directory.path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        let mut command = Command::new("unshare");
        let fixed = ["--mount", "--propagation", "private", "sh", "-euc", START, "container"];
        command.args(fixed).arg(path).arg(format!("kaniko{name}"));
        command
    }

    /// The runtime's description of the container.
    fn config(&self, directory: &Path, call: &Call<'_>) -> Value {
        let Limits { user, capabilities, no_new_privileges, .. } = &self.limits;
        let wrapper = self.wrapper.iter().map(String::as_str);
        let arguments: Vec<&str> =
            wrapper.chain([EXECUTOR]).chain(call.arguments.iter().map(String::as_str)).collect();
        let environment: Vec<String> =
            call.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let held: &[&str] = if *user == 0 { capabilities } else { &[] };
        json!({
            "ociVersion": "1.0.2",
            "hostname": "pod",
            "root": { "path": self.directory.path().join("root") },
            "process": {
                "args": arguments,
                "cwd": "/",
                "env": environment,
                "user": { "uid": user, "gid": user },
                "capabilities": {
                    "bounding": capabilities, "effective": held, "permitted": held,
                },
                "noNewPrivileges": no_new_privileges,
            },
            "mounts": self.all_mounts(directory),
            "linux": self.linux(),
        })
    }

    fn all_mounts(&self, directory: &Path) -> Vec<Value> {
        let mount = |destination: &str, kind: &str, options: &[&str]| {
            json!({
                "destination": destination, "source": kind, "type": kind, "options": options,
            })
        };
        let sealed = ["nosuid", "noexec", "nodev"];
        let mut mounts = vec![
            mount("/proc", "proc", &sealed),
            mount("/dev", "tmpfs", &["nosuid", "mode=755", "size=65536k"]),
            mount(
                "/dev/pts",
                "devpts",
                &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
            ),
            mount("/dev/mqueue", "mqueue", &sealed),
            mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        ];
        mounts.push(if self.namespaces.contains(&"network") {
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"])
        } else {
            bind(Path::new("/sys"), Path::new("/sys"), "ro")
        });
        mounts.push(bind(directory, directory, "rw"));
        mounts.extend(self.mounts.iter().cloned());
        mounts
    }

    fn linux(&self) -> Value {
        let mut namespaces: Vec<Value> =
            self.namespaces.iter().map(|kind| json!({ "type": kind })).collect();
        let mut linux = json!({});
        if let Some(first) = self.limits.own_users {
            namespaces.push(json!({ "type": "user" }));
            let map = json!([{ "containerID": 0, "hostID": first, "size": 65536 }]);
            linux["uidMappings"] = map.clone();
            linux["gidMappings"] = map;
        }
        linux["namespaces"] = json!(namespaces);
        if self.namespaces.contains(&"network") {
            // As container engines do.
            linux["sysctl"] = json!({ "net.ipv4.ip_unprivileged_port_start": "0" });
        }
        if self.limits.masked {
            linux["maskedPaths"] = json!(MASKED);
            linux["readonlyPaths"] = json!(READ_ONLY);
        }
        if let Some(profile) = self.limits.seccomp {
            linux["seccomp"] = profile.of(&self.limits.capabilities);
        }
        linux
    }
}

impl Place for Container {
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command {
        let open = fs::Permissions::from_mode(0o711);
        fs::set_permissions(directory, open).expect("the directory is ours");
        self.own(directory);
        let config = self.config(directory, call).to_string();
        fs::write(self.directory.path().join("config.json"), config).expect("it is ours");
        self.start()
    }
}

fn bind(from: &Path, to: &Path, access: &str) -> Value {
    json!({ "destination": to, "source": from, "type": "none", "options": ["rbind", access] })
}
