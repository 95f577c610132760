//! Flags about how a build is carried out on this machine.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, ValueEnum};

/// Where commands run, and how they are confined.
#[derive(Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct PlaceArgs {
    /// Directory for everything that is kept or in the making
    #[arg(
        long,
        env = "KANIKO_DIR",
        hide_env_values = true,
        value_name = "DIR",
        default_value = "/kaniko"
    )]
    pub(crate) kaniko_dir: PathBuf,
    /// How RUN is confined
    #[arg(long, value_enum, default_value_t)]
    pub(crate) isolation: Isolation,
    /// Whether RUN is confined by Landlock besides
    #[arg(long = "isolation-landlock", value_enum, default_value_t)]
    pub(crate) landlock: Landlock,
}

/// How the build is carried out on this machine.
#[derive(Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// How roots are made and changes are found
    #[arg(long, value_enum, default_value_t)]
    pub(crate) snapshotter: Snapshotter,
    #[command(flatten)]
    pub(crate) changes: ChangesArgs,
    /// Limit of each RUN; may be repeated
    #[arg(long = "ulimit", value_name = "NAME=SOFT[:HARD]", action = ArgAction::Append)]
    pub(crate) ulimits: Vec<runtime::sandbox::Ulimit>,
    /// Size of /dev/shm of each RUN [default: 64m]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) shm_size: Option<u64>,
    /// What a Dockerfile may ask for beside what every one may; may be repeated
    #[arg(long = "allow", value_enum, value_name = "ENTITLEMENT", action = ArgAction::Append)]
    pub(crate) allowed: Vec<Entitlement>,
    /// How much a layer of a base image, or an archive of ADD, may come to; may be repeated
    /// [default: 4000000 entries; 16 GiB, or 200 times what it is compressed]
    #[arg(long = "unpack-limit", value_name = "entries=N|size=SIZE", action = ArgAction::Append)]
    pub(crate) unpack_limits: Vec<UnpackLimit>,
    /// Secret for RUN --mount=type=secret, and for ADD of URLs (`HTTP_AUTH_TOKEN_HOST`,
    /// `HTTP_AUTH_HEADER_HOST`): of a file or a variable, which without a name have that of its id;
    /// may be repeated
    #[arg(long = "secret", value_name = "id=ID[,src=FILE|,env=NAME]", action = ArgAction::Append)]
    pub(crate) secrets: Vec<String>,
    /// Agent for RUN --mount=type=ssh; without a socket that of `SSH_AUTH_SOCK`; may be repeated
    #[arg(long = "ssh", value_name = "ID[=SOCKET]", action = ArgAction::Append)]
    pub(crate) agents: Vec<String>,
}

/// What of a step's changes becomes a layer.
#[derive(Args)]
pub(crate) struct ChangesArgs {
    /// Path that no layer has, with everything below it; may be repeated, and have `*`, `?` and `[]`
    #[arg(long = "ignore-path", value_name = "PATH", action = ArgAction::Append)]
    pub(crate) ignored: Vec<String>,
    /// Keep `/var/run` out of layers too
    #[arg(long, alias = "whitelist-var-run", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) ignore_var_run: bool,
    /// Accepted for kaniko's sake: every change is found in every mode
    #[arg(long, alias = "snapshotMode", value_enum, default_value_t, value_name = "MODE")]
    pub(crate) snapshot_mode: SnapshotMode,
    /// Accepted for kaniko's sake: every change of a RUN is found anyway
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) use_new_run: bool,
}

impl ChangesArgs {
    /// The paths that no layer has.
    pub(crate) fn ignored(&self) -> Vec<String> {
        let var_run = self.ignore_var_run.then(|| "/var/run".to_owned());
        self.ignored.iter().cloned().chain(var_run).collect()
    }

    /// The flags that ask for a shortcut which is not taken.
    pub(crate) fn without_effect(&self) -> Option<&'static str> {
        match (self.snapshot_mode, self.use_new_run) {
            (SnapshotMode::Full, false) => None,
            (SnapshotMode::Full, true) => Some("`--use-new-run` has"),
            (SnapshotMode::Redo | SnapshotMode::Time, false) => Some("`--snapshot-mode` has"),
            (SnapshotMode::Redo | SnapshotMode::Time, true) => {
                Some("`--snapshot-mode` and `--use-new-run` have")
            }
        }
    }
}

/// What kaniko in Go compares to find a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SnapshotMode {
    /// Attributes and content
    #[default]
    Full,
    /// Attributes
    Redo,
    /// The time of modification
    Time,
}

/// What is only done for a Dockerfile that is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Entitlement {
    /// `RUN --security=insecure`: not confined, as root of the builder
    #[value(name = "security.insecure")]
    Insecure,
}

/// A bound of what is unpacked, as `--unpack-limit` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnpackLimit {
    /// Most entries.
    Entries(u64),
    /// Most bytes when it is decompressed.
    Size(u64),
}

impl FromStr for UnpackLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("entries", number)) => {
                number.parse().map(Self::Entries).map_err(|_| "it is not a number of entries")
            }
            Some(("size", text)) => size(text).map(Self::Size),
            Some(_) | None => Err("it is neither entries=N nor size=SIZE"),
        }
    }
}

/// Bytes, as `64m` and `1.5g` have them.
fn size(text: &str) -> Result<u64, &'static str> {
    ir::parse_size(text).ok_or("it is not a size such as 64m or 1g")
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Snapshotter {
    /// Overlay where it works, else tree
    #[default]
    Auto,
    /// A stack of directories; cost follows the change
    Overlay,
    /// A plain directory that is compared after each step
    Tree,
}

impl From<Snapshotter> for runtime::snapshot::Choice {
    fn from(snapshotter: Snapshotter) -> Self {
        match snapshotter {
            Snapshotter::Auto => Self::Auto,
            Snapshotter::Overlay => Self::Overlay,
            Snapshotter::Tree => Self::Tree,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Isolation {
    /// The strongest that works here
    #[default]
    Auto,
    /// Namespaces of its own for each step
    Namespaces,
    /// A root of its own for each step
    Chroot,
    /// None: the step's files are moved into `/`. Only in the executor image
    InPlace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Landlock {
    /// As far as the kernel has it
    #[default]
    Auto,
    /// Entirely, or nothing is built
    On,
    /// Not at all; in a chroot, setuid programs such as sudo then work
    Off,
}
