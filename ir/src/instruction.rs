//! One struct for each instruction, its flags as typed fields.
//!
//! Text that may hold variables is a [`Template`]; text that never does is a [`Text`].

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::program::Statement;
use crate::source::Span;
use crate::template::Template;

mod mount;

pub use mount::{Mount, MountField, MountKey, UnreadableField};

/// Everything that may stand in a stage. `FROM` opens a stage and is no instruction of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "instruction", rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "each variant is named after the struct that documents it")]
pub enum Instruction {
    Add(Add),
    Arg(Arg),
    Cmd(Cmd),
    Copy(Copy),
    Entrypoint(Entrypoint),
    Env(Env),
    Expose(Expose),
    Healthcheck(Healthcheck),
    Label(LabelInstruction),
    Maintainer(Maintainer),
    Onbuild(Onbuild),
    Run(Run),
    Shell(Shell),
    Stopsignal(Stopsignal),
    User(User),
    Volume(Volume),
    Workdir(Workdir),
}

/// Text that is never expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text, continuation lines joined.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// `FROM [--platform=P] image [AS name]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// An image reference, the name of an earlier stage, or `scratch`.
    pub image: Template,
    /// `--platform`.
    pub platform: Option<Template>,
    /// The `AS`, in the case in which it is written.
    pub as_keyword: Option<Text>,
    /// Name of the stage as written; stages are looked up in lower case.
    pub name: Option<Text>,
}

/// `ARG name[=default] …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arg {
    /// At least one.
    pub declarations: Vec<ArgDeclaration>,
}

/// One name of an `ARG`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgDeclaration {
    /// Never empty.
    pub name: Text,
    /// What stands behind the `=`.
    pub default: Option<Template>,
}

/// One `key=value` of `ENV` or `LABEL`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Never blank.
    pub key: Template,
    /// May be empty.
    pub value: Template,
}

/// `ENV key=value …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Env {
    /// At least one.
    pub pairs: Vec<Pair>,
    /// Whether it was written `ENV key value`.
    pub legacy: bool,
}

/// `LABEL key=value …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelInstruction {
    /// At least one.
    pub pairs: Vec<Pair>,
    /// Whether it was written `LABEL key value`.
    pub legacy: bool,
}

/// `MAINTAINER name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintainer {
    /// The author.
    pub name: Text,
}

/// `WORKDIR path`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workdir {
    /// The whole rest of the line, blanks included.
    pub path: Template,
}

/// `USER user[:group]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The whole rest of the line.
    pub user: Template,
}

/// What `RUN`, `CMD`, `ENTRYPOINT` and `HEALTHCHECK CMD` are to execute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// Text for the shell, verbatim.
    Shell(Text),
    /// An argument vector from a JSON array; may be empty.
    Exec(Vec<String>),
}

/// `RUN [flags] command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What to execute. With heredocs, the line that opens them.
    pub command: Command,
    /// Bodies that follow the line, in order. None in the exec form.
    pub heredocs: Vec<Heredoc>,
    /// `--mount`, in order.
    pub mounts: Vec<Mount>,
    /// `--network`.
    pub network: Network,
    /// `--security`.
    pub security: Security,
    /// `--device`, in order.
    pub devices: Vec<Device>,
}

/// `RUN --device=name[,required]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The value as written.
    pub written: Text,
    /// A CDI name, class or annotation; may be empty.
    pub name: String,
    /// Whether the command cannot do without it.
    pub required: bool,
}

/// `RUN --network=…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// What the builder has.
    #[default]
    Default,
    /// Loopback only.
    None,
    /// The builder's own network.
    Host,
}

/// `RUN --security=…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// As confined as a container.
    #[default]
    Sandbox,
    /// With every capability that the builder has.
    Insecure,
}

