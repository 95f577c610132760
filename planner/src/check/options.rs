//! The `check` options: which of them count, and what in them means nothing.

use ir::{Check, Code, Diagnostic, Program, Severity, Span, suggest};

use super::{RULES, Site};
use crate::Options;

/// The build argument that replaces the directive.
pub(crate) const ARGUMENT: &str = "BUILDKIT_DOCKERFILE_CHECK";

/// The options for the whole file: the build argument's, else the directive's. Errors where they
/// cannot be read.
pub(crate) fn settings(program: &Program, options: &Options) -> Result<Check, Vec<Diagnostic>> {
    let check = match (options.build_args.get(ARGUMENT), &program.check) {
        (Some(value), _) => Check::argument(value),
        (None, Some(check)) => check.clone(),
        (None, None) => Check::argument(""),
    };
    let errors: Vec<_> = check.problems.iter().filter(|problem| problem.is_error()).collect();
    if errors.is_empty() {
        return Ok(check);
    }
    Err(errors.into_iter().map(|error| placed(&check, error.clone())).collect())
}

/// The argument has no place in the file, so its problems name it.
fn placed(check: &Check, mut problem: Diagnostic) -> Diagnostic {
    if check.span == Span::default() {
        problem.message = format!("`{ARGUMENT}`: {}", problem.message);
    }
    problem
}

/// Warnings of what has no effect in the options of the file and of the instructions.
pub(super) fn problems(file: &Check, sites: &[Site<'_>]) -> Vec<Diagnostic> {
    let mut problems = file.problems.clone();
    unknown(file, &mut problems);
    let mut problems: Vec<_> = problems.into_iter().map(|problem| placed(file, problem)).collect();
    for check in sites.iter().filter_map(|(_, check)| *check) {
        problems.extend(check.problems.iter().cloned());
        if check.error {
            let message = "`error` has no effect above an instruction";
            problems.push(
                Diagnostic::warning(Code::BadCheck, check.span, message)
                    .help("put it into a `# check=…` on the first lines of the file"),
            );
        }
        unknown(check, &mut problems);
    }
    // Above an instruction, what cannot be read may be a mere remark.
    for problem in &mut problems {
        problem.severity = Severity::Warning;
    }
    problems
}

/// Names that are no check's.
fn unknown(check: &Check, problems: &mut Vec<Diagnostic>) {
    let known = |name: &str| RULES.iter().any(|rule| rule.name() == name);
    // A name with a `;` in it has been told as an option too many.
    let unknown = |name: &&ir::instruction::Text| !known(&name.value) && !name.value.contains(';');
    for name in check.skip.names.iter().chain(&check.experimental.names).filter(unknown) {
        let message = match name.value.as_str() {
            "" => "the name of a build check is missing".to_owned(),
            name => format!("`{}` is no build check", suggest::shown(name)),
        };
        let problem = Diagnostic::warning(Code::BadCheck, name.span, message);
        let nearest = suggest::nearest(&name.value, RULES.iter().map(|rule| rule.name()));
        problems.push(match nearest {
            Some(nearest) => problem.help(format!("write `{nearest}`")),
            None if name.value == "all" => problem.help("write `all` alone, without other names"),
            None => problem,
        });
    }
}
