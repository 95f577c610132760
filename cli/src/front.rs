//! From arguments to a graph: reads the Dockerfile and `.dockerignore`, asks for base images, plans.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ir::{Code, Diagnostic, Facts, Graph, ImageFacts, ImageRef, Platform, Program, Source, Span};
use planner::{NamedContext, Options};
use runtime::resolve::{Images, Layout};

use crate::arguments::FrontArgs;
use crate::environment::{Environment, absolute};
use crate::error::{CommandError, chain};
use crate::ui::Ui;
use files::{dockerfile, ignore_patterns};

mod files;
mod named;

/// A Dockerfile that could be parsed, and what it is to be planned with.
pub(crate) struct Front {
    pub(crate) source: Source,
    pub(crate) program: Program,
    pub(crate) options: Options,
    /// Directories by the name of their context; `context` is the main one.
    pub(crate) contexts: BTreeMap<String, PathBuf>,
    /// OCI layouts that stand for images.
    pub(crate) layouts: BTreeMap<ImageRef, Layout>,
}

/// Reads and parses everything that lies on this machine. Warnings are shown at once.
pub(crate) fn read(
    ui: &mut Ui,
    environment: &Environment,
    args: &FrontArgs,
) -> Result<Front, CommandError> {
    let context = context_directory(args.context.as_deref())?;
    let (path, bytes) = dockerfile(&args.dockerfile, &context)?;
    let name = args.dockerfile.display().to_string();
    let source = Source::decode(name, &bytes)
        .map_err(|error| CommandError::user(format!("cannot read the Dockerfile: {error}")))?;
    let mut options = options(environment, args)?;
    let chosen = options.build_args.get("BUILDKIT_SYNTAX").map(String::as_str);
    if let Some(problem) = grammar::other_front_end(&source, chosen) {
        return Err(source_error(&source, vec![problem]));
    }
    let parsed = grammar::parse(&source);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(refused(&source, &parsed.program, &options, parsed.diagnostics));
    }
    ui.diagnostics(&source, &parsed.diagnostics);
    options.ignore = ignore_patterns(path.as_deref(), &context)?;
    let mut contexts = Contexts::default();
    for argument in &args.build_contexts {
        named::read(argument, &mut contexts)?;
    }
    let Contexts { named, mut directories, layouts } = contexts;
    directories.insert("context".to_owned(), context);
    options.contexts = named;
    Ok(Front { source, program: parsed.program, options, contexts: directories, layouts })
}

/// The named contexts: what the planner knows of them, and what the runtime does.
#[derive(Default)]
struct Contexts {
    named: BTreeMap<String, NamedContext>,
    directories: BTreeMap<String, PathBuf>,
    layouts: BTreeMap<ImageRef, Layout>,
}

/// Asks for the base images that the plan needs, until it needs no more: a base image's triggers
/// may name further ones.
pub(crate) async fn resolve(
    ui: &mut Ui,
    front: &Front,
    images: &Images,
) -> Result<Facts, CommandError> {
    let mut facts = Facts::default();
    loop {
        let requests = planner::images(&front.program, &front.options, &facts)
            .map_err(|errors| refused(&front.source, &front.program, &front.options, errors))?;
        if requests.is_empty() {
            return Ok(facts);
        }
        let answers = requests.iter().map(|(request, span)| async move {
            match images.resolve(request).await {
                Ok(image) => Ok((request.clone(), image)),
                Err(error) => Err(CommandError::Build {
                    message: chain(&error),
                    help: misspelt(front, *span),
                    place: Some((Box::new(front.source.clone()), *span)),
                    status: 1,
                }),
            }
        });
        for (request, image) in futures_util::future::try_join_all(answers).await? {
            for passed_over in &image.passed_over {
                let (place, reason) = (&passed_over.place, chain(&passed_over.error));
                let image = &request.reference;
                ui.warning(&format!("`{image}` is not taken from `{place}`: {reason}"));
            }
            let triggers = image.config.config.on_build.iter();
            let triggers =
                triggers.map(|text| grammar::parse_trigger(text, Span::default())).collect();
            let config = image.config.clone();
            facts.images.insert(request, ImageFacts { digest: image.digest, config, triggers });
        }
    }
}