/// `COPY [flags] source … destination`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// `--from`: a stage, its index, an image or a named context. Its variables are the global
    /// ones, as those of a `FROM`: names are bound before any stage is expanded.
    pub from: Option<Template>,
    /// What is copied, and where to.
    pub paths: Paths,
    /// `--chown`.
    pub chown: Option<Template>,
    /// `--chmod`.
    pub chmod: Option<Template>,
    /// `--exclude`, in order.
    pub exclude: Vec<Text>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
}

/// `ADD [flags] source … destination`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// What is added, and where to.
    pub paths: Paths,
    /// `--chown`.
    pub chown: Option<Template>,
    /// `--chmod`.
    pub chmod: Option<Template>,
    /// `--exclude`, in order.
    pub exclude: Vec<Text>,
    /// `--link`.
    pub link: bool,
    /// `--keep-git-dir`.
    pub keep_git_dir: Option<bool>,
    /// `--checksum`.
    pub checksum: Option<Template>,
    /// `--unpack`; none leaves it to the kind of source.
    pub unpack: Option<bool>,
}

/// Sources and destination of `COPY` and `ADD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// Paths, wildcards and, for `ADD`, URLs; in order, without the heredocs.
    pub sources: Vec<Template>,
    /// Files given in the Dockerfile itself; they are copied after the others.
    pub heredocs: Vec<Heredoc>,
    /// The last word.
    pub destination: Template,
}

/// A heredoc with its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heredoc {
    /// The word that ends the body, quotes removed. For `COPY` it is the name of the file.
    pub name: String,
    /// The number before the `<<`; 0 where there is none.
    pub fd: u32,
    /// Whether the body is expanded: the word was not quoted.
    pub expand: bool,
    /// Whether it was `<<-`: leading tabs are removed from every line of the body.
    pub strip_tabs: bool,
    /// The body as written, without the terminator, tabs still there.
    pub body: String,
    /// The body as a template, tabs stripped if asked for. In a body quotes are literal and the
    /// escape is always the backslash. One literal part where it is not expanded, and in `RUN`,
    /// whose bodies are the shell's.
    pub template: Template,
    /// The body.
    pub span: Span,
}

/// `CMD command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cmd {
    /// What the image runs by default.
    pub command: Command,
}

/// `ENTRYPOINT command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrypoint {
    /// What the image runs.
    pub command: Command,
}

/// `SHELL ["…", …]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// At least one.
    pub argv: Vec<String>,
}

/// `EXPOSE port …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expose {
    /// At least one, **sorted** by raw text as BuildKit does. Each may expand to several words.
    pub ports: Vec<Template>,
}

/// `VOLUME path …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// At least one.
    pub paths: Vec<Template>,
}

/// `STOPSIGNAL signal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopsignal {
    /// A name or a number.
    pub signal: Template,
}

/// `HEALTHCHECK NONE` or `HEALTHCHECK [flags] CMD command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Healthcheck {
    /// No check, also not the base image's.
    None,
    /// A command and how often it is run.
    Check {
        /// What to run.
        command: Command,
        /// `--interval`, nanoseconds; 0 inherits. At least 1 ms otherwise, as the others.
        interval: u64,
        /// `--timeout`, nanoseconds.
        timeout: u64,
        /// `--start-period`, nanoseconds.
        start_period: u64,
        /// `--start-interval`, nanoseconds.
        start_interval: u64,
        /// `--retries`; 0 inherits.
        retries: u32,
    },
}

/// `ONBUILD instruction`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onbuild {
    /// What goes into the image's config: the inner instruction as written, heredoc bodies and
    /// their terminators appended.
    pub text: String,
    /// The inner instruction; what is wrong with it matters when it fires.
    pub trigger: Result<Box<Statement>, Vec<Diagnostic>>,
}

impl Instruction {
    /// The mounts of a `RUN`; of anything else none.
    pub fn mounts(&self) -> &[Mount] {
        if let Self::Run(run) = self { &run.mounts } else { &[] }
    }

    /// The keyword, in upper case.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::Stopsignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}
