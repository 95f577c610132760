//! The command line: what clap reads, and the types it becomes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use runtime::image::receipt::DigestTo;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Builds container images from Dockerfiles, without a daemon and without privilege.
#[derive(Parser)]
#[command(name = "kaniko", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Kaniko {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Builds a container image: the drop-in for kaniko's executor.
#[derive(Parser)]
#[command(name = "executor", version, max_term_width = 100)]
pub(crate) struct Executor {
    #[command(flatten)]
    build: BuildArgs,
}

impl Executor {
    /// The executor's context is `/workspace/` where none is given.
    pub(crate) fn into_build(self) -> BuildArgs {
        let mut build = self.build;
        build.front.context.get_or_insert_with(|| "/workspace/".into());
        build
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Build(Box<BuildArgs>),
    Plan(PlanArgs),
    Ir(IrArgs),
    Doctor(DoctorArgs),
}

/// Build an image and push or write it
#[derive(Args)]
#[command(after_help = "\
Examples:
  kaniko build --destination registry.example.com/app:1.0
  kaniko build --context src --dockerfile src/Dockerfile --no-push --tar-path app.tar
  kaniko build --target test --build-arg VERSION=2 --no-push")]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) front: FrontArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t, help_heading = "Display")]
    pub(crate) progress: Progress,
}

/// Show what a build would do, without pulling or running anything
///
/// The output is stable: the same Dockerfile and arguments give the same bytes on every machine.
#[derive(Args)]
#[command(after_help = "\
Examples:
  kaniko plan
  kaniko plan --explain --target test
  kaniko plan --resolve --format json > graph.json")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) front: FrontArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Say for each step where it was written, what its key consists of, and what runs beside it
    #[arg(long, conflicts_with = "format")]
    pub(crate) explain: bool,
    /// Ask the registries for the base images, so that their config and digests are known
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Text for people or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Print the intermediate representation of a Dockerfile
#[derive(Args)]
#[command(after_help = "\
Examples:
  kaniko ir
  kaniko ir --format text
  kaniko ir --level graph --format text")]
pub(crate) struct IrArgs {
    #[command(flatten)]
    pub(crate) front: FrontArgs,
    /// What was written, or what will happen
    #[arg(long, value_enum, default_value_t)]
    pub(crate) level: Level,
    /// Text for people, which for a program is a Dockerfile, or JSON for programs
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// Show what this machine or container allows, and what would lift what it does not
///
/// Every way to confine RUN is tried, and what a build would use is said first. The exit status is
/// 0 if RUN works, and 1 if it does not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  kaniko doctor
  kaniko doctor --kaniko-dir /cache --isolation namespaces
  kaniko doctor --format json")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Text for people or JSON for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What is built.
#[derive(Args)]
pub(crate) struct FrontArgs {
    /// Directory that COPY and ADD read from [default: .]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) context: Option<PathBuf>,
    /// Dockerfile, looked for as given and then in the context; `-` is standard input
    #[arg(short = 'f', long, value_name = "FILE", default_value = "Dockerfile")]
    pub(crate) dockerfile: PathBuf,
    /// Stage to build, by name or index [default: the last one]
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// Value of an ARG; without a value it is taken from the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]", action = ArgAction::Append)]
    pub(crate) build_args: Vec<String>,
    /// What a name in FROM and --from stands for: a directory, `docker-image://REF`,
    /// `oci-layout://DIR[:TAG]`, an http or https URL (an archive is unpacked), or a git one
    #[arg(long = "build-context", value_name = "NAME=SOURCE", action = ArgAction::Append)]
    pub(crate) build_contexts: Vec<String>,
    /// Label of the image
    #[arg(long = "label", value_name = "NAME=VALUE", action = ArgAction::Append)]
    pub(crate) labels: Vec<String>,
    /// Network of the RUNs that ask for none
    #[arg(long, value_enum, default_value_t)]
    pub(crate) network: Network,
    /// Address under which every RUN finds a host; may be repeated
    #[arg(long = "add-host", value_name = "NAME:IP", action = ArgAction::Append)]
    pub(crate) hosts: Vec<Host>,
    /// Platform to build for [default: this machine's]
    #[arg(long = "custom-platform", alias = "platform", value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<ir::Platform>,
}

/// Where the image goes.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are kaniko's flags")]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Where to push the image; may be repeated
    #[arg(short, long = "destination", value_name = "IMAGE", action = ArgAction::Append)]
    pub(crate) destinations: Vec<ir::ImageRef>,
    /// Do not push
    #[arg(long, env = "KANIKO_NO_PUSH", hide_env_values = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) no_push: bool,
    /// Write the image as an archive for `docker load`
    #[arg(long, value_name = "FILE")]
    pub(crate) tar_path: Option<PathBuf>,
    /// Write the image as an OCI layout
    #[arg(long, value_name = "DIR")]
    pub(crate) oci_layout_path: Option<PathBuf>,
    /// Write the digest of the image's manifest to a file, or put it to an https server
    #[arg(long, value_name = "FILE|URL", value_parser = DigestTo::parse)]
    pub(crate) digest_file: Option<DigestTo>,
    /// Write a line `NAME@DIGEST` for each destination to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) image_name_with_digest_file: Option<PathBuf>,
    /// Write a line `NAME:TAG@DIGEST` for each destination to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) image_name_tag_with_digest_file: Option<PathBuf>,
    /// Begin without asking the registries whether the image may be pushed to them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) skip_push_permission_check: bool,
    /// Leave tags as they are that a registry does not let be changed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) push_ignore_immutable_tag_errors: bool,
    /// Media types of the image [default: as the base image]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) image_format: Option<ImageFormat>,
    /// How new layers are compressed
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) compression: Compression,
    /// How hard new layers are compressed; -1 is the default of the kind
    #[arg(long, value_name = "LEVEL", default_value_t = -1, allow_negative_numbers = true)]
    pub(crate) compression_level: i32,
}

