//! The nodes that files come from: stages, images and contexts.

use ir::graph::{NodeId, Origin};
use ir::op::{CopyOp, CopySource, HttpOp, ImageOp, LocalOp, Op};
use ir::{Code, Diagnostic, ImageRequest};

use super::{Current, Lowering, Site, World, origin};
use crate::pass::resolve::{From, Source};
use crate::{NamedContext, path};

impl Lowering<'_> {
    /// The node behind a `--from`.
    pub(super) fn source(
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

    pub(super) fn image(&mut self, request: &ImageRequest, origin: Origin) -> NodeId {
        let digest = self.world.facts.images.get(request).map(|image| image.digest);
        let text = format!("FROM {}", request.reference);
        let ImageRequest { reference, platform } = request.clone();
        let op = Op::Image(ImageOp { reference, digest, platform });
        self.add(op, Origin { text, ..origin })
    }

    /// The context that the build was started with.
    pub(super) fn main_context(&mut self) -> NodeId {
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
    pub(super) fn context(&mut self, name: &str, origin: Origin) -> NodeId {
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

    /// A root that holds nothing but this.
    pub(super) fn copied(&mut self, source: CopySource, origin: Origin) -> NodeId {
        let root = self.add(Op::Scratch, origin.clone());
        let copy = CopyOp::new(root, vec![source], "/");
        self.add(Op::Copy(copy), origin)
    }
}
