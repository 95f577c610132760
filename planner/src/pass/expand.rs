//! Gives every template its value, in the environment of its moment.
//!
//! Scopes (BuildKit `dockerfile2llb/convert.go`): global `ARG`s see the platform arguments and
//! each other; a stage starts with what its base brings; within a stage the later of an `ARG` and
//! an `ENV` wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ir::instruction::{Arg, Heredoc, Instruction, MountKey, Pair, Paths};
use ir::program::Statement;
use ir::suggest::Sparing;
use ir::{Diagnostic, Facts, Platform, Template};

use crate::Options;
use crate::budget::{Budget, ENTRY};
use crate::pass::resolve::{Base, Resolved, from_word};
use crate::step::{
    Action, CopyKind, CopyStep, ExpandedStage, MountStep, Place, RunStep, Step, Word,
};

pub(crate) use unset::Unset;

mod env;
mod glob;
mod unset;
mod value;

pub(crate) use env::{Env, PLATFORM_ARGS, default_path, globals, is_proxy};
pub(crate) use value::value;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;

/// What a stage hands to the stages that continue it. What does not change is shared.
#[derive(Clone, Debug, Default)]
struct Scope {
    /// What templates and commands see.
    env: Arc<Env>,
    /// What of it the image keeps, in the order of the config.
    config: Arc<Env>,
    /// The declared arguments.
    args: Arc<Args>,
    /// The values of arguments that no template and no command sees.
    hidden: Arc<Env>,
    /// Whether the base is not known, so that it may have set anything.
    open: bool,
}

/// Names of declared arguments, each once.
#[derive(Clone, Debug, Default)]
struct Args {
    known: BTreeSet<String>,
    /// In the order in which each was declared first.
    names: Vec<String>,
    /// As the budget counts it.
    size: usize,
}

/// Arguments that tell a scanner what to look at, and are no variables.
const HIDDEN: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// The needed stages with their values.
#[derive(Debug, Default)]
pub(crate) struct Expanded<'a> {
    /// In order. A statement with an error is left out.
    pub(crate) stages: Vec<ExpandedStage<'a>>,
    /// Variables that nothing sets.
    pub(crate) unset: Vec<Unset>,
    /// Of all stages.
    pub(crate) errors: Vec<Diagnostic>,
}

/// Expands the needed stages, in order.
pub(crate) fn expand<'a>(
    resolved: &Resolved<'a>,
    options: &Options,
    facts: &Facts,
) -> Expanded<'a> {
    let mut scopes: BTreeMap<usize, Scope> = BTreeMap::new();
    let mut expanded = Expanded::default();
    let mut similar = Sparing::default();
    for &index in &resolved.needed {
        let stage = &resolved.stages[index];
        let mut scope = match &stage.base {
            Base::Stage(base) => scopes.get(base).cloned().unwrap_or_default(),
            Base::Image(request) => facts.images.get(request).map_or_else(
                || Scope { open: true, ..Scope::default() },
                |image| Scope::of(&image.config.config.env),
            ),
            Base::Scratch | Base::Context(_) | Base::Invalid(_) => Scope::default(),
        };
        let Resolved { globals, budget, .. } = resolved;
        if let Err(error) = budget.spend(scope.size(), stage.span) {
            expanded.errors.push(error);
            break;
        }
        scope.enter(&stage.platform);
        let (unset, similar) = (std::mem::take(&mut expanded.unset), &mut similar);
        let mut expander = Expander { scope, globals, budget, options, unset, similar };
        let mut steps = Vec::new();
        for &(statement, place) in &stage.statements {
            let wrong = expanded.errors.len();
            let unreadable = unreadable(statement).map(|problem| place.at(problem.clone()));
            expanded.errors.extend(unreadable);
            let readable = expanded.errors.len() == wrong;
            let met = expander.unset.len();
            match expander.action(&statement.instruction, place) {
                // What is missing of it would only be missed again.
                Ok(action) if readable => steps.push(Step { action, statement, place }),
                Ok(_) => {}
                Err(error) => expanded.errors.push(place.at(error)),
            }
            for unset in &mut expander.unset[met..] {
                unset.place = place;
            }
            if budget.is_exceeded() {
                break;
            }
        }
        expanded.unset = expander.unset;
        scopes.insert(index, expander.scope);
        expanded.stages.push(ExpandedStage { index, steps });
    }
    resolved.budget.tell(&mut expanded.errors);
    expanded
}

