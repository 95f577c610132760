//! Stages that need each other: of each group one circle, told where it closes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ir::{Code, Diagnostic, Span};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use super::Resolved;

/// How many stages of one circle are named.
const MOST_NAMED: usize = 8;

/// How many other places of one circle are shown.
const MOST_SHOWN: usize = 4;

/// A stage, the stage that it needs, and where it says so.
type Need = (usize, usize, Span);

/// An error for each group of stages that need each other.
pub(super) fn circles(
    resolved: &Resolved<'_>,
    edges: &DiGraph<(), Span>,
) -> Result<(), Vec<Diagnostic>> {
    // Not Tarjan's algorithm: petgraph's recurses, and a chain of stages is as long as the file.
    let mut groups: Vec<BTreeSet<usize>> = kosaraju_scc(edges)
        .into_iter()
        .map(|group| group.into_iter().map(NodeIndex::index).collect())
        .collect();
    groups.sort_unstable();
    let errors: Vec<Diagnostic> = groups
        .iter()
        .map(|group| shortest(edges, group))
        .filter(|circle| !circle.is_empty())
        .map(|circle| told(resolved, circle))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The shortest way from the first stage of a group back to it; empty where there is none.
fn shortest(edges: &DiGraph<(), Span>, group: &BTreeSet<usize>) -> Vec<Need> {
    let Some(first) = group.first().copied() else { return Vec::new() };
    // How each stage was come to first.
    let mut reached: BTreeMap<usize, Need> = BTreeMap::new();
    let mut waiting = VecDeque::from([first]);
    while let Some(stage) = waiting.pop_front() {
        for edge in edges.edges(NodeIndex::new(stage)) {
            let needed = edge.target().index();
            if group.contains(&needed) && !reached.contains_key(&needed) {
                reached.insert(needed, (stage, needed, *edge.weight()));
                waiting.push_back(needed);
            }
        }
        if reached.contains_key(&first) {
            break;
        }
    }
    let mut way = Vec::new();
    let mut at = first;
    while let Some(need) = reached.remove(&at) {
        way.push(need);
        at = need.0;
    }
    way.reverse();
    way
}

/// The error of a circle, at the last place that it goes through: above that, nothing is wrong.
fn told(resolved: &Resolved<'_>, mut circle: Vec<Need>) -> Diagnostic {
    let length = circle.len();
    let last = (0..length).max_by_key(|index| circle[*index].2).expect("a circle has a place");
    circle.rotate_left((last + 1) % length);
    let name = |stage| format!("`{}`", resolved.label(stage));
    let (closing, others) = circle.split_last().expect("a circle has a place");
    let message = if others.is_empty() {
        format!("the stage {} needs itself", name(closing.0))
    } else {
        let mut names: Vec<String> =
            others.iter().take(MOST_NAMED).map(|(_, needed, _)| name(*needed)).collect();
        if let more @ 1.. = others.len() - names.len() {
            names.push(format!("{more} others in turn"));
        }
        let first = name(closing.1);
        format!("the stage {first} needs {}, which needs {first}", names.join(", which needs "))
    };
    let error = Diagnostic::error(Code::CircularDependency, closing.2, message)
        .help("use a stage that does not need this one");
    others.iter().take(MOST_SHOWN).fold(error, |error, (stage, needed, span)| {
        error.label(*span, format!("{} needs {} here", name(*stage), name(*needed)))
    })
}
