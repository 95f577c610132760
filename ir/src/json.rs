//! The versioned JSON form of both levels.
//!
//! `{"version": 2, "kind": "graph", …}`. A change that an old reader would misread raises the
//! version; a new field does not.

use std::fmt;

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

/// JSON that is no graph of ours.
#[derive(Debug)]
pub enum JsonError {
    /// Not JSON, or not of this shape.
    Shape(serde_json::Error),
    /// Of another version or kind.
    Version {
        /// What the document says it is.
        found: String,
    },
    /// A graph that breaks a rule.
    Invalid(crate::verify::Violation),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => write!(f, "cannot read the graph: {error}"),
            Self::Version { found } => {
                write!(f, "cannot read a {found}: expected a graph of version {VERSION}")
            }
            Self::Invalid(violation) => write!(f, "the graph is not well formed: {violation}"),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Shape(error) => Some(error),
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

/// Reads a graph that [`graph`] wrote.
pub fn read_graph(text: &str) -> Result<Graph, JsonError> {
    let document: Document<Graph> = serde_json::from_str(text).map_err(JsonError::Shape)?;
    if document.version != VERSION || document.kind != "graph" {
        let found = format!("{} of version {}", document.kind, document.version);
        return Err(JsonError::Version { found });
    }
    match crate::verify::verify(&document.body).into_iter().next() {
        Some(violation) => Err(JsonError::Invalid(violation)),
        None => Ok(document.body),
    }
}

fn write<T: Serialize>(kind: &str, body: T) -> String {
    let document = Document { version: VERSION, kind: kind.to_owned(), body };
    let mut text = serde_json::to_string_pretty(&document)
        .expect("every map of ours has string keys, so it has a JSON form");
    text.push('\n');
    text
}