/// What could not be read of a statement, and is wrong because its stage is needed.
fn unreadable(statement: &Statement) -> impl Iterator<Item = &Diagnostic> {
    statement
        .instruction
        .mounts()
        .iter()
        .flat_map(|mount| &mount.unreadable)
        .map(|field| &field.problem)
}

impl Scope {
    fn of(config: &[String]) -> Self {
        let mut env = Env::default();
        for entry in config {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            env.set(name, value);
        }
        Self { config: Arc::new(env), ..Self::default() }
    }

    /// What a copy takes from the budget.
    fn size(&self) -> usize {
        self.env.size() + self.config.size() + self.args.size + self.hidden.size()
    }

    /// The arguments with the values that a command sees, each once, where it is first declared.
    fn declared(&self) -> Vec<(String, String)> {
        let value = |name| self.env.get(name).or(self.hidden.get(name)).unwrap_or_default();
        self.args.names.iter().map(|name| (name.clone(), value(name).to_owned())).collect()
    }

    /// Makes sure of a `PATH`, and lets the config's variables win over inherited arguments.
    fn enter(&mut self, platform: &Platform) {
        if let Some(path) = default_path(platform)
            && self.config.get("PATH").is_none()
        {
            Arc::make_mut(&mut self.config).set("PATH", path);
        }
        let env = Arc::make_mut(&mut self.env);
        for (name, value) in self.config.iter() {
            env.put_last(name, value);
        }
    }
}

impl Args {
    fn declare(&mut self, name: &str) {
        if self.known.insert(name.to_owned()) {
            self.names.push(name.to_owned());
            self.size += name.len() + ENTRY;
        }
    }
}

struct Expander<'a> {
    scope: Scope,
    globals: &'a Env,
    budget: &'a Budget,
    options: &'a Options,
    unset: Vec<Unset>,
    similar: &'a mut Sparing,
}

