//! From arguments to a graph: reads the Dockerfile and `.dockerignore`, asks for base images, plans.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ir::{Diagnostic, Facts, Graph, ImageFacts, ImageRef, Platform, Program, Source, Span};
use planner::{NamedContext, Options};
use runtime::resolve::{Images, Layout};

use crate::arguments::FrontArgs;
use crate::environment::{Environment, absolute};
use crate::error::{CommandError, chain};
use crate::ui::Ui;

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
    let (path, text) = dockerfile(&args.dockerfile, &context)?;
    let name = args.dockerfile.display().to_string();
    let source = Source::new(name, text)
        .map_err(|error| CommandError::user(format!("cannot read the Dockerfile: {error}")))?;
    let mut options = options(environment, args)?;
    let parsed = grammar::parse(&source);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        let mut diagnostics = planner::check(&parsed.program, &options);
        diagnostics.extend(parsed.diagnostics);
        return Err(source_error(&source, diagnostics));
    }
    ui.diagnostics(&source, &parsed.diagnostics);
    options.ignore = ignore_patterns(path.as_deref(), &context)?;
    let mut contexts = BTreeMap::from([("context".to_owned(), context)]);
    let mut layouts = BTreeMap::new();
    for argument in &args.build_contexts {
        named_context(argument, &mut options, &mut contexts, &mut layouts)?;
    }
    Ok(Front { source, program: parsed.program, options, contexts, layouts })
}

/// Asks for the base images that the plan needs, until it needs no more: a base image's triggers
/// may name further ones.
pub(crate) async fn resolve(front: &Front, images: &Images) -> Result<Facts, CommandError> {
    let mut facts = Facts::default();
    loop {
        let requests = planner::images(&front.program, &front.options, &facts)
            .map_err(|diagnostics| source_error(&front.source, diagnostics))?;
        if requests.is_empty() {
            return Ok(facts);
        }
        let answers = requests.iter().map(|(request, span)| async move {
            match images.resolve(request).await {
                Ok(image) => Ok((request.clone(), image)),
                Err(error) => Err(CommandError::Build {
                    message: chain(&error),
                    help: Vec::new(),
                    place: Some((Box::new(front.source.clone()), *span)),
                    status: 1,
                }),
            }
        });
        for (request, image) in futures_util::future::try_join_all(answers).await? {
            let triggers = image.config.config.on_build.iter();
            let triggers =
                triggers.map(|text| grammar::parse_trigger(text, Span::default())).collect();
            let config = image.config.clone();
            facts.images.insert(request, ImageFacts { digest: image.digest, config, triggers });
        }
    }
}

/// Plans. Warnings are shown, errors returned.
pub(crate) fn plan(ui: &mut Ui, front: &Front, facts: &Facts) -> Result<Graph, CommandError> {
    let planned = planner::plan(&front.program, &front.options, facts);
    match planned.graph {
        Some(graph) => {
            ui.diagnostics(&front.source, &planned.diagnostics);
            Ok(graph)
        }
        None => Err(source_error(&front.source, planned.diagnostics)),
    }
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

/// Finds and reads the Dockerfile: as given, then in the context, then `dockerfile` for the
/// default name. The path is none for standard input.
fn dockerfile(given: &Path, context: &Path) -> Result<(Option<PathBuf>, String), CommandError> {
    const WHAT: &str = "the Dockerfile";
    if given == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| CommandError::Read { what: WHAT, path: given.into(), error })?;
        return Ok((None, text(given, bytes)?));
    }
    let mut candidates = vec![absolute(given), context.join(given)];
    if given == Path::new("Dockerfile") {
        candidates.push(context.join("dockerfile"));
    }
    for path in &candidates {
        match std::fs::read(path) {
            Ok(bytes) => return Ok((Some(path.clone()), text(path, bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CommandError::Read { what: WHAT, path: path.clone(), error });
            }
        }
    }
    candidates.dedup();
    let looked: Vec<String> =
        candidates.iter().map(|path| format!("`{}`", path.display())).collect();
    Err(CommandError::user_with_help(
        format!("cannot find the Dockerfile: looked for {}", looked.join(" and ")),
        "name it with `--dockerfile`",
    ))
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CommandError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        CommandError::user_with_help(
            format!("`{}` is no UTF-8 text: byte {offset} starts no character", path.display()),
            "save the file as UTF-8",
        )
    })
}

/// The patterns of `<Dockerfile>.dockerignore` beside the Dockerfile, else of `.dockerignore` in
/// the context.
fn ignore_patterns(dockerfile: Option<&Path>, context: &Path) -> Result<Vec<String>, CommandError> {
    let beside = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    for path in beside.into_iter().chain([context.join(".dockerignore")]) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(CommandError::Read { what: "the ignore file", path, error });
            }
        };
        return grammar::parse_ignore(&text)
            .map_err(|error| CommandError::user(format!("`{}`: {error}", path.display())));
    }
    Ok(Vec::new())
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
    })
}

/// Reads one `--build-context NAME=SOURCE`.
fn named_context(
    argument: &str,
    options: &mut Options,
    contexts: &mut BTreeMap<String, PathBuf>,
    layouts: &mut BTreeMap<ImageRef, Layout>,
) -> Result<(), CommandError> {
    let Some((name, source)) = argument.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(CommandError::user(format!("`--build-context {argument}` is not NAME=SOURCE")));
    };
    let name = name.to_lowercase();
    let reference = |text: &str| {
        text.parse::<ImageRef>()
            .map_err(|error| CommandError::user(format!("`--build-context {argument}`: {error}")))
    };
    let context = match source.split_once("://") {
        Some(("docker-image", image)) => NamedContext::Image(reference(image)?),
        Some(("oci-layout", path)) => {
            let (path, tag) = match path.rsplit_once(':') {
                Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
                _ => (path, None),
            };
            let image = reference(&name)?;
            layouts.insert(image.clone(), Layout { directory: absolute(Path::new(path)), tag });
            NamedContext::Image(image)
        }
        Some((scheme, _)) if scheme != "dir" => {
            return Err(CommandError::user_with_help(
                format!("`--build-context {argument}`: cannot read `{scheme}://`"),
                "give a directory, docker-image://REFERENCE or oci-layout://DIRECTORY[:TAG]",
            ));
        }
        other => {
            let directory = context_directory(Some(Path::new(other.map_or(source, |(_, p)| p))))?;
            let ignore = ignore_patterns(None, &directory)?;
            contexts.insert(name.clone(), directory);
            NamedContext::Local { ignore }
        }
    };
    options.contexts.insert(name, context);
    Ok(())
}