/// How registries are talked to.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are kaniko's flags")]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistryArgs {
    /// Push to registries over http too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) insecure: bool,
    /// Pull from registries over http too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) insecure_pull: bool,
    /// Registry that may be talked to over http; may be repeated
    #[arg(long = "insecure-registry", value_name = "HOST", action = ArgAction::Append)]
    pub(crate) insecure_registries: Vec<String>,
    /// Do not verify the certificates of registries
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, hide_possible_values = true)]
    pub(crate) skip_tls_verify: bool,
    /// Registry whose certificate is not verified; may be repeated
    #[arg(long = "skip-tls-verify-registry", value_name = "HOST", action = ArgAction::Append)]
    pub(crate) skip_tls_verify_registries: Vec<String>,
    /// Further certificate authority for a registry; may be repeated
    #[arg(long = "registry-certificate", value_name = "HOST=FILE", action = ArgAction::Append)]
    pub(crate) registry_certificates: Vec<String>,
    /// Certificate and key that a registry asks of its clients; may be repeated
    #[arg(long = "registry-client-cert", value_name = "HOST=CERT,KEY", action = ArgAction::Append)]
    pub(crate) registry_client_certs: Vec<String>,
    /// How often a failed push is tried again
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) push_retry: u32,
    /// How often a failed pull is tried again
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) image_download_retry: u32,
}

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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Live on a terminal, else plain
    #[default]
    Auto,
    /// A live view of what runs
    Tty,
    /// One line for each thing that happens
    Plain,
    /// One JSON object a line
    Json,
}

/// What is only done for a Dockerfile that is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Entitlement {
    /// `RUN --security=insecure`: not confined, as root of the builder
    #[value(name = "security.insecure")]
    Insecure,
}

/// What a RUN reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// What the builder reaches
    #[default]
    Default,
    /// Itself
    None,
    /// What the builder reaches, by its own interfaces
    Host,
}

impl From<Network> for ir::instruction::Network {
    fn from(network: Network) -> Self {
        match network {
            Network::Default => Self::Default,
            Network::None => Self::None,
            Network::Host => Self::Host,
        }
    }
}

/// A host and its address, as `--add-host` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
}

impl FromStr for Host {
    type Err = &'static str;

    /// `NAME:IP` or `NAME=IP`; an IPv6 address may stand in brackets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = text.split_once(['=', ':']).ok_or("it is not NAME:IP")?;
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address =
            bare.unwrap_or(address).parse().map_err(|_| "there is no IP address in it")?;
        let known = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
        if name.is_empty() || !name.chars().all(known) {
            return Err("the name is none of a host");
        }
        Ok(Self { name: name.to_owned(), address })
    }
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
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// What was written: stages of typed instructions
    #[default]
    Program,
    /// What will happen: operations on file systems
    Graph,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageFormat {
    Docker,
    Oci,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    #[default]
    Gzip,
    /// Needs OCI media types
    Zstd,
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
