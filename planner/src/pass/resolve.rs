//! What refers to what: stage names and indices, the target, named contexts, base images.

use std::collections::{BTreeMap, BTreeSet};

use ir::instruction::{Instruction, MountKey};
use ir::program::Statement;
use ir::{Code, Diagnostic, Facts, ImageRef, ImageRequest, Platform, Program, Span};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use petgraph::visit::Dfs;

use crate::pass::expand::{Env, globals, value};
use crate::step::Place;
use crate::{NamedContext, Options};

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
    contexts: &'a BTreeMap<String, NamedContext>,
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

/// What a `--from` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Scratch,
    Stage(usize),
    Image(ImageRequest),
    Context(String),
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
    let globals = globals(program, options).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut resolved = Resolved {
        stages: Vec::new(),
        target: 0,
        needed: BTreeSet::new(),
        globals,
        contexts: &options.contexts,
    };
    for stage in &program.stages {
        match bind_stage(&resolved, stage, options, facts) {
            Ok(stage) => resolved.stages.push(stage),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    resolved.target = target(program, options)?;
    check_epoch(&resolved, options)?;
    let edges = resolved.edges(&options.platform)?;
    cycles(&resolved, &edges)?;
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
    let image = value(&stage.from.image, &resolved.globals)?;
    let span = stage.from.image.span;
    if image.trim().is_empty() {
        let message = format!("the base image `{}` is empty", stage.from.image.raw);
        return Err(Diagnostic::error(Code::BadReference, span, message)
            .help("give the `ARG` in it a default, or a value with `--build-arg`"));
    }
    let mut platform = options.platform.clone();
    if let Some(template) = &stage.from.platform {
        let text = value(template, &resolved.globals)?;
        platform = text.parse().map_err(|error: ir::PlatformError| {
            Diagnostic::error(Code::BadPlatform, template.span, error.to_string())
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
                let span = if foreign { stage.span } else { statement.span };
                statements.push((statement, Place { span, foreign }));
            }
            Err(diagnostics) => {
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
            let statements = resolved.stages[*index].statements.iter();
            statements
                .filter_map(|(statement, place)| match &statement.instruction {
                    Instruction::Onbuild(onbuild) => {
                        let trigger = onbuild.trigger.as_ref();
                        Some((trigger.map(AsRef::as_ref).map_err(Vec::as_slice), place.foreign))
                    }
                    _ => None,
                })
                .collect()
        }
        Base::Scratch | Base::Context(_) | Base::Invalid(_) => Vec::new(),
    }
}

fn context_base(name: &str, platform: &Platform, resolved: &Resolved<'_>) -> Base {
    match &resolved.contexts[name] {
        NamedContext::Local { .. } => Base::Context(name.to_owned()),
        NamedContext::Image(reference) => {
            Base::Image(ImageRequest { reference: reference.clone(), platform: platform.clone() })
        }
    }
}

fn parse_reference(text: &str, span: Span) -> Result<ImageRef, Diagnostic> {
    text.parse().map_err(|error: ir::ReferenceError| {
        Diagnostic::error(Code::BadReference, span, error.to_string())
    })
}

impl Resolved<'_> {
    /// The named context of a name as written, or as an image name means it.
    fn context(&self, name: &str) -> Option<&str> {
        if name == "scratch" || name == "context" {
            return None;
        }
        if let Some((known, _)) = self.contexts.get_key_value(name) {
            return Some(known);
        }
        let wanted: ImageRef = name.parse().ok()?;
        let same = |known: &&String| known.parse::<ImageRef>().is_ok_and(|known| known == wanted);
        self.contexts.keys().find(same).map(String::as_str)
    }

    /// What a `FROM` names. The stages known so far are the earlier ones.
    ///
    /// Superset: BuildKit compares the name as written; here case does not matter where nothing
    /// fits exactly.
    fn base(&self, image: &str, platform: &Platform, span: Span) -> Base {
        let named = |wanted: &str| {
            self.stages.iter().rposition(|stage| stage.name.as_deref() == Some(wanted))
        };
        if let Some(index) = named(image).or_else(|| named(&image.to_lowercase())) {
            return Base::Stage(index);
        }
        if image == "scratch" {
            return Base::Scratch;
        }
        if let Some(name) = self.context(image) {
            return context_base(name, platform, self);
        }
        match parse_reference(image, span) {
            Ok(reference) => Base::Image(ImageRequest { reference, platform: platform.clone() }),
            Err(error) => Base::Invalid(error),
        }
    }

    /// What a `--from` or a mount's `from` in a stage names: the last earlier stage of the name,
    /// or else a later one, or else a context or an image, which is then for `platform`.
    pub(crate) fn source(
        &self,
        from: &From<'_>,
        stage: usize,
        platform: &Platform,
    ) -> Result<Source, Diagnostic> {
        let &From { text, span, indices } = from;
        if indices && let Ok(index) = text.parse::<i64>() {
            let index = usize::try_from(index).ok().filter(|index| *index < self.stages.len());
            return index.map(Source::Stage).ok_or_else(|| {
                let message = format!("there is no stage {text}; the last one is {}", self.last());
                Diagnostic::error(Code::UnknownStage, span, message)
            });
        }
        let wanted = text.to_lowercase();
        let named =
            |index: &usize| self.stages[*index].name.as_deref().is_some_and(|n| n == wanted);
        let earlier = (0..stage).rev().find(named);
        if let Some(index) = earlier.or_else(|| (stage..self.stages.len()).find(named)) {
            return Ok(Source::Stage(index));
        }
        if text == "scratch" {
            return Ok(Source::Scratch);
        }
        if let Some(name) = self.context(text) {
            return Ok(match context_base(name, platform, self) {
                Base::Image(request) => Source::Image(request),
                Base::Scratch | Base::Stage(_) | Base::Context(_) | Base::Invalid(_) => {
                    Source::Context(name.to_owned())
                }
            });
        }
        if text.contains('$') {
            let message = format!("`{text}`: variables are not expanded here");
            return Err(Diagnostic::error(Code::BadReference, span, message)
                .help("name it in a stage of its own: `FROM $NAME AS source`"));
        }
        let reference = parse_reference(text, span)?;
        Ok(Source::Image(ImageRequest { reference, platform: platform.clone() }))
    }

    fn last(&self) -> usize {
        self.stages.len() - 1
    }

    /// The stages that each stage refers to. A bad index is an error in any stage.
    fn edges(&self, platform: &Platform) -> Result<DiGraph<(), ()>, Vec<Diagnostic>> {
        let mut graph = DiGraph::new();
        let nodes: Vec<_> = self.stages.iter().map(|_| graph.add_node(())).collect();
        let mut errors = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            if let Base::Stage(base) = stage.base {
                graph.update_edge(nodes[index], nodes[base], ());
            }
            for (statement, place) in &stage.statements {
                for from in references(statement) {
                    match self.source(&from, index, platform) {
                        Ok(Source::Stage(source)) => {
                            graph.update_edge(nodes[index], nodes[source], ());
                        }
                        Err(error) if error.code == Code::UnknownStage => {
                            errors.push(place.at(error));
                        }
                        Ok(Source::Scratch | Source::Image(_) | Source::Context(_)) | Err(_) => {}
                    }
                }
            }
        }
        if errors.is_empty() { Ok(graph) } else { Err(errors) }
    }

    /// The images that the needed stages start from or copy from, each once, in order.
    pub(crate) fn images(&self, options: &Options) -> Vec<ImageRequest> {
        let mut images = BTreeSet::new();
        for index in &self.needed {
            let stage = &self.stages[*index];
            if let Base::Image(request) = &stage.base {
                images.insert(request.clone());
            }
            for from in stage.statements.iter().flat_map(|(statement, _)| references(statement)) {
                if let Ok(Source::Image(request)) = self.source(&from, *index, &options.platform) {
                    images.insert(request);
                }
            }
        }
        images.into_iter().collect()
    }
}

