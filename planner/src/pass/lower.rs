//! Instructions → operations, config and history (BuildKit `dockerfile2llb/convert.go`).

use std::collections::BTreeMap;

use ir::config::HistoryEntry;
use ir::graph::{Graph, Node, NodeId, Origin, Stage, StageHistory};
use ir::op::Op;
use ir::{Code, ConfigFile, Diagnostic, Digest, Facts, Span};

use crate::budget::Budget;
use crate::pass::expand::is_proxy;
use crate::pass::resolve::Resolved;
use crate::step::{Action, ExpandedStage, Place, Step, Word};
use crate::{Options, path};

mod config;
mod copy;
mod enter;
mod mount;
mod places;
mod port;
mod run;
mod signal;
mod source;
mod weight;
mod words;

use places::Places;

pub(crate) use copy::{is_git, is_path};
pub(crate) use port::Port;

/// What every history entry of a Dockerfile says, so that tools know its form.
const COMMENT: &str = "buildkit.dockerfile.v0";

/// Lowers the needed stages, in order.
///
/// Afterwards inputs have smaller ids than what needs them; equal nodes may still stand twice.
pub(crate) fn lower(
    resolved: &Resolved<'_>,
    expanded: Vec<ExpandedStage<'_>>,
    options: &Options,
    facts: &Facts,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Graph, Vec<Diagnostic>> {
    let mut lowering = Lowering {
        world: World { resolved, options, facts },
        nodes: Vec::new(),
        main: None,
        empty: None,
        contexts: BTreeMap::new(),
        done: Vec::new(),
        positions: BTreeMap::new(),
        proxy: options.build_args.iter().filter(|(name, _)| is_proxy(name)).collect(),
        warnings,
    };
    let mut errors = Vec::new();
    for stage in expanded {
        lowering.stage(stage, &mut errors);
        if resolved.budget.is_exceeded() {
            break;
        }
    }
    resolved.budget.tell(&mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut stages = lowering.done;
    let target = lowering.positions[&resolved.target];
    finish(&mut stages[target].config, options);
    Ok(Graph { nodes: lowering.nodes, stages, target })
}

/// What holds for the image that is exported, and for no other stage.
fn finish(config: &mut ConfigFile, options: &Options) {
    config.config.labels.extend(options.labels.iter().cloned());
    // Someone who asks for a platform gets an image that says so, also where its last stage starts
    // from a base for another one. The builder's own platform may be a mere default.
    let wanted = &options.platform;
    if *wanted != options.build_platform {
        let same = config.os == wanted.os && config.architecture == wanted.architecture;
        config.os.clone_from(&wanted.os);
        config.architecture.clone_from(&wanted.architecture);
        if !same || wanted.variant.is_some() {
            config.variant.clone_from(&wanted.variant);
        }
    }
}

/// What lowering looks things up in.
#[derive(Clone, Copy)]
struct World<'a> {
    resolved: &'a Resolved<'a>,
    options: &'a Options,
    facts: &'a Facts,
}

struct Lowering<'a> {
    world: World<'a>,
    nodes: Vec<Node>,
    /// The node of the context that the build was started with. It may have thousands of patterns,
    /// so there is one.
    main: Option<NodeId>,
    /// The empty root that copies with `--link` are made in.
    empty: Option<NodeId>,
    /// The nodes of the named contexts.
    contexts: BTreeMap<String, NodeId>,
    /// In the order of the Dockerfile.
    done: Vec<Stage>,
    /// Where in `done` each stage of the Dockerfile stands.
    positions: BTreeMap<usize, usize>,
    /// The build arguments that configure a proxy.
    proxy: Vec<(&'a String, &'a String)>,
    warnings: &'a mut Vec<Diagnostic>,
}

/// A stage that is being lowered.
struct Current {
    stage: Stage,
    /// Of the config's environment.
    env: Places,
    /// Whether this stage, not one it continues, has set `CMD`.
    has_cmd: bool,
}

/// The instruction that is being lowered.
#[derive(Clone, Copy)]
struct Site<'a> {
    place: Place,
    text: &'a str,
    budget: &'a Budget,
}

impl Lowering<'_> {
    fn stage(&mut self, expanded: ExpandedStage<'_>, errors: &mut Vec<Diagnostic>) {
        let stage = self.enter(expanded.index);
        let resolved = self.world.resolved;
        let (budget, span) = (&resolved.budget, resolved.stages[expanded.index].span);
        errors.extend(budget.spend(weight::config(&stage.config), span).err());
        let env = Places::of(&stage.config.config.env);
        let mut current = Current { stage, env, has_cmd: false };
        for step in expanded.steps {
            if budget.is_exceeded() {
                return;
            }
            let place = step.place;
            if let Err(error) = self.step(&mut current, step) {
                errors.push(place.at(error));
            }
        }
        self.positions.insert(expanded.index, self.done.len());
        self.done.push(current.stage);
    }

    fn step(&mut self, current: &mut Current, step: Step<'_>) -> Result<(), Diagnostic> {
        let budget = &self.world.resolved.budget;
        let site = Site { place: step.place, text: &step.statement.text, budget };
        budget.spend(weight::carried(&current.stage), step.place.span)?;
        match step.action {
            Action::Copy(copy) => self.copy(current, copy, site),
            Action::Run(run) => self.run(current, &run, site),
            Action::Workdir(Word { value: directory, span: _ }) => {
                self.workdir(current, &directory, site);
                Ok(())
            }
            action @ (Action::Arg(_)
            | Action::Cmd(_)
            | Action::Entrypoint(_)
            | Action::Env(_)
            | Action::Expose(_)
            | Action::Healthcheck(_)
            | Action::Label(_)
            | Action::Maintainer(_)
            | Action::Onbuild(_)
            | Action::Shell(_)
            | Action::Stopsignal(_)
            | Action::User(_)
            | Action::Volume(_)) => config::apply(current, action, site),
        }
    }

    /// A directory in the root, except for `/` itself.
    fn workdir(&mut self, current: &mut Current, directory: &str, site: Site<'_>) {
        let stage = &mut current.stage;
        let directory = path::workdir(&stage.config.config.working_dir, directory);
        stage.config.config.working_dir.clone_from(&directory);
        let made = directory != "/";
        if made {
            let mkdir = ir::op::MkdirOp {
                root: stage.root,
                path: path::clean(&directory),
                owner: stage.config.config.user.clone(),
            };
            let origin = origin(stage, site);
            stage.root = self.add(Op::Mkdir(mkdir), origin);
        }
        commit(stage, format!("WORKDIR {directory}"), made);
    }

    fn add(&mut self, op: Op, origin: Origin) -> NodeId {
        let id = NodeId::from_index(self.nodes.len());
        self.nodes.push(Node { op, key: Digest::from_bytes([0; 32]), origin });
        id
    }
}

fn origin(stage: &Stage, site: Site<'_>) -> Origin {
    Origin {
        span: site.place.span,
        text: site.text.to_owned(),
        stage: Some(stage.index),
        stage_name: stage.name.clone(),
        proxy: Vec::new(),
        hosts: Vec::new(),
    }
}

/// Adds a history entry; one with a layer belongs to the stage's root.
fn commit(stage: &mut Stage, created_by: String, layer: bool) {
    let entry = HistoryEntry {
        created_by,
        comment: COMMENT.to_owned(),
        empty_layer: !layer,
        ..HistoryEntry::default()
    };
    stage.history.push(StageHistory { entry, node: layer.then_some(stage.root) });
}

fn bad(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, span, message)
}
