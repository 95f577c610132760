//! `ir::Program` + options + `ir::Facts` → `ir::Graph`: what will happen, decided without I/O.
//!
//! [`plan`] reads as the list of passes. The caller first asks [`images`] which base images'
//! configs a plan needs, fetches them into the facts, and asks again until nothing is missing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ir::instruction::Network;
use ir::{Diagnostic, Facts, ImageRequest, Platform, Program, Span};

mod budget;
mod check;
mod chmod;
mod explain;
mod giturl;
mod named;
mod pass;
mod path;
mod step;

pub use check::{Rule, check, rules};
pub use explain::explain;
pub use giturl::BadGitUrl;
pub use named::NamedContext;
pub use pass::key::{Component, components};
pub use pass::schedule::{Schedule, schedule};

/// What the caller wants of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the stage to build, in any case, or its index; none builds the last one.
    pub target: Option<String>,
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// What the builder itself runs on.
    pub build_platform: Platform,
    /// What is built for.
    pub platform: Platform,
    /// Cleaned `.dockerignore` patterns of the main context.
    pub ignore: Vec<String>,
    /// `--build-context`, by name.
    pub contexts: BTreeMap<String, NamedContext>,
    /// `--label`: set in the target's config, after everything else.
    pub labels: Vec<(String, String)>,
    /// `--network`: for every `RUN` that asks for none.
    pub network: Network,
    /// `--add-host`: what every `RUN` finds in its `/etc/hosts` besides.
    pub hosts: Vec<(String, IpAddr)>,
}

impl Options {
    /// Nothing asked for: the last stage, built on and for this platform.
    pub fn new(platform: Platform) -> Self {
        Self {
            target: None,
            build_args: BTreeMap::new(),
            build_platform: platform.clone(),
            platform,
            ignore: Vec::new(),
            contexts: BTreeMap::new(),
            labels: Vec::new(),
            network: Network::Default,
            hosts: Vec::new(),
        }
    }
}

/// A plan, or why there is none.
#[derive(Clone, Debug)]
pub struct Planned {
    /// None if and only if a diagnostic is an error.
    pub graph: Option<ir::Graph>,
    /// When the image is to say that it was made, in seconds since 1970: `SOURCE_DATE_EPOCH` as a
    /// build argument or a global `ARG`. None leaves it to the caller.
    pub epoch: Option<u64>,
    /// Warnings, then errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// Decides what happens for a program.
///
/// An image that the facts do not know is left without a digest and its config is taken to be
/// empty: such a plan can be shown, not run.
pub fn plan(program: &Program, options: &Options, facts: &Facts) -> Planned {
    let mut diagnostics = Vec::new();
    match passes(program, options, facts, &mut diagnostics) {
        Ok((graph, epoch)) => {
            debug_assert_eq!(ir::verify::verify(&graph), [], "a planned graph is well formed");
            Planned { graph: Some(graph), epoch, diagnostics }
        }
        Err(errors) => {
            diagnostics.extend(errors);
            Planned { graph: None, epoch: None, diagnostics }
        }
    }
}

fn passes(
    program: &Program,
    options: &Options,
    facts: &Facts,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(ir::Graph, Option<u64>), Vec<Diagnostic>> {
    let settings = check::settings(program, options)?;
    let resolved = match pass::resolve::resolve(program, options, facts) {
        Ok(resolved) => resolved,
        Err(errors) => {
            warnings.extend(check(program, options));
            return Err(errors);
        }
    };
    warnings.extend(pass::resolve::useless_build_args(program, &resolved, options));
    let expanded = pass::expand::expand(&resolved, options, facts);
    let plan = check::Plan { program, options, facts, resolved: &resolved, expanded: &expanded };
    let check::Verdict { warnings: found, failure } = check::check_plan(plan, &settings);
    warnings.extend(found);
    let pass::expand::Expanded { stages, unset: _, mut errors } = expanded;
    // What was expanded may be wrong too, and is told in the same run.
    let lowered = if resolved.budget.is_exceeded() {
        Err(Vec::new())
    } else {
        pass::lower::lower(&resolved, stages, options, facts, warnings)
    };
    let graph = lowered.map_err(|more| errors.extend(more));
    errors.sort_by_key(|error| error.span.start());
    if errors.is_empty() {
        errors.extend(failure);
    }
    match graph {
        Ok(mut graph) if errors.is_empty() => {
            pass::prune::prune(&mut graph);
            pass::key::key(&mut graph);
            Ok((graph, resolved.epoch))
        }
        Ok(_) | Err(()) => Err(errors),
    }
}

/// Images that a plan needs and the facts do not know yet, each once, in a fixed order, with the
/// instruction that names it first.
///
/// A base image may bring `ONBUILD` triggers that need further images, so the caller asks again
/// with what it learnt until the answer is empty. Images that files are only copied from are in
/// it as well: their digests pin them.
pub fn images(
    program: &Program,
    options: &Options,
    facts: &Facts,
) -> Result<Vec<(ImageRequest, Span)>, Vec<Diagnostic>> {
    check::settings(program, options)?;
    let resolved = pass::resolve::resolve(program, options, facts)?;
    let mut missing = resolved.images(options);
    missing.retain(|(request, _)| !facts.images.contains_key(request));
    Ok(missing)
}
