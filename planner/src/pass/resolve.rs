//! What refers to what: stage names and indices, the target, named contexts, base images.

use std::collections::{BTreeMap, BTreeSet};

use ir::instruction::Instruction;
use ir::program::Statement;
use ir::{Code, Diagnostic, Facts, ImageRef, ImageRequest, Platform, Program, Span, suggest};

use crate::budget::{Budget, ENTRY};
use crate::pass::expand::{Env, globals, value};
use crate::step::Place;
use crate::{NamedContext, Options};

mod argument;
mod circle;
mod name;
mod order;

pub(crate) use argument::useless_build_args;
use circle::circles;
use name::context_base;
pub(crate) use name::{From, Source, from_word, image_contexts, references};
use order::reachable;

/// A program whose references are bound.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// All stages, in the order of the Dockerfile.
    pub(crate) stages: Vec<ResolvedStage<'a>>,
    /// Index of the stage to build.
    pub(crate) target: usize,
    /// The stages that the target needs, in the order of the Dockerfile.
    pub(crate) needed: BTreeSet<usize>,
    /// Arguments and platform values that `FROM` and bare `ARG`s see.
    pub(crate) globals: Env,
    /// What of it the later passes may still spend.
    pub(crate) budget: Budget,
    /// Positions of the stages of each name, in order.
    names: BTreeMap<String, Vec<usize>>,
    /// When the image is to say that it was made, in seconds since 1970, if anything asks for it.
    pub(crate) epoch: Option<u64>,
    /// The host name that commands are to see, if anything asks for one.
    pub(crate) hostname: Option<String>,
    contexts: &'a BTreeMap<String, NamedContext>,
    /// The first context of each image that one is named after.
    image_contexts: BTreeMap<ImageRef, &'a str>,
}

/// One stage.
#[derive(Debug)]
pub(crate) struct ResolvedStage<'a> {
    /// Lower case.
    pub(crate) name: Option<String>,
    /// The `FROM`.
    pub(crate) span: Span,
    /// What it starts from.
    pub(crate) base: Base,
    /// What it is built for.
    pub(crate) platform: Platform,
    /// Triggers that fire, then the stage's own statements.
    pub(crate) statements: Vec<(&'a Statement, Place)>,
    /// Triggers that cannot fire.
    broken: Vec<Diagnostic>,
}

/// What a stage starts from. A name that cannot be read matters only where the stage is needed.
#[derive(Debug)]
pub(crate) enum Base {
    Scratch,
    Stage(usize),
    Image(ImageRequest),
    Context(String),
    Invalid(Diagnostic),
}

/// Binds every name.
///
/// Afterwards the target exists, no stages need each other, and `needed` is closed: it holds the
/// target and whatever its stages refer to.
pub(crate) fn resolve<'a>(
    program: &'a Program,
    options: &'a Options,
    facts: &'a Facts,
) -> Result<Resolved<'a>, Vec<Diagnostic>> {
    if program.stages.is_empty() {
        return Err(vec![Diagnostic::error(
            Code::NoFrom,
            Span::default(),
            "the file has no `FROM`, so there is nothing to build",
        )]);
    }
    let budget = Budget::default();
    let globals = globals(program, options, &budget).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut resolved = Resolved {
        stages: Vec::new(),
        target: 0,
        needed: BTreeSet::new(),
        globals,
        budget,
        names: BTreeMap::new(),
        epoch: None,
        hostname: argument::hostname(options).map_err(|error| vec![error])?,
        contexts: &options.contexts,
        image_contexts: image_contexts(&options.contexts),
    };
    for stage in &program.stages {
        match bind_stage(&resolved, stage, options, facts) {
            Ok(stage) => resolved.push(stage),
            Err(error) => errors.push(error),
        }
        if resolved.budget.is_exceeded() {
            break;
        }
    }
    resolved.budget.tell(&mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    resolved.target = target(program, options)?;
    resolved.epoch = argument::epoch(program, &resolved, options).map_err(|error| vec![error])?;
    let edges = resolved.edges(&options.platform)?;
    circles(&resolved, &edges)?;
    resolved.needed = reachable(&edges, resolved.target);
    let mut broken = resolved.needed.iter().flat_map(|stage| {
        let stage = &resolved.stages[*stage];
        let invalid = match &stage.base {
            Base::Invalid(diagnostic) => Some(diagnostic.clone()),
            Base::Scratch | Base::Stage(_) | Base::Image(_) | Base::Context(_) => None,
        };
        stage.broken.iter().cloned().chain(invalid)
    });
    match broken.next() {
        None => Ok(resolved),
        Some(first) => Err(std::iter::once(first).chain(broken).collect()),
    }
}

