//! Instructions → operations, config and history (BuildKit `dockerfile2llb/convert.go`).

use std::collections::BTreeMap;

use ir::config::HistoryEntry;
use ir::graph::{Graph, Node, NodeId, Origin, Stage, StageHistory};
use ir::op::{CopyOp, CopySource, HttpOp, ImageOp, LocalOp, Op};
use ir::{Code, ConfigFile, Diagnostic, Digest, Facts, ImageRequest, Platform, Span};

use crate::budget::Budget;
use crate::pass::expand::{default_path, is_proxy};
use crate::pass::resolve::{Base, From, Resolved, Source};
use crate::step::{Action, ExpandedStage, Place, Step, Word};
use crate::{NamedContext, Options, path};

mod config;
mod copy;
mod mount;
mod places;
mod port;
mod run;
mod signal;
mod size;
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

    /// The stage as it is behind its `FROM`.
    fn enter(&mut self, index: usize) -> Stage {
        let resolved = &self.world.resolved.stages[index];
        let platform = resolved.platform.clone();
        let number = u32::try_from(index).expect("a file has fewer stages than bytes");
        let mut stage = Stage {
            name: resolved.name.clone(),
            index: number,
            root: NodeId(0),
            config: empty_config(&platform),
            continues: None,
            history: Vec::new(),
            platform,
        };
        let origin = Origin {
            span: resolved.span,
            text: String::new(),
            stage: Some(number),
            stage_name: resolved.name.clone(),
            proxy: Vec::new(),
            hosts: Vec::new(),
        };
        match &resolved.base {
            Base::Stage(base) => {
                let position = self.positions[base];
                let base = &self.done[position];
                stage.root = base.root;
                stage.config = base.config.clone();
                stage.continues = Some(position);
            }
            Base::Image(request) => {
                if let Some(image) = self.world.facts.images.get(request) {
                    stage.config = filled(&image.config, &stage.platform);
                }
                stage.root = self.image(request, origin);
            }
            Base::Context(name) => self.enter_context(&mut stage, name, origin),
            // An invalid base was reported by `resolve`.
            Base::Scratch | Base::Invalid(_) => {
                "/".clone_into(&mut stage.config.config.working_dir);
                let text = "FROM scratch".to_owned();
                stage.root = self.add(Op::Scratch, Origin { text, ..origin });
            }
        }
        let config = &mut stage.config.config;
        config.on_build.clear();
        if let Some(path) = default_path(&stage.platform)
            && config.env("PATH").is_none()
        {
            config.set_env("PATH", path);
        }
        if !config.working_dir.is_empty() {
            config.working_dir = path::workdir("", &config.working_dir);
        }
        stage
    }

    /// A stage from a context is all of it, copied into nothing.
    fn enter_context(&mut self, stage: &mut Stage, name: &str, origin: Origin) {
        let text = format!("FROM {name}");
        let origin = Origin { text: text.clone(), ..origin };
        let from = self.context(name, origin.clone());
        stage.root = match self.world.options.contexts[name] {
            // What is downloaded is in a root of its own already.
            NamedContext::Http(_) => from,
            NamedContext::Local { .. }
            | NamedContext::Git(_)
            | NamedContext::Image(_)
            | NamedContext::Scratch => {
                self.copied(CopySource { from, path: "/".to_owned(), unpack: false }, origin)
            }
        };
        commit(stage, text, true);
    }

    /// A root that holds nothing but this.
    fn copied(&mut self, source: CopySource, origin: Origin) -> NodeId {
        let copy = CopyOp {
            root: self.add(Op::Scratch, origin.clone()),
            sources: vec![source],
            destination: "/".to_owned(),
            owner: None,
            mode: None,
            exclude: Vec::new(),
            parents: false,
            link: false,
        };
        self.add(Op::Copy(copy), origin)
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

    /// The node behind a `--from`.
    fn source(
        &mut self,
        current: &Current,
        from: &From,
        site: Site<'_>,
    ) -> Result<NodeId, Diagnostic> {
        let index = current.stage.index as usize;
        let World { resolved, options, .. } = self.world;
        match resolved.source(from, index, &options.platform)? {
            Source::Scratch => {
                let text = "FROM scratch".to_owned();
                Ok(self.add(Op::Scratch, Origin { text, ..origin(&current.stage, site) }))
            }
            Source::Stage(stage) => {
                let position = self.positions.get(&stage);
                position.map(|position| self.done[*position].root).ok_or_else(|| {
                    let name = resolved.label(stage);
                    let message = format!("the stage `{name}` comes later than its use here");
                    Diagnostic::error(Code::UnknownStage, from.word.span, message)
                        .label(resolved.stages[stage].span, "it is defined here")
                        .help("move the stage above the one that copies from it")
                })
            }
            Source::Image(request) => Ok(self.image(&request, origin(&current.stage, site))),
            Source::Context(name) => Ok(self.context(&name, origin(&current.stage, site))),
        }
    }

    fn image(&mut self, request: &ImageRequest, origin: Origin) -> NodeId {
        let digest = self.world.facts.images.get(request).map(|image| image.digest);
        let text = format!("FROM {}", request.reference);
        let ImageRequest { reference, platform } = request.clone();
        let op = Op::Image(ImageOp { reference, digest, platform });
        self.add(op, Origin { text, ..origin })
    }

    /// The context that the build was started with.
    fn main_context(&mut self) -> NodeId {
        if let Some(known) = self.main {
            return known;
        }
        let ignore = self.world.options.ignore.clone();
        let op = Op::Local(LocalOp { name: "context".to_owned(), ignore });
        let text = "load the build context".to_owned();
        let node = self.add(op, Origin { text, ..Origin::default() });
        self.main = Some(node);
        node
    }

    /// What is in a named context that is no image. `origin` is who asks for it.
    fn context(&mut self, name: &str, origin: Origin) -> NodeId {
        if let Some(known) = self.contexts.get(name) {
            return *known;
        }
        let text = format!("load the build context `{name}`");
        let node = match &self.world.options.contexts[name] {
            NamedContext::Local { ignore } => {
                let op = LocalOp { name: name.to_owned(), ignore: ignore.clone() };
                self.add(Op::Local(op), Origin { text, ..Origin::default() })
            }
            NamedContext::Git(git) => self.add(Op::Git(git.clone()), Origin { text, ..origin }),
            NamedContext::Http(url) => {
                let filename = "context".to_owned();
                let path = path::rooted(&filename);
                let op = HttpOp { url: url.clone(), filename, checksum: None };
                let origin = Origin { text, ..origin };
                let from = self.add(Op::Http(op), origin.clone());
                self.copied(CopySource { from, path, unpack: true }, origin)
            }
            // `resolve` makes a base of these.
            NamedContext::Image(_) | NamedContext::Scratch => self.add(Op::Scratch, origin),
        };
        self.contexts.insert(name.to_owned(), node);
        node
    }

    fn add(&mut self, op: Op, origin: Origin) -> NodeId {
        let id = NodeId::from_index(self.nodes.len());
        self.nodes.push(Node { op, key: Digest::from_bytes([0; 32]), origin });
        id
    }
}

fn empty_config(platform: &Platform) -> ConfigFile {
    filled(&ConfigFile::default(), platform)
}

/// The config, with the platform where it says none, and without the base's time: the time of
/// the image is the exporter's to say.
fn filled(config: &ConfigFile, platform: &Platform) -> ConfigFile {
    let mut config = ConfigFile { created: None, ..config.clone() };
    if config.os.is_empty() {
        config.os.clone_from(&platform.os);
    }
    if config.architecture.is_empty() {
        config.architecture.clone_from(&platform.architecture);
        config.variant.clone_from(&platform.variant);
    }
    config
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