impl Expander<'_> {
    fn value(&mut self, template: &Template) -> Result<String, Diagnostic> {
        self.note_unset(template);
        value(template, &self.scope.env, self.budget)
    }

    fn word(&mut self, template: &Template) -> Result<Word, Diagnostic> {
        Ok(Word { value: self.value(template)?, span: template.span })
    }

    fn words(&mut self, templates: &[Template]) -> Result<Vec<Word>, Diagnostic> {
        templates.iter().map(|template| self.word(template)).collect()
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Result<Vec<(String, String)>, Diagnostic> {
        pairs.iter().map(|pair| Ok((self.value(&pair.key)?, self.value(&pair.value)?))).collect()
    }

    fn action(&mut self, instruction: &Instruction, place: Place) -> Result<Action, Diagnostic> {
        Ok(match instruction {
            Instruction::Add(add) => {
                let kind = CopyKind::Add {
                    keep_git_dir: add.keep_git_dir,
                    checksum: self.optional(add.checksum.as_ref())?,
                    unpack: add.unpack,
                };
                let exclude = add.exclude.iter().map(|text| text.value.clone()).collect();
                Action::Copy(CopyStep {
                    chown: self.optional(add.chown.as_ref())?.unwrap_or_default(),
                    chmod: self.optional(add.chmod.as_ref())?,
                    exclude,
                    link: add.link,
                    ..self.copy(&add.paths, kind)?
                })
            }
            Instruction::Copy(copy) => {
                let from =
                    copy.from.as_ref().map(|from| from_word(from, self.globals, self.budget));
                let kind = CopyKind::Copy { from: from.transpose()?, parents: copy.parents };
                let exclude = copy.exclude.iter().map(|text| text.value.clone()).collect();
                Action::Copy(CopyStep {
                    chown: self.optional(copy.chown.as_ref())?.unwrap_or_default(),
                    chmod: self.optional(copy.chmod.as_ref())?,
                    exclude,
                    link: copy.link,
                    ..self.copy(&copy.paths, kind)?
                })
            }
            Instruction::Arg(arg) => Action::Arg(self.arg(arg)?),
            Instruction::Cmd(cmd) => Action::Cmd(cmd.command.clone()),
            Instruction::Entrypoint(entrypoint) => Action::Entrypoint(entrypoint.command.clone()),
            Instruction::Env(env) => {
                let pairs = self.pairs(&env.pairs)?;
                let env = Arc::make_mut(&mut self.scope.env);
                let config = Arc::make_mut(&mut self.scope.config);
                for (name, value) in &pairs {
                    env.put_last(name, value);
                    config.set(name, value);
                }
                Action::Env(pairs)
            }
            Instruction::Expose(expose) => {
                let mut ports = Vec::new();
                for template in &expose.ports {
                    self.note_unset(template);
                    let words = value::words(template, &self.scope.env, self.budget)?;
                    let span = template.span;
                    ports.extend(words.into_iter().map(|value| Word { value, span }));
                }
                Action::Expose(ports)
            }
            Instruction::Healthcheck(check) => Action::Healthcheck(check.clone()),
            Instruction::Label(label) => Action::Label(self.pairs(&label.pairs)?),
            Instruction::Maintainer(maintainer) => {
                Action::Maintainer(maintainer.name.value.clone())
            }
            Instruction::Onbuild(onbuild) => Action::Onbuild(onbuild.text.clone()),
            Instruction::Run(run) => Action::Run(self.run(run, place)?),
            Instruction::Shell(shell) => Action::Shell(shell.argv.clone()),
            Instruction::Stopsignal(stop) => Action::Stopsignal(self.word(&stop.signal)?),
            Instruction::User(user) => Action::User(self.value(&user.user)?),
            Instruction::Volume(volume) => Action::Volume(self.words(&volume.paths)?),
            Instruction::Workdir(workdir) => Action::Workdir(self.word(&workdir.path)?),
        })
    }

    /// An empty value is as good as none.
    fn optional(&mut self, template: Option<&Template>) -> Result<Option<Word>, Diagnostic> {
        let word = template.map(|template| self.word(template)).transpose()?;
        Ok(word.filter(|word| !word.value.is_empty()))
    }

    /// The value of an `ARG`: the build argument, else its own default, else the global one.
    fn arg(&mut self, arg: &Arg) -> Result<Vec<(String, Option<String>)>, Diagnostic> {
        let mut declared = Vec::new();
        for declaration in &arg.declarations {
            let name = &declaration.name.value;
            let value = match (self.options.build_args.get(name), &declaration.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(self.value(default)?),
                (None, None) => self.globals.get(name).map(str::to_owned),
            };
            if let Some(value) = &value {
                let hidden = HIDDEN.contains(&name.as_str());
                let Scope { env, hidden: unseen, .. } = &mut self.scope;
                Arc::make_mut(if hidden { unseen } else { env }).put_last(name, value);
            }
            Arc::make_mut(&mut self.scope.args).declare(name);
            declared.push((name.clone(), value));
        }
        Ok(declared)
    }

    fn run(&mut self, run: &ir::instruction::Run, place: Place) -> Result<RunStep, Diagnostic> {
        // The command gets a copy of the environment, and its history one of the arguments.
        self.budget.spend(self.scope.size(), place.span)?;
        let mut mount = |mount: &ir::instruction::Mount| {
            let mut field = |field: &ir::instruction::MountField| {
                let value = match &field.value {
                    Some(from) if field.key == MountKey::From && !from.raw.is_empty() => {
                        Some(from_word(from, self.globals, self.budget)?)
                    }
                    Some(template) => Some(self.word(template)?),
                    None => None,
                };
                Ok((field.key, value, field.span))
            };
            let fields = mount.fields.iter().map(&mut field).collect::<Result<_, Diagnostic>>()?;
            Ok(MountStep { fields, span: mount.span })
        };
        let mounts = run.mounts.iter().map(&mut mount).collect::<Result<_, Diagnostic>>()?;
        Ok(RunStep {
            command: run.command.clone(),
            heredocs: run.heredocs.clone(),
            mounts,
            network: run.network,
            security: run.security,
            devices: run.devices.clone(),
            env: Arc::clone(&self.scope.env),
            args: self.scope.declared(),
        })
    }

    fn copy(&mut self, paths: &Paths, kind: CopyKind) -> Result<CopyStep, Diagnostic> {
        let sources = self.words(&paths.sources)?;
        let mut heredoc =
            |heredoc: &Heredoc| Ok((heredoc.name.clone(), self.value(&heredoc.template)?));
        let heredocs =
            paths.heredocs.iter().map(&mut heredoc).collect::<Result<_, Diagnostic>>()?;
        Ok(CopyStep {
            sources,
            heredocs,
            destination: self.word(&paths.destination)?,
            chown: Word::default(),
            chmod: None,
            exclude: Vec::new(),
            link: false,
            kind,
        })
    }
}
