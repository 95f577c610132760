//! What a name in a `FROM` or a `--from` stands for.

use ir::instruction::{Instruction, MountKey};
use ir::program::Statement;
use ir::{Code, Diagnostic, ImageRef, ImageRequest, Platform, Span};

use super::{Base, Resolved};
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

fn parse_reference(text: &str, span: Span) -> Result<ImageRef, Diagnostic> {
    text.parse().map_err(|error: ir::ReferenceError| {
        let error = Diagnostic::error(Code::BadReference, span, error.to_string());
        let lower = text.to_lowercase();
        if lower != text && lower.parse::<ImageRef>().is_ok() {
            error.help(format!("write `{lower}`"))
        } else {
            error.help("write it as in `alpine:3.22` or `registry.example/name:tag`")
        }
    })
}

impl Resolved<'_> {
    /// The named context of a name as written, or as an image name means it.
    pub(super) fn context(&self, name: &str) -> Option<&str> {
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
    pub(super) fn base(&self, image: &str, platform: &Platform, span: Span) -> Base {
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
                    .help("stages are counted from 0; give the stage a name and use that")
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
}