/// A `--from` as written.
#[derive(Debug)]
pub(crate) struct From<'a> {
    /// The name.
    pub(crate) text: &'a str,
    /// Where it stands.
    pub(crate) span: Span,
    /// Whether a number is the index of a stage: so for `COPY`, not for a mount.
    pub(crate) indices: bool,
}

/// The `--from`s of a statement.
fn references(statement: &Statement) -> Vec<From<'_>> {
    match &statement.instruction {
        Instruction::Copy(copy) => copy
            .from
            .iter()
            .filter(|from| !from.value.is_empty())
            .map(|from| From { text: &from.value, span: from.span, indices: true })
            .collect(),
        Instruction::Run(run) => run
            .mounts
            .iter()
            .flat_map(|mount| &mount.fields)
            .filter(|field| field.key == MountKey::From)
            .filter_map(|field| field.value.as_ref())
            .filter(|from| !from.raw.is_empty())
            .map(|from| From { text: &from.raw, span: from.span, indices: false })
            .collect(),
        Instruction::Add(_)
        | Instruction::Arg(_)
        | Instruction::Cmd(_)
        | Instruction::Entrypoint(_)
        | Instruction::Env(_)
        | Instruction::Expose(_)
        | Instruction::Healthcheck(_)
        | Instruction::Label(_)
        | Instruction::Maintainer(_)
        | Instruction::Onbuild(_)
        | Instruction::Shell(_)
        | Instruction::Stopsignal(_)
        | Instruction::User(_)
        | Instruction::Volume(_)
        | Instruction::Workdir(_) => Vec::new(),
    }
}

