//! Which stages need which, and what the target reaches.

use std::collections::{BTreeMap, BTreeSet};

use ir::{Code, Diagnostic, ImageRequest, Platform, Span};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::name::{Source, references};
use super::{Base, Resolved};
use crate::Options;

impl Resolved<'_> {
    /// The stages that each stage refers to, and where it does so first. A bad index is an error in
    /// any stage; one that comes from a variable is told when a needed stage uses it.
    pub(super) fn edges(&self, platform: &Platform) -> Result<DiGraph<(), Span>, Vec<Diagnostic>> {
        let mut edges = BTreeMap::new();
        let mut errors = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            if let Base::Stage(base) = stage.base {
                edges.insert((index, base), stage.span);
            }
            for (statement, place) in &stage.statements {
                for (from, fixed) in references(statement, &self.globals, &self.budget) {
                    match self.source(&from, index, platform) {
                        Ok(Source::Stage(source)) => {
                            let span = if place.foreign { place.span } else { from.word.span };
                            edges.entry((index, source)).or_insert(span);
                        }
                        Err(error) if fixed && error.code == Code::UnknownStage => {
                            errors.push(place.at(error));
                        }
                        Ok(Source::Scratch | Source::Image(_) | Source::Context(_)) | Err(_) => {}
                    }
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut graph = DiGraph::with_capacity(self.stages.len(), edges.len());
        let nodes: Vec<_> = self.stages.iter().map(|_| graph.add_node(())).collect();
        for ((from, to), span) in edges {
            graph.add_edge(nodes[from], nodes[to], span);
        }
        Ok(graph)
    }

    /// The images that the needed stages start from or copy from, each once, in order, and where
    /// each is named first.
    pub(crate) fn images(&self, options: &Options) -> Vec<(ImageRequest, Span)> {
        let mut images = BTreeMap::new();
        for index in &self.needed {
            let stage = &self.stages[*index];
            if let Base::Image(request) = &stage.base {
                images.entry(request.clone()).or_insert(stage.span);
            }
            for (statement, place) in &stage.statements {
                for (from, _) in references(statement, &self.globals, &self.budget) {
                    let source = self.source(&from, *index, &options.platform);
                    if let Ok(Source::Image(request)) = source {
                        images.entry(request).or_insert(place.span);
                    }
                }
            }
        }
        images.into_iter().collect()
    }
}

impl Resolved<'_> {
    /// What to call a stage: its name, or its index.
    pub(crate) fn label(&self, stage: usize) -> String {
        self.stages[stage].name.clone().unwrap_or_else(|| stage.to_string())
    }
}

pub(super) fn reachable(edges: &DiGraph<(), Span>, target: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut search = Dfs::new(edges, NodeIndex::new(target));
    while let Some(node) = search.next(edges) {
        needed.insert(node.index());
    }
    needed
}
