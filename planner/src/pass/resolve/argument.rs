//! Build arguments: those that the builder itself reads, and those that mean nothing.

use std::collections::BTreeSet;

use ir::instruction::Instruction;
use ir::{Code, Diagnostic, Program, Span, suggest};

use super::Resolved;
use crate::pass::expand::{PLATFORM_ARGS, is_proxy};
use crate::{Options, check};

/// Gives the time of the image.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Gives the host name of commands.
const HOSTNAME: &str = "BUILDKIT_SANDBOX_HOSTNAME";

/// The longest host name that Linux takes, in bytes.
const LONGEST_NAME: usize = 64;

/// Arguments that change what is built, whether an `ARG` declares them or not.
const HONOURED: [&str; 5] =
    ["BUILDKIT_CACHE_MOUNT_NS", check::ARGUMENT, HOSTNAME, "BUILDKIT_SYNTAX", EPOCH];

/// Arguments of BuildKit's that ask for what there is not here, and why there is not.
const WITHOUT_EFFECT: [(&str, &str); 7] = [
    ("BUILDKIT_BUILD_NAME", "builds have no names"),
    ("BUILDKIT_CONTEXT_KEEP_GIT_DIR", "the build context is a directory, all of which is seen"),
    ("BUILDKIT_INLINE_CACHE", "no cache is put into images"),
    ("BUILDKIT_MULTI_PLATFORM", "one image for one platform is built"),
    ("BUILDKIT_SBOM_SCAN_CONTEXT", NO_SBOM),
    ("BUILDKIT_SBOM_SCAN_STAGE", NO_SBOM),
    (ATTESTATION, "no attestations are made"),
];

const NO_SBOM: &str = "no SBOM is made";

/// Beginning of the arguments that ask for attestations.
const ATTESTATION: &str = "BUILDKIT_ATTEST_";

/// When the image is to say that it was made, in seconds since 1970: the build argument
/// `SOURCE_DATE_EPOCH`, or else the global `ARG`. Empty is as good as none.
pub(super) fn epoch(
    program: &Program,
    resolved: &Resolved<'_>,
    options: &Options,
) -> Result<Option<u64>, Diagnostic> {
    let given = options.build_args.get(EPOCH).map(String::as_str);
    let mut declarations = program.global_args.iter().flat_map(|global| &global.arg.declarations);
    let declared = declarations.rfind(|declaration| declaration.name.value == EPOCH);
    let default = declared.and_then(|_| resolved.globals.get(EPOCH));
    let Some(text) = given.or(default).filter(|text| !text.is_empty()) else { return Ok(None) };
    if let Ok(seconds) = text.parse() {
        return Ok(Some(seconds));
    }
    let span = declared.filter(|_| given.is_none()).map(|declaration| {
        declaration.default.as_ref().map_or(declaration.name.span, |default| default.span)
    });
    let named = text == "context"
        || options.contexts.contains_key(text)
        || resolved.stages.iter().any(|stage| stage.name.as_deref() == Some(text));
    let message = if named {
        format!("`{EPOCH}` is `{text}`, whose time is not known before the build")
    } else {
        format!("`{EPOCH}` is `{text}`, which is no number of seconds since 1970")
    };
    Err(Diagnostic::error(Code::BadArgument, span.unwrap_or_default(), message)
        .help("give it a number of seconds, such as that of `git log -1 --format=%ct`"))
}

/// The host name that commands are to see, if it is not the usual one.
pub(super) fn hostname(options: &Options) -> Result<Option<String>, Diagnostic> {
    let Some(name) = options.build_args.get(HOSTNAME).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if name.len() <= LONGEST_NAME && name.bytes().all(good) {
        return Ok(Some(name.clone()));
    }
    let message = format!("`{HOSTNAME}` is `{name}`, which is no host name");
    Err(Diagnostic::error(Code::BadArgument, Span::default(), message)
        .help(format!("use at most {LONGEST_NAME} letters, digits, hyphens, dots and underscores")))
}

/// Warns of build arguments that change nothing: those that no `ARG` of the file or of a fired
/// trigger declares, and those that ask for what there is not.
pub(crate) fn useless_build_args(
    program: &Program,
    resolved: &Resolved<'_>,
    options: &Options,
) -> Vec<Diagnostic> {
    let mut declared: BTreeSet<&str> = program
        .global_args
        .iter()
        .flat_map(|global| &global.arg.declarations)
        .map(|declaration| declaration.name.value.as_str())
        .collect();
    let written = program.stages.iter().flat_map(|stage| &stage.statements);
    let fired = resolved.stages.iter().flat_map(|stage| stage.statements.iter().map(|(s, _)| *s));
    for statement in written.chain(fired) {
        if let Instruction::Arg(arg) = &statement.instruction {
            declared.extend(arg.declarations.iter().map(|one| one.name.value.as_str()));
        }
    }
    let given = options.build_args.iter();
    given.filter_map(|(name, value)| useless(name, value, &declared)).collect()
}

fn useless(name: &str, value: &str, declared: &BTreeSet<&str>) -> Option<Diagnostic> {
    let asks = |known: &str| known == name || (known == ATTESTATION && name.starts_with(known));
    if let Some((_, reason)) = WITHOUT_EFFECT.iter().find(|(known, _)| asks(known)) {
        let off = matches!(value, "" | "0" | "false" | "disabled=true");
        let message = format!("the build argument `{name}` has no effect: {reason}");
        let warning = Diagnostic::warning(Code::WithoutEffect, Span::default(), message)
            .help(format!("leave out `--build-arg {name}`"));
        return (!off).then_some(warning);
    }
    let predefined = is_proxy(name) || HONOURED.contains(&name) || PLATFORM_ARGS.contains(&name);
    if declared.contains(name) || predefined {
        return None;
    }
    let message = format!("the build argument `{name}` is not used");
    let warning = Diagnostic::warning(Code::UnusedBuildArgument, Span::default(), message)
        .help(format!("declare it with `ARG {name}` in the stage that needs it"));
    let known = declared.iter().chain(&HONOURED).chain(PLATFORM_ARGS).copied();
    Some(match suggest::nearest(name, known) {
        Some(near) => warning.help(format!("if `{near}` is meant, give that")),
        None => warning,
    })
}
