//! A problem in the source text: what, where, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::Span;

/// A problem in a Dockerfile.
///
/// The grammar, the planner and the checks all report through this type; only the cli renders
/// it. A message starts in lower case, has no final period, and names the thing in backticks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// What went wrong. Programs match on this, never on the message.
    pub code: Code,
    /// Whether the build can go on.
    pub severity: Severity,
    /// One line for a person.
    pub message: String,
    /// The narrowest text that a fix would change.
    pub span: Span,
    /// Other places that explain the problem, e.g. "first defined here".
    pub labels: Vec<Label>,
    /// What to do about it, each a full instruction to the reader.
    pub help: Vec<String>,
}

/// A second place that explains a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build goes on.
    Warning,
    /// The build does not start.
    Error,
}

impl Diagnostic {
    /// An error with no further labels or help.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning with no further labels or help.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a place that explains it.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Whether the build cannot start.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What kind of problem a [`Diagnostic`] tells. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// The stable name, as it stands in messages and in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The file holds no instruction.
    EmptyFile = "empty-file",
    /// A physical line is longer than 65,535 bytes.
    LineTooLong = "line-too-long",
    /// A byte that starts no UTF-8 character stands where its meaning would be lost.
    NotUtf8 = "not-utf8",
    /// A parser directive is repeated or has a bad value.
    BadDirective = "bad-directive",
    /// `# syntax=` or `BUILDKIT_SYNTAX` names a front end that is not Dockerfile's own.
    OtherFrontEnd = "other-front-end",
    /// A heredoc has no terminator.
    UnterminatedHeredoc = "unterminated-heredoc",
    /// The first word of a line is no instruction.
    UnknownInstruction = "unknown-instruction",
    /// An instruction stands before the first `FROM`.
    BeforeFrom = "before-from",
    /// The file has no `FROM`.
    NoFrom = "no-from",
    /// A flag that the instruction does not have.
    UnknownFlag = "unknown-flag",
    /// A flag that may be given once is given again.
    DuplicateFlag = "duplicate-flag",
    /// The value of a flag is missing or bad.
    BadFlagValue = "bad-flag-value",
    /// Too few or too many arguments.
    WrongArity = "wrong-arity",
    /// A valid JSON array with an element that is no string.
    BadJson = "bad-json",
    /// An argument that the instruction cannot take.
    BadArgument = "bad-argument",
    /// A stage name that is not allowed.
    BadStageName = "bad-stage-name",
    /// A mount with a bad, missing or contradicting key.
    BadMount = "bad-mount",
    /// `${…}` that cannot be read, or an unterminated quote.
    BadExpansion = "bad-expansion",
    /// `${name:?…}` of a variable that is not set.
    RequiredVariable = "required-variable",
    /// A base image name that is empty or cannot be read.
    BadReference = "bad-reference",
    /// A platform that cannot be read.
    BadPlatform = "bad-platform",
    /// A reference to a stage that does not exist, or comes later.
    UnknownStage = "unknown-stage",
    /// Stages that need each other.
    CircularDependency = "circular-dependency",
    /// `--target` names no stage.
    UnknownTarget = "unknown-target",
    /// An instruction in `ONBUILD` that is not allowed there.
    BadTrigger = "bad-trigger",
    /// The language allows it, this builder cannot do it.
    Unsupported = "unsupported",
    /// What the plan would hold, or the work of making it, is beyond a bound.
    PlanTooLarge = "plan-too-large",
    /// A build argument that no `ARG` declares.
    UnusedBuildArgument = "unused-build-argument",
    /// Something that BuildKit would do is asked for, and left undone without harm to the image.
    WithoutEffect = "without-effect",
    /// A `check` directive or comment that cannot be read, or has no effect.
    BadCheck = "bad-check",
    /// Build checks warned, and the `check` directive says that this is an error.
    FailedChecks = "failed-checks",

    // Build checks, by BuildKit's names.
    /// A stage name with upper-case letters.
    StageNameCasing = "StageNameCasing",
    /// `AS` in another case than its `FROM`.
    FromAsCasing = "FromAsCasing",
    /// A blank line within a continued instruction.
    NoEmptyContinuation = "NoEmptyContinuation",
    /// A keyword in another case than most of them.
    ConsistentInstructionCasing = "ConsistentInstructionCasing",
    /// Two stages of one name.
    DuplicateStageName = "DuplicateStageName",
    /// A stage named `scratch` or `context`.
    ReservedStageName = "ReservedStageName",
    /// `CMD` or `ENTRYPOINT` in the shell form.
    JsonArgsRecommended = "JSONArgsRecommended",
    /// `MAINTAINER`.
    MaintainerDeprecated = "MaintainerDeprecated",
    /// A variable in a `FROM` that no global `ARG` declares.
    UndefinedArgInFrom = "UndefinedArgInFrom",
    /// A variable that nothing sets.
    UndefinedVar = "UndefinedVar",
    /// A relative `WORKDIR` before any absolute one.
    WorkdirRelativePath = "WorkdirRelativePath",
    /// A `CMD`, `ENTRYPOINT` or `HEALTHCHECK` that a later one replaces.
    MultipleInstructionsDisallowed = "MultipleInstructionsDisallowed",
    /// `ENV key value` or `LABEL key value`.
    LegacyKeyValueFormat = "LegacyKeyValueFormat",
    /// A base image for another platform than was asked for.
    InvalidBaseImagePlatform = "InvalidBaseImagePlatform",
    /// `FROM --platform=$TARGETPLATFORM`.
    RedundantTargetPlatform = "RedundantTargetPlatform",
    /// `ARG` or `ENV` with a name as secrets have it.
    SecretsUsedInArgOrEnv = "SecretsUsedInArgOrEnv",
    /// A base image that has no valid name without build arguments.
    InvalidDefaultArgInFrom = "InvalidDefaultArgInFrom",
    /// `FROM --platform` with a literal platform.
    FromPlatformFlagConstDisallowed = "FromPlatformFlagConstDisallowed",
    /// A source of `COPY` or `ADD` that `.dockerignore` leaves out.
    CopyIgnoredFile = "CopyIgnoredFile",
    /// A comment above an `ARG` or a stage that does not describe it.
    InvalidDefinitionDescription = "InvalidDefinitionDescription",
    /// `EXPOSE 80/TCP`.
    ExposeProtoCasing = "ExposeProtoCasing",
    /// `EXPOSE` with an address or a host port.
    ExposeInvalidFormat = "ExposeInvalidFormat",

    // Build checks of our own, where BuildKit ignores something without a word.
    /// A flag of an instruction that has none.
    IgnoredFlag = "IgnoredFlag",
    /// `FROM --platform` with the name of a stage that is built for another platform.
    IgnoredPlatform = "IgnoredPlatform",
    /// `--link` beside `--chmod`.
    IgnoredLink = "IgnoredLink",
    /// `ADD --keep-git-dir` without a git repository.
    IgnoredKeepGitDir = "IgnoredKeepGitDir",
    /// `mtime=commit` in the URL of an `ADD`.
    IgnoredMtime = "IgnoredMtime",
    /// Several sources to a destination that is not written as a directory.
    DestinationWithoutSlash = "DestinationWithoutSlash",
    /// An image that has nearly the name of a stage or a build context.
    StageNameMisspelt = "StageNameMisspelt",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
