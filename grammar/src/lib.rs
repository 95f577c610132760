//! Dockerfile text into an [`ir::Program`] and back: knows text only, expands and resolves nothing.
//!
//! Three layers, each with its own small pest grammars: a file into logical lines (`lines`), a
//! line into keyword, flags and arguments (`flags`, `words`, `json`), and a word into a
//! template (`template`). The typed instructions are put together on top of them.

mod directive;
mod duration;
mod flags;
mod front_end;
mod heredoc;
mod ignore;
mod instruction;
mod json;
mod lines;
mod print;
mod program;
mod span_map;
mod template;
mod words;

use ir::suggest;

pub use front_end::other_front_end;
pub use ignore::{IgnoreError, IgnoreProblem, parse_ignore};
pub use print::{Place, PrintError, print};
pub use program::{Parsed, parse, parse_trigger};

/// Reads one word that stands alone, as an argument of an instruction would be read: quotes,
/// escapes by `escape`, variables. `span_start` is the offset that its first byte gets in spans.
///
/// What cannot be read becomes [`ir::template::Part::Malformed`], an error only when expanded.
pub fn template(text: &str, escape: char, span_start: usize) -> ir::Template {
    template::standalone(text, escape, span_start)
}
