//! Build checks: BuildKit's rules by BuildKit's names, and a few of our own.
//!
//! A rule is a value in a file of its own. It only finds; what its findings come to - silent, a
//! warning, a failed build - is decided here, by the `check` options of the file and of the
//! instruction that a finding points into.

use std::collections::BTreeSet;

use ir::program::GlobalArg;
use ir::{Check, Code, Diagnostic, Facts, Program, Severity, Span, Template};

use crate::Options;
use crate::budget::Budget;
use crate::pass::expand::{Env, Expanded, globals, value};
use crate::pass::resolve::{Resolved, ResolvedStage};
use crate::step::Step;

mod consistent_instruction_casing;
mod copy_ignored_file;
mod destination_without_slash;
mod duplicate_stage_name;
mod expose_invalid_format;
mod expose_proto_casing;
mod from_as_casing;
mod from_platform_flag_const_disallowed;
mod ignored_flag;
mod ignored_keep_git_dir;
mod ignored_link;
mod ignored_mtime;
mod ignored_platform;
mod invalid_base_image_platform;
mod invalid_default_arg_in_from;
mod invalid_definition_description;
mod json_args_recommended;
mod legacy_key_value_format;
mod maintainer_deprecated;
mod multiple_instructions_disallowed;
mod no_empty_continuation;
mod options;
mod redundant_target_platform;
mod reserved_stage_name;
mod secrets_used_in_arg_or_env;
mod stage_name_casing;
mod stage_name_misspelt;
#[cfg(test)]
mod testing;
mod undefined_arg_in_from;
mod undefined_var;
mod workdir_relative_path;

pub(crate) use options::{ARGUMENT, settings};

/// A build check.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What its findings are called, and what `skip=` calls it.
    code: Code,
    /// One line for a list of the rules.
    summary: &'static str,
    kind: Kind,
    find: Find,
}

/// Where a rule comes from, and when it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// BuildKit's.
    Standard,
    /// BuildKit's, silent unless it is asked for.
    Experimental,
    /// Ours. It fails no build: what passes with BuildKit is to pass here.
    Own,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
enum Find {
    /// What is written, all of it.
    Text(fn(&Program, &mut Vec<Diagnostic>)),
    /// The `FROM`s, with the arguments that they see.
    From(fn(&Bases<'_>, &mut Vec<Diagnostic>)),
    /// The stages that the target needs, with their values.
    Plan(fn(&Plan<'_>, &mut Vec<Diagnostic>)),
}

/// The `FROM`s of a file, and the arguments that they see.
struct Bases<'a> {
    program: &'a Program,
    options: &'a Options,
    /// Global arguments and platform arguments.
    globals: Env,
    /// What the rules may spend: their own, so that a plan is the same with and without them.
    budget: Budget,
}

impl<'a> Bases<'a> {
    /// None where the global arguments have errors.
    fn new(program: &'a Program, options: &'a Options) -> Option<Self> {
        let budget = Budget::default();
        let globals = globals(program, options, &budget).ok()?;
        Some(Self { program, options, globals, budget })
    }

    /// The value of a template of a `FROM`; none if it has errors.
    fn value(&self, template: &Template) -> Option<String> {
        value(template, &self.globals, &self.budget).ok()
    }
}

/// The stages that a target needs.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) program: &'a Program,
    pub(crate) options: &'a Options,
    pub(crate) facts: &'a Facts,
    pub(crate) resolved: &'a Resolved<'a>,
    pub(crate) expanded: &'a Expanded<'a>,
}

impl<'a> Plan<'a> {
    /// The needed stages, in order.
    fn stages(self) -> impl Iterator<Item = (usize, &'a ResolvedStage<'a>)> {
        let Plan { resolved, .. } = self;
        resolved.needed.iter().map(|index| (*index, &resolved.stages[*index]))
    }

    /// What the needed stages do, in order, with the index of the stage.
    fn steps(self) -> impl Iterator<Item = (usize, &'a Step<'a>)> {
        let Plan { expanded, .. } = self;
        let stages = expanded.stages.iter();
        stages.flat_map(|stage| stage.steps.iter().map(|step| (stage.index, step)))
    }
}

/// Every rule: BuildKit's in BuildKit's order, then ours.
const RULES: [Rule; 29] = [
    stage_name_casing::RULE,
    from_as_casing::RULE,
    no_empty_continuation::RULE,
    consistent_instruction_casing::RULE,
    duplicate_stage_name::RULE,
    reserved_stage_name::RULE,
    json_args_recommended::RULE,
    maintainer_deprecated::RULE,
    undefined_arg_in_from::RULE,
    undefined_var::RULE,
    workdir_relative_path::RULE,
    multiple_instructions_disallowed::RULE,
    legacy_key_value_format::RULE,
    invalid_base_image_platform::RULE,
    redundant_target_platform::RULE,
    secrets_used_in_arg_or_env::RULE,
    invalid_default_arg_in_from::RULE,
    from_platform_flag_const_disallowed::RULE,
    copy_ignored_file::RULE,
    invalid_definition_description::RULE,
    expose_proto_casing::RULE,
    expose_invalid_format::RULE,
    ignored_flag::RULE,
    ignored_platform::RULE,
    ignored_link::RULE,
    ignored_keep_git_dir::RULE,
    ignored_mtime::RULE,
    destination_without_slash::RULE,
    stage_name_misspelt::RULE,
];

/// Every build check, in a fixed order.
pub fn rules() -> impl Iterator<Item = Rule> {
    RULES.into_iter()
}

impl Rule {
    /// The name, as messages, `skip=` and `experimental=` have it.
    pub fn name(self) -> &'static str {
        self.code.name()
    }

    /// One line that says what it is about.
    pub fn summary(self) -> &'static str {
        self.summary
    }

