//! Build arguments that mean nothing, or nothing readable.

use std::collections::BTreeSet;

use ir::instruction::Instruction;
use ir::{Code, Diagnostic, Program, Span};

use super::Resolved;
use crate::Options;
use crate::pass::expand::{PLATFORM_ARGS, is_proxy};

/// `SOURCE_DATE_EPOCH` is a number of seconds, or names a source whose time is meant.
pub(super) fn check_epoch(
    resolved: &Resolved<'_>,
    options: &Options,
) -> Result<(), Vec<Diagnostic>> {
    let Some(epoch) = options.build_args.get("SOURCE_DATE_EPOCH") else { return Ok(()) };
    let stage = || resolved.stages.iter().any(|stage| stage.name.as_ref() == Some(epoch));
    if epoch.is_empty()
        || epoch.parse::<i64>().is_ok()
        || epoch == "context"
        || options.contexts.contains_key(epoch)
        || stage()
    {
        return Ok(());
    }
    let message = format!("SOURCE_DATE_EPOCH is `{epoch}`, which is no number of seconds");
    Err(vec![Diagnostic::error(Code::BadArgument, Span::default(), message)])
}

/// Build arguments that no `ARG` of the file or of a fired trigger declares.
pub(crate) fn unused_build_args(
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
    options
        .build_args
        .keys()
        .filter(|name| !declared.contains(name.as_str()) && !is_predefined(name))
        .map(|name| {
            let message = format!("the build argument `{name}` is not used");
            Diagnostic::warning(Code::UnusedBuildArgument, Span::default(), message)
                .help(format!("declare it with `ARG {name}` in the stage that needs it"))
        })
        .collect()
}

/// Arguments that mean something without an `ARG`.
fn is_predefined(name: &str) -> bool {
    is_proxy(name)
        || name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
        || PLATFORM_ARGS.contains(&name)
}
