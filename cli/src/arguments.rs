//! The command line: what clap reads, and the types it becomes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use machine::{
    ChangesArgs, Entitlement, Isolation, Landlock, MachineArgs, PlaceArgs, UnpackLimit,
};
pub(crate) use output::{Compression, ImageFormat, OutputArgs};
pub(crate) use registry::RegistryArgs;

mod machine;
mod output;
mod registry;

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
