//! What a name in a `FROM` or a `--from` stands for.

use std::collections::BTreeMap;

use ir::instruction::{Instruction, MountKey};
use ir::program::Statement;
use ir::{Code, Diagnostic, ImageRef, ImageRequest, Platform, Span};

use super::{Base, Resolved, ResolvedStage};
use crate::NamedContext;

/// What a `--from` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Scratch,
    Stage(usize),
    Image(ImageRequest),
    Context(String),
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
pub(super) fn references(statement: &Statement) -> Vec<From<'_>> {
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

pub(super) fn context_base(name: &str, platform: &Platform, resolved: &Resolved<'_>) -> Base {
    match &resolved.contexts[name] {
        NamedContext::Local { .. } => Base::Context(name.to_owned()),
        NamedContext::Image(reference) => {
            Base::Image(ImageRequest { reference: reference.clone(), platform: platform.clone() })
        }
    }
}

/// Which context stands for an image, where its name is one.
pub(super) fn image_contexts(
    contexts: &BTreeMap<String, NamedContext>,
) -> BTreeMap<ImageRef, &str> {
    let mut images = BTreeMap::new();
    for name in contexts.keys() {
        if let Ok(image) = name.parse() {
            images.entry(image).or_insert(name.as_str());
        }
    }
    images
}

fn parse_reference(text: &str, span: Span) -> Result<ImageRef, Diagnostic> {
    text.parse().map_err(|error: ir::ReferenceError| {
        Diagnostic::error(Code::BadReference, span, error.to_string())
    })
}

impl<'a> Resolved<'a> {
    /// The named context of a name as written, or as an image name means it.
    pub(super) fn context(&self, name: &str) -> Option<&str> {
        if name == "scratch" || name == "context" {
            return None;
        }
        if let Some((known, _)) = self.contexts.get_key_value(name) {
            return Some(known);
        }
        // Nearly always there is no context at all.
        if self.image_contexts.is_empty() {
            return None;
        }
        self.image_contexts.get(&name.parse().ok()?).copied()
    }

    /// Adds the next stage.
    pub(super) fn push(&mut self, stage: ResolvedStage<'a>) {
        if let Some(name) = &stage.name {
            self.names.entry(name.clone()).or_default().push(self.stages.len());
        }
        self.stages.push(stage);
    }

    /// What a `FROM` names. The stages known so far are the earlier ones.
    ///
    /// Superset: BuildKit compares the name as written; here case does not matter where nothing
    /// fits exactly.
    pub(super) fn base(&self, image: &str, platform: &Platform, span: Span) -> Base {
        let named = |wanted: &str| self.names.get(wanted)?.last().copied();
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
        let named = self.names.get(&wanted).map_or(&[][..], Vec::as_slice);
        let (earlier, later) = named.split_at(named.partition_point(|index| *index < stage));
        if let Some(index) = earlier.last().or(later.first()) {
            return Ok(Source::Stage(*index));
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
}
