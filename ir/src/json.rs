//! The versioned JSON form of both levels.
//!
//! `{"version": 2, "kind": "graph", …}`. A change that an old reader would misread raises the
//! version; a new field does not.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::graph::Graph;
use crate::program::Program;

/// The version that this crate writes and reads.
pub const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Document<T> {
    version: u32,
    kind: String,
    #[serde(flatten)]
    body: T,
}

/// JSON that is no program or graph of ours.
#[derive(Debug)]
pub enum JsonError {
    /// Not JSON, or not of this shape.
    Shape {
        /// What it should have been.
        kind: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Of another version or kind.
    Version {
        /// What it should have been.
        kind: &'static str,
        /// What the document says it is.
        found: String,
    },
    /// A graph that breaks a rule.
    Invalid(crate::verify::Violation),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { kind, source } => write!(f, "cannot read the {kind}: {source}"),
            Self::Version { kind, found } => {
                write!(f, "cannot read a {found}: expected a {kind} of version {VERSION}")
            }
            Self::Invalid(violation) => write!(f, "the graph is not well formed: {violation}"),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Shape { source, .. } => Some(source),
            Self::Version { .. } | Self::Invalid(_) => None,
        }
    }
}

/// A program as pretty-printed JSON with a final newline.
pub fn program(program: &Program) -> String {
    write("program", program)
}

/// A graph as pretty-printed JSON with a final newline.
pub fn graph(graph: &Graph) -> String {
    write("graph", graph)
}

/// Reads a program that [`program`] wrote.
pub fn read_program(text: &str) -> Result<Program, JsonError> {
    read("program", text)
}

/// Reads a graph that [`graph`] wrote.
pub fn read_graph(text: &str) -> Result<Graph, JsonError> {
    let graph = read("graph", text)?;
    match crate::verify::verify(&graph).into_iter().next() {
        Some(violation) => Err(JsonError::Invalid(violation)),
        None => Ok(graph),
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, text: &str) -> Result<T, JsonError> {
    let document: Document<T> =
        serde_json::from_str(text).map_err(|source| JsonError::Shape { kind, source })?;
    if document.version != VERSION || document.kind != kind {
        let found = format!("{} of version {}", document.kind, document.version);
        return Err(JsonError::Version { kind, found });
    }
    Ok(document.body)
}

fn write<T: Serialize>(kind: &str, body: T) -> String {
    let document = Document { version: VERSION, kind: kind.to_owned(), body };
    let mut text = serde_json::to_string_pretty(&document)
        .expect("every map of ours has string keys, so it has a JSON form");
    text.push('\n');
    text
}
