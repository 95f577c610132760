//! Fields of a mount that BuildKit takes and that change nothing.

use std::collections::BTreeSet;

use ir::instruction::MountKey;
use ir::{Code, Diagnostic, Span};

use super::{Fields, Kind};
use crate::step::MountStep;

/// A warning of each field that a later one of the same meaning replaces.
pub(super) fn replaced(step: &MountStep) -> impl Iterator<Item = Diagnostic> {
    let mut later = BTreeSet::new();
    let mut found = Vec::new();
    for (key, _, span) in step.fields.iter().rev() {
        let meaning = if *key == MountKey::Readwrite { MountKey::Readonly } else { *key };
        if !later.insert(meaning) && meaning != MountKey::Relabel {
            let message = "this field has no effect: a later one replaces it";
            let warning = Diagnostic::warning(Code::WithoutEffect, *span, message);
            found.push(warning.help("remove one of the two"));
        }
    }
    found.into_iter().rev()
}

/// A warning of each key that has no effect with this type.
pub(super) fn keys(fields: &Fields) -> impl Iterator<Item = Diagnostic> {
    let span = |word: &Option<crate::step::Word>| word.as_ref().map(|word| word.span);
    let writable = fields.readonly.filter(|(readonly, _)| !readonly).map(|(_, span)| span);
    let found = match fields.kind {
        Kind::Bind => vec![(span(&fields.id), "id", "a bind mount has no name")],
        Kind::Cache => {
            let from = span(&fields.from).filter(|_| fields.is_made());
            let seeded = fields.from.as_ref().is_some_and(|from| from.value != "scratch");
            let source = span(&fields.source).filter(|_| !seeded);
            vec![
                (from, "from", "with a mode or an owner, but no `source`, a cache begins empty"),
                (source, "source", "a cache begins empty unless it has a `from`"),
            ]
        }
        Kind::Tmpfs => vec![
            (span(&fields.from), "from", EMPTY),
            (span(&fields.source), "source", EMPTY),
            (span(&fields.id), "id", "a tmpfs has no name"),
        ],
        Kind::Secret => vec![(writable, "readwrite", "nothing is written back to the caller")],
        Kind::Ssh => vec![
            (span(&fields.from), "from", "the socket is the caller's"),
            (writable, "readwrite", "a socket is not written like a file"),
        ],
    };
    let env = span(&fields.env).filter(|_| fields.kind != Kind::Secret).map(|span| {
        warning(span, "env", "only a secret becomes a variable")
            .help("remove it, or write `type=secret`")
    });
    let found = found.into_iter().filter_map(|(span, key, reason)| {
        span.map(|span| warning(span, key, reason).help("remove it"))
    });
    env.into_iter().chain(found)
}

/// Why a tmpfs has no source.
const EMPTY: &str = "a tmpfs begins empty";

fn warning(span: Span, key: &str, reason: &str) -> Diagnostic {
    let message = format!("`{key}` has no effect: {reason}");
    Diagnostic::warning(Code::WithoutEffect, span, message)
}
