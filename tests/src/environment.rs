//! Places where people run kaniko, made for real: one file of `tests/suite/environments/` each.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bundle::{self, Container, Limits};
use crate::docker::Docker;
use crate::kaniko::{self, Build};
use crate::seccomp::Profile;
use crate::user::User;

/// A file of `tests/suite/environments/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Environment {
    /// Who runs kaniko so, in a few words.
    pub about: String,
    /// What starts it.
    pub starts: Starts,
    /// Where its work directory is.
    pub work: Work,
    /// The rung of the ladder that `auto` finds; `none` where no command can be confined.
    pub isolation: String,
    /// How roots are kept there.
    pub snapshotter: String,
    /// How much of the suite is run there in each run of the tests.
    pub suite: Share,
}

/// What starts kaniko.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Starts {
    /// Root of the machine.
    Root,
    /// An ordinary user of the machine, who has subordinate ids.
    User,
    /// A container's runtime.
    Container(Settings),
    /// Docker's daemon.
    Docker,
}

/// What a container is allowed, in the words of who asks for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The user that kaniko is.
    user: u32,
    /// Which capabilities root has.
    capabilities: Capabilities,
    /// The engine's profile, where it applies one.
    seccomp: Option<Profile>,
    /// Whether `allowPrivilegeEscalation` is false.
    no_new_privileges: bool,
    /// Whether parts of `/proc` are covered, as they are unless a pod asks otherwise.
    masked: bool,
    /// Whose users those of the container are.
    users: Users,
}

/// Whose users those of a container are.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Users {
    /// The machine's.
    Machine,
    /// Its own (`hostUsers: false`).
    Own,
}

/// Whose default capabilities a container has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capabilities {
    /// Docker's fourteen.
    Docker,
    /// CRI-O's nine.
    CriO,
    /// Nobody's.
    None,
}

/// Where kaniko's work directory is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// In the container's root.
    Root,
    /// In a directory of the machine.
    Volume,
    /// In memory.
    Memory,
}

/// How much of the suite is run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// What shows each mechanism once.
    Core,
    /// Everything that is quick.
    Quick,
    /// Everything.
    All,
}

impl Environment {
    /// Reads one by its name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn named(name: &str) -> Self {
        let path = folder().join(name).with_extension("json");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The container that kaniko is in there, its work directory beside the context; none where it
    /// is in another.
    pub fn container(&self) -> Option<Container> {
        match &self.starts {
            Starts::Container(settings) => Some(settings.container()),
            Starts::Root | Starts::User | Starts::Docker => None,
        }
    }

    /// Lets a build run there, without a network, on the image of a layout as `base`.
    ///
    /// # Panics
    ///
    /// If the environment cannot be made.
    pub fn host(&self, build: Build, layout: &Path) -> Build {
        // Below what everyone has to see anyway: the layout may be where only root gets to.
        let base = build.path("base");
        fs::create_dir(&base).expect("the directory is ours");
        let source = format!("base=oci-layout://{}", base.display());
        let build = build.option("--build-context", &source);
        match &self.starts {
            Starts::Root => {
                let [from, to] = [layout, &base].map(|path| path.display().to_string());
                build
                    .under(&["unshare", "--mount", "--net", "sh", "-euc", ROOT, "root", &from, &to])
            }
            Starts::User => build.at(User::with(layout, &base)),
            Starts::Docker => {
                let docker = Docker::start().bind(layout, &base);
                build.work(Path::new("/kaniko")).at(docker)
            }
            Starts::Container(settings) => {
                let container = settings.container().bind(layout, &base, true);
                match self.work {
                    Work::Root => build.work(Path::new("/kaniko")).at(container),
                    Work::Memory => build.work(Path::new("/work")).at(container.tmpfs("/work")),
                    // Beside the context, which is a volume as well.
                    Work::Volume => build.at(container),
                }
            }
        }
    }
}

/// Shows `$1` at `$2` to root, who has only the loopback interface.
const ROOT: &str = r#"
ip link set lo up
mount --bind "$1" "$2"
shift 2
exec "$@"
"#;

impl Settings {
    fn container(&self) -> Container {
        Container::new(&kaniko::binary(), self.limits())
    }

    fn limits(&self) -> Limits {
        Limits {
            user: self.user,
            capabilities: match self.capabilities {
                Capabilities::Docker => bundle::DOCKER.into(),
                Capabilities::CriO => bundle::CRIO.into(),
                Capabilities::None => Vec::new(),
            },
            seccomp: self.seccomp,
            no_new_privileges: self.no_new_privileges,
            masked: self.masked,
            own_users: match self.users {
                Users::Machine => None,
                Users::Own => Some(100_000),
            },
        }
    }
}

/// The names of all environments, in order.
///
/// # Panics
///
/// If the folder cannot be read.
pub fn names() -> Vec<String> {
    let files = crate::tree::names(&folder());
    let names = files.iter().filter_map(|name| name.strip_suffix(".json"));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suite/environments")
}