fn target(program: &Program, options: &Options) -> Result<usize, Vec<Diagnostic>> {
    let Some(wanted) = &options.target else { return Ok(program.stages.len() - 1) };
    let name = |stage: &ir::Stage| stage.from.name.as_ref().map(|name| name.value.to_lowercase());
    let lower = wanted.to_lowercase();
    let named = program.stages.iter().rposition(|stage| name(stage).is_some_and(|n| n == lower));
    let index = || wanted.parse().ok().filter(|index| *index < program.stages.len());
    named.or_else(index).ok_or_else(|| {
        let names: Vec<String> =
            program.stages.iter().filter_map(name).map(|name| format!("`{name}`")).collect();
        let message = format!("the target `{wanted}` is no stage of the file");
        let error = Diagnostic::error(Code::UnknownTarget, Span::default(), message);
        vec![match names.is_empty() {
            true => error.help("the stages of the file have no names; name one with `AS`"),
            false => error.help(format!("choose one of {}", names.join(", "))),
        }]
    })
}

/// `SOURCE_DATE_EPOCH` is a number of seconds, or names a source whose time is meant.
fn check_epoch(resolved: &Resolved<'_>, options: &Options) -> Result<(), Vec<Diagnostic>> {
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

fn cycles(resolved: &Resolved<'_>, edges: &DiGraph<(), ()>) -> Result<(), Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> = tarjan_scc(edges)
        .into_iter()
        .filter(|group| group.len() > 1 || edges.contains_edge(group[0], group[0]))
        .map(|group| {
            let mut stages: Vec<usize> = group.iter().map(|node| node.index()).collect();
            stages.sort_unstable();
            let names: Vec<String> =
                stages.iter().map(|stage| format!("`{}`", resolved.label(*stage))).collect();
            let message = match &names[..] {
                [one] => format!("the stage {one} needs itself"),
                many => format!("the stages {} need each other", many.join(" and ")),
            };
            let span = resolved.stages[stages[0]].span;
            let error = Diagnostic::error(Code::CircularDependency, span, message);
            stages[1..].iter().fold(error, |error, stage| {
                error.label(resolved.stages[*stage].span, "this stage is part of the circle")
            })
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

impl Resolved<'_> {
    /// What to call a stage: its name, or its index.
    pub(crate) fn label(&self, stage: usize) -> String {
        self.stages[stage].name.clone().unwrap_or_else(|| stage.to_string())
    }
}

fn reachable(edges: &DiGraph<(), ()>, target: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut search = Dfs::new(edges, petgraph::graph::NodeIndex::new(target));
    while let Some(node) = search.next(edges) {
        needed.insert(node.index());
    }
    needed
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
        .flat_map(|(arg, _)| &arg.declarations)
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
    super::expand::is_proxy(name)
        || name.starts_with("BUILDKIT_")
        || name == "SOURCE_DATE_EPOCH"
        || super::expand::PLATFORM_ARGS.contains(&name)
}
