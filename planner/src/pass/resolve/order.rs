//! Which stages need which: the stage DAG, its circles, and what the target reaches.

use std::collections::{BTreeMap, BTreeSet};

use ir::{Code, Diagnostic, ImageRequest, Platform, Span};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::name::{Source, references};
use super::{Base, Resolved};
use crate::Options;

impl Resolved<'_> {
    /// The stages that each stage refers to. A bad index is an error in any stage;
    /// one that comes from a variable is told when a needed stage uses it.
    pub(super) fn edges(&self, platform: &Platform) -> Result<DiGraph<(), ()>, Vec<Diagnostic>> {
        let mut edges = BTreeSet::new();
        let mut errors = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            if let Base::Stage(base) = stage.base {
                edges.insert((index, base));
            }
            for (statement, place) in &stage.statements {
                for (from, fixed) in references(statement, &self.globals, &self.budget) {
                    match self.source(&from, index, platform) {
                        Ok(Source::Stage(source)) => {
                            edges.insert((index, source));
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
        for (from, to) in edges {
            graph.add_edge(nodes[from], nodes[to], ());
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

/// How many stages of one circle are named.
const MOST_NAMED: usize = 16;

pub(super) fn cycles(
    resolved: &Resolved<'_>,
    edges: &DiGraph<(), ()>,
) -> Result<(), Vec<Diagnostic>> {
    // Not Tarjan's algorithm: petgraph's recurses, and a chain of stages is as long as the file.
    let mut circles: Vec<Vec<usize>> = kosaraju_scc(edges)
        .into_iter()
        .filter(|group| group.len() > 1 || edges.contains_edge(group[0], group[0]))
        .map(|group| group.into_iter().map(NodeIndex::index).collect())
        .collect();
    for circle in &mut circles {
        circle.sort_unstable();
    }
    circles.sort_unstable();
    let errors: Vec<Diagnostic> = circles
        .into_iter()
        .map(|stages| {
            let named = &stages[..stages.len().min(MOST_NAMED)];
            let mut names: Vec<String> =
                named.iter().map(|stage| format!("`{}`", resolved.label(*stage))).collect();
            if named.len() < stages.len() {
                names.push(format!("{} others", stages.len() - named.len()));
            }
            let message = match &names[..] {
                [one] => format!("the stage {one} needs itself"),
                many => format!("the stages {} need each other", many.join(" and ")),
            };
            let span = resolved.stages[stages[0]].span;
            let error = Diagnostic::error(Code::CircularDependency, span, message);
            let error = error.help("copy from a stage that does not need this one");
            named[1..].iter().fold(error, |error, stage| {
                error.label(resolved.stages[*stage].span, "this stage is part of the circle")
            })
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

impl Resolved<'_> {
    /// What to call a stage: its name, or its index.
    pub(crate) fn label(&self, stage: usize) -> String {
        self.stages[stage].name.clone().unwrap_or_else(|| stage.to_string())
    }
}

pub(super) fn reachable(edges: &DiGraph<(), ()>, target: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut search = Dfs::new(edges, NodeIndex::new(target));
    while let Some(node) = search.next(edges) {
        needed.insert(node.index());
    }
    needed
}
