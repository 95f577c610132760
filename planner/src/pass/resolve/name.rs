//! What a name in a `FROM` or a `--from` stands for.

use std::collections::BTreeMap;

use ir::instruction::{Instruction, MountKey};
use ir::program::Statement;
use ir::template::Part;
use ir::{Code, Diagnostic, ImageRef, ImageRequest, Platform, Span, Template};

use super::{Base, Resolved, ResolvedStage};
use crate::NamedContext;
use crate::budget::Budget;
use crate::pass::expand::{Env, value};
use crate::step::Word;

/// What a `--from` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Scratch,
    Stage(usize),
    Image(ImageRequest),
    Context(String),
}

/// A `--from` with its value.
#[derive(Debug)]
pub(crate) struct From {
    /// The name, and where it stands.
    pub(crate) word: Word,
    /// Whether a number is the index of a stage: so for `COPY`, not for a mount.
    pub(crate) indices: bool,
}

/// The `--from`s of a statement that have a value, and whether it was written without variables.
pub(crate) fn references(
    statement: &Statement,
    globals: &Env,
    budget: &Budget,
) -> Vec<(From, bool)> {
    let copied = if let Instruction::Copy(copy) = &statement.instruction {
        copy.from.as_ref()
    } else {
        None
    };
    let fields = statement.instruction.mounts().iter().flat_map(|mount| &mount.fields);
    let mounted = fields
        .filter(|field| field.key == MountKey::From)
        .filter_map(|field| field.value.as_ref())
        .filter(|from| !from.raw.is_empty());
    let indices = matches!(statement.instruction, Instruction::Copy(_));
    let word = |template| from_word(template, globals, budget).ok();
    let from =
        |template| Some((From { word: word(template)?, indices }, template.variables().is_empty()));
    copied.into_iter().chain(mounted).filter_map(from).collect()
}

/// The value of a `--from`, or of a mount's `from`.
///
/// Superset: BuildKit takes no variables there. They are those that a `FROM` sees, since what a
/// stage refers to is known before it is expanded; one of the stage's own is as good as none, and
/// to go on without it would copy from something else than was meant.
pub(crate) fn from_word(
    template: &Template,
    globals: &Env,
    budget: &Budget,
) -> Result<Word, Diagnostic> {
    let help = |diagnostic: Diagnostic, name: &str| {
        diagnostic.help(format!(
            "declare it before the first `FROM`, as `ARG {name}=VALUE`; what a stage declares \
             is not known here"
        ))
    };
    for part in &template.parts {
        if let Part::Variable { name, modifier: None, quoted: _, span } = part
            && globals.get(name).is_none()
        {
            let message = format!("the variable `{name}` of a `from` has no value");
            return Err(help(Diagnostic::error(Code::BadReference, *span, message), name));
        }
    }
    let value = value(template, globals, budget)?;
    if value.is_empty() {
        let message = format!("`{}` names nothing to copy from: it is empty", template.raw);
        let error = Diagnostic::error(Code::BadReference, template.span, message);
        return Err(match template.variables().first() {
            Some((name, _)) => help(error, name),
            None => error.help("name a stage, an image or a build context"),
        });
    }
    Ok(Word { value, span: template.span })
}

pub(super) fn context_base(name: &str, platform: &Platform, resolved: &Resolved<'_>) -> Base {
    match &resolved.contexts[name] {
        NamedContext::Local { .. } | NamedContext::Git(_) | NamedContext::Http(_) => {
            Base::Context(name.to_owned())
        }
        NamedContext::Scratch => Base::Scratch,
        NamedContext::Image(reference) => {
            Base::Image(ImageRequest { reference: reference.clone(), platform: platform.clone() })
        }
    }
}

/// Which context stands for an image, where its name is one.
pub(crate) fn image_contexts(
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
        let error = Diagnostic::error(Code::BadReference, span, error.to_string());
        let lower = text.to_lowercase();
        if lower != text && lower.parse::<ImageRef>().is_ok() {
            error.help(format!("write `{lower}`"))
        } else {
            error.help("write it as in `alpine:3.22` or `registry.example/name:tag`")
        }
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
        from: &From,
        stage: usize,
        platform: &Platform,
    ) -> Result<Source, Diagnostic> {
        let (text, span) = (from.word.value.as_str(), from.word.span);
        if from.indices
            && let Ok(index) = text.parse::<i64>()
        {
            let index = usize::try_from(index).ok().filter(|index| *index < self.stages.len());
            return index.map(Source::Stage).ok_or_else(|| {
                let message = format!("there is no stage {text}; the last one is {}", self.last());
                Diagnostic::error(Code::UnknownStage, span, message)
                    .help("stages are counted from 0; give the stage a name and use that")
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
                Base::Scratch => Source::Scratch,
                Base::Stage(_) | Base::Context(_) | Base::Invalid(_) => {
                    Source::Context(name.to_owned())
                }
            });
        }
        let reference = parse_reference(text, span)?;
        Ok(Source::Image(ImageRequest { reference, platform: platform.clone() }))
    }

    fn last(&self) -> usize {
        self.stages.len() - 1
    }
}
