//! A stage as its `FROM` leaves it.

use ir::graph::{NodeId, Origin, Stage};
use ir::op::{CopySource, Op};
use ir::{ConfigFile, Platform};

use super::{Lowering, commit};
use crate::pass::expand::default_path;
use crate::pass::resolve::Base;
use crate::{NamedContext, path};

impl Lowering<'_> {
    /// The stage as it is behind its `FROM`.
    pub(super) fn enter(&mut self, index: usize) -> Stage {
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