/// What to do if an instruction names an image, and a stage of nearly this name is meant.
fn misspelt(front: &Front, instruction: Span) -> Vec<String> {
    let within =
        |span: Span| instruction.start() <= span.start() && span.end() <= instruction.end();
    let found = planner::check(&front.program, &front.options);
    let found = found.into_iter().filter(|found| found.code == Code::StageNameMisspelt);
    found.filter(|found| within(found.span)).flat_map(|found| found.help).collect()
}

/// A plan that can be shown.
pub(crate) struct Plan {
    pub(crate) graph: Graph,
    /// When the image is to say that it was made, if the Dockerfile or a build argument says so.
    pub(crate) epoch: Option<u64>,
}

/// Plans. Warnings are shown, errors returned.
pub(crate) fn plan(ui: &mut Ui, front: &Front, facts: &Facts) -> Result<Plan, CommandError> {
    let planned = planner::plan(&front.program, &front.options, facts);
    match planned.graph {
        Some(graph) => {
            ui.diagnostics(&front.source, &planned.diagnostics);
            Ok(Plan { graph, epoch: planned.epoch })
        }
        None => Err(source_error(&front.source, planned.diagnostics)),
    }
}

/// Why there will be no plan, behind what the checks can say without one.
fn refused(
    source: &Source,
    program: &Program,
    options: &Options,
    errors: Vec<Diagnostic>,
) -> CommandError {
    let mut diagnostics = planner::check(program, options);
    diagnostics.extend(errors);
    source_error(source, diagnostics)
}

fn source_error(source: &Source, diagnostics: Vec<Diagnostic>) -> CommandError {
    CommandError::Source { source: Box::new(source.clone()), diagnostics }
}

fn context_directory(given: Option<&Path>) -> Result<PathBuf, CommandError> {
    let given = given.unwrap_or(Path::new("."));
    let text = given.to_string_lossy();
    let path = match text.split_once("://") {
        Some(("dir", path)) => PathBuf::from(path),
        Some((scheme, _)) => {
            return Err(CommandError::user_with_help(
                format!("cannot read a context from `{scheme}://`"),
                "give a directory that holds the context",
            ));
        }
        None => given.to_owned(),
    };
    let path = absolute(&path);
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Ok(path),
        Ok(_) => Err(CommandError::user_with_help(
            format!("the context `{}` is no directory", path.display()),
            "give the directory that COPY and ADD read from with `--context`",
        )),
        Err(error) => Err(CommandError::Read { what: "the context", path, error }),
    }
}

fn options(environment: &Environment, args: &FrontArgs) -> Result<Options, CommandError> {
    let machine = Platform::linux(std::env::consts::ARCH);
    let mut build_args = BTreeMap::new();
    for argument in &args.build_args {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            // As kaniko: a name alone takes the environment's value, empty if there is none.
            None => (&**argument, environment.get(argument).unwrap_or_default().to_owned()),
        };
        if name.is_empty() {
            return Err(CommandError::user(format!("`--build-arg {argument}` has no name")));
        }
        build_args.insert(name.to_owned(), value);
    }
    let pair = |label: &String| match label.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(CommandError::user(format!("`--label {label}` is not NAME=VALUE"))),
    };
    let labels = args.labels.iter().map(pair).collect::<Result<_, _>>()?;
    Ok(Options {
        target: args.target.clone(),
        build_args,
        platform: args.platform.clone().unwrap_or_else(|| machine.clone()),
        build_platform: machine,
        ignore: Vec::new(),
        contexts: BTreeMap::new(),
        labels,
        network: args.network.into(),
        hosts: args.hosts.iter().map(|host| (host.name.clone(), host.address)).collect(),
    })
}