    /// Whether it is silent unless `experimental=` names it.
    pub fn is_experimental(self) -> bool {
        self.kind == Kind::Experimental
    }

    /// Whether it is kaniko's own; the others are BuildKit's.
    pub fn is_own(self) -> bool {
        self.kind == Kind::Own
    }

    /// Whether the file's options and the instruction's let it speak. As in BuildKit, `skip=all`
    /// does not mean the experimental ones, which were asked for.
    fn speaks(self, file: &Check, instruction: Option<&Check>) -> bool {
        let checks = || std::iter::once(file).chain(instruction);
        let skipped = checks().any(|check| check.skip.names(self.name()));
        let asked = || {
            let mut chosen = checks().map(|check| &check.experimental);
            chosen.any(|chosen| chosen.all || chosen.names(self.name()))
        };
        match self.kind {
            Kind::Experimental => !skipped && asked(),
            Kind::Standard | Kind::Own => !skipped && !checks().any(|check| check.skip.all),
        }
    }
}

/// What the checks have to say.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// In the order of the text.
    pub(crate) warnings: Vec<Diagnostic>,
    /// The error that they come to under `error=true`.
    pub(crate) failure: Option<Diagnostic>,
}

/// What the checks say of a file that cannot be planned, perhaps not even parsed: warnings of the
/// rules that need no plan.
pub fn check(program: &Program, options: &Options) -> Vec<Diagnostic> {
    match settings(program, options) {
        Ok(file) => run(program, options, &file, None).warnings,
        Err(_) => Vec::new(),
    }
}

/// Runs all rules over a plan.
pub(crate) fn check_plan(plan: Plan<'_>, file: &Check) -> Verdict {
    run(plan.program, plan.options, file, Some(plan))
}

fn run(program: &Program, options: &Options, file: &Check, plan: Option<Plan<'_>>) -> Verdict {
    let bases = Bases::new(program, options);
    let sites = sites(program);
    let mut warnings = options::problems(file, &sites);
    let mut violated = BTreeSet::new();
    for rule in RULES {
        let mut found = Vec::new();
        match (rule.find, &bases, &plan) {
            (Find::Text(find), _, _) => find(program, &mut found),
            (Find::From(find), Some(bases), _) => find(bases, &mut found),
            (Find::Plan(find), _, Some(plan)) => find(plan, &mut found),
            (Find::From(_), None, _) | (Find::Plan(_), _, None) => {}
        }
        silence(rule, &mut found, file, &sites);
        if !rule.is_own() {
            violated.extend((!found.is_empty()).then_some(rule.name()));
        }
        warnings.append(&mut found);
    }
    debug_assert!(warnings.iter().all(|found| found.severity == Severity::Warning));
    warnings.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
    warnings.dedup();
    let failure = (file.error && !violated.is_empty()).then(|| {
        let names: Vec<String> = violated.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("`error=true`, and there are warnings of {}", names.join(", "));
        Diagnostic::error(Code::FailedChecks, file.span, message)
            .help("mend what they warn of, or name them in `skip=`")
    });
    Verdict { warnings, failure }
}

/// Takes out the findings that the options do not want. Those of one instruction come together and
/// are decided once: a list of names may be long.
fn silence(rule: Rule, found: &mut Vec<Diagnostic>, file: &Check, sites: &[Site<'_>]) {
    let mut last = (None, rule.speaks(file, None));
    found.retain(|finding| {
        let check = check_at(sites, finding.span);
        let comment = check.map(|check| check.span);
        if last.0 != comment {
            last = (comment, rule.speaks(file, check));
        }
        last.1
    });
}

/// An instruction and the `check` comment above it.
type Site<'a> = (Span, Option<&'a Check>);

/// Every instruction of a file, in order.
fn sites(program: &Program) -> Vec<Site<'_>> {
    let global = |arg: &'_ GlobalArg| arg.span;
    let mut sites: Vec<Site<'_>> =
        program.global_args.iter().map(|arg| (global(arg), arg.check.as_ref())).collect();
    for stage in &program.stages {
        sites.push((stage.span, stage.check.as_ref()));
        let statements = stage.statements.iter();
        sites.extend(statements.map(|statement| (statement.span, statement.check.as_ref())));
    }
    sites
}

/// The `check` comment of the instruction that a place lies in.
fn check_at<'a>(sites: &[Site<'a>], place: Span) -> Option<&'a Check> {
    let next = sites.partition_point(|(span, _)| span.start() <= place.start());
    let (span, check) = sites.get(next.checked_sub(1)?)?;
    check.filter(|_| place.start() < span.end())
}
