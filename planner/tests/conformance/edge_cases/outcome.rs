//! A row, read and planned, with every image that it needs.

use std::collections::BTreeSet;

use ir::{Diagnostic, Facts, Graph, Platform, Program, Source};
use kaniko_planner::{check, images, plan};
use serde_json::Value;

use super::setting::Setting;

/// What becomes of a row.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The plan, or at least one error.
    pub(super) graph: Result<Graph, Vec<Diagnostic>>,
    /// The images that were asked for.
    pub(super) resolved: BTreeSet<String>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Outcome {
    /// Reads a row and plans it for one platform.
    pub(super) fn of(row: &Value, source: &Source, platform: &Platform) -> Self {
        let setting = Setting::of(row, platform);
        let parsed = grammar::parse(source);
        if parsed.diagnostics.iter().any(Diagnostic::is_error) {
            let checked = check(&parsed.program, &setting.options);
            return Self::refused([parsed.diagnostics, checked].concat());
        }
        let program = parsed.program;
        let facts = fetched(&program, &setting);
        let planned = plan(&program, &setting.options, &facts);
        let outcome = Self::refused(planned.diagnostics);
        let images = facts.images.keys();
        Self {
            graph: planned.graph.map_or(outcome.graph, Ok),
            resolved: images.map(|request| request.reference.to_string()).collect(),
            warnings: outcome.warnings,
        }
    }

    /// An outcome without a plan.
    fn refused(diagnostics: Vec<Diagnostic>) -> Self {
        let (errors, warnings) = diagnostics.into_iter().partition(Diagnostic::is_error);
        Self { graph: Err(errors), resolved: BTreeSet::new(), warnings }
    }
}

/// What there is to know of every image that a program needs. Where that cannot be said, planning
/// says why.
fn fetched(program: &Program, setting: &Setting<'_>) -> Facts {
    let mut facts = Facts::default();
    while let Ok(missing) = images(program, &setting.options, &facts)
        && !missing.is_empty()
    {
        for (request, _) in missing {
            setting.know(request, &mut facts);
        }
    }
    facts
}