fn bind_stage<'a>(
    resolved: &Resolved<'a>,
    stage: &'a ir::Stage,
    options: &'a Options,
    facts: &'a Facts,
) -> Result<ResolvedStage<'a>, Diagnostic> {
    let name = stage.from.name.as_ref().map(|name| name.value.to_lowercase());
    let image = value(&stage.from.image, &resolved.globals, &resolved.budget)?;
    let span = stage.from.image.span;
    if image.trim().is_empty() {
        let message = format!("the base image `{}` is empty", stage.from.image.raw);
        return Err(Diagnostic::error(Code::BadReference, span, message)
            .help("give the `ARG` in it a default, or a value with `--build-arg`"));
    }
    let mut platform = options.platform.clone();
    if let Some(template) = &stage.from.platform {
        let text = value(template, &resolved.globals, &resolved.budget)?;
        platform = text.parse().map_err(|error: ir::PlatformError| {
            let help = match error.nearest() {
                Some(near) => format!("write `{near}`"),
                None => "write it as in `linux/amd64` or `linux/arm/v7`".to_owned(),
            };
            Diagnostic::error(Code::BadPlatform, template.span, error.to_string()).help(help)
        })?;
    }
    if let Some(context) = name.as_deref().and_then(|name| resolved.context(name)) {
        let base = context_base(context, &platform, resolved);
        let (statements, broken) = (Vec::new(), Vec::new());
        return Ok(ResolvedStage { name, span: stage.span, base, platform, statements, broken });
    }
    let base = resolved.base(&image, &platform, span);
    let platform = match &base {
        Base::Stage(index) => resolved.stages[*index].platform.clone(),
        Base::Scratch => options.platform.clone(),
        Base::Image(_) | Base::Context(_) | Base::Invalid(_) => platform,
    };
    let mut statements = Vec::new();
    let mut broken = Vec::new();
    for (trigger, foreign) in triggers(&base, resolved, facts) {
        match trigger {
            Ok(statement) => {
                resolved.budget.spend(statement.text.len() + ENTRY, stage.span)?;
                let span = if foreign { stage.span } else { statement.span };
                statements.push((statement, Place { span, foreign }));
            }
            Err(diagnostics) => {
                resolved.budget.spend(diagnostics.len() * ENTRY, stage.span)?;
                let place = Place { span: stage.span, foreign };
                broken.extend(diagnostics.iter().map(|error| place.at(error.clone())));
            }
        }
    }
    let own = stage.statements.iter();
    statements
        .extend(own.map(|statement| (statement, Place { span: statement.span, foreign: false })));
    Ok(ResolvedStage { name, span: stage.span, base, platform, statements, broken })
}

type Trigger<'a> = Result<&'a Statement, &'a [Diagnostic]>;

/// The triggers that a base fires, and whether they come from outside the file.
fn triggers<'a>(
    base: &Base,
    resolved: &Resolved<'a>,
    facts: &'a Facts,
) -> Vec<(Trigger<'a>, bool)> {
    match base {
        Base::Image(request) => {
            let known = facts.images.get(request).map(|image| image.triggers.as_slice());
            let all = known.unwrap_or_default().iter();
            all.map(|trigger| (trigger.as_ref().map_err(Vec::as_slice), true)).collect()
        }
        Base::Stage(index) => {
            let mut triggers = Vec::new();
            for (statement, place) in &resolved.stages[*index].statements {
                if let Instruction::Onbuild(onbuild) = &statement.instruction {
                    let trigger = onbuild.trigger.as_ref();
                    let trigger = trigger.map(AsRef::as_ref).map_err(Vec::as_slice);
                    triggers.push((trigger, place.foreign));
                }
            }
            triggers
        }
        Base::Scratch | Base::Context(_) | Base::Invalid(_) => Vec::new(),
    }
}

fn target(program: &Program, options: &Options) -> Result<usize, Vec<Diagnostic>> {
    let Some(wanted) = &options.target else { return Ok(program.stages.len() - 1) };
    let name = |stage: &ir::Stage| stage.from.name.as_ref().map(|name| name.value.to_lowercase());
    let lower = wanted.to_lowercase();
    let named = program.stages.iter().rposition(|stage| name(stage).is_some_and(|n| n == lower));
    let index = || wanted.parse().ok().filter(|index| *index < program.stages.len());
    named.or_else(index).ok_or_else(|| {
        let names: Vec<String> = program.stages.iter().filter_map(name).collect();
        let message = format!("the target `{wanted}` is no stage of the file");
        let help = match suggest::nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => format!("choose `{near}`"),
            None if names.is_empty() => "name the stage with `AS`, or leave the target out".into(),
            None => format!("choose one of `{}`", names.join("`, `")),
        };
        vec![Diagnostic::error(Code::UnknownTarget, Span::default(), message).help(help)]
    })
}
