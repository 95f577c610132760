//! `RUN --mount=key=value,…`.

use ir::instruction::{Mount, MountField, MountKey, UnreadableField};
use ir::{Code, Diagnostic, Span};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::{Fragment, Joined};
use crate::{suggest, template};

#[derive(Parser)]
#[grammar = "instruction/mount.pest"]
struct Records;

/// Every spelling of a key, and whether it may stand alone.
const KEYS: [(&str, MountKey, bool); 20] = [
    ("destination", MountKey::Target, false),
    ("dst", MountKey::Target, false),
    ("env", MountKey::Env, false),
    ("from", MountKey::From, false),
    ("gid", MountKey::Gid, false),
    ("id", MountKey::Id, false),
    ("mode", MountKey::Mode, false),
    ("readonly", MountKey::Readonly, true),
    ("readwrite", MountKey::Readwrite, true),
    ("relabel", MountKey::Relabel, true),
    ("required", MountKey::Required, true),
    ("ro", MountKey::Readonly, true),
    ("rw", MountKey::Readwrite, true),
    ("sharing", MountKey::Sharing, false),
    ("size", MountKey::Size, false),
    ("source", MountKey::Source, false),
    ("src", MountKey::Source, false),
    ("target", MountKey::Target, false),
    ("type", MountKey::Type, false),
    ("uid", MountKey::Uid, false),
];

/// What is a type, and easily taken for a key.
const TYPES: [&str; 5] = ["bind", "cache", "secret", "ssh", "tmpfs"];

/// Reads one mount. As in BuildKit, what its fields say is checked where the stage is needed.
pub(super) fn mount(
    value: Fragment<'_>,
    span: Span,
    escape: char,
    problems: &mut Vec<Diagnostic>,
) -> Option<Mount> {
    if value.text().is_empty() {
        let problem = Diagnostic::error(Code::BadMount, span, "`--mount` has no value");
        problems.push(problem.help("write `--mount=type=bind,source=PATH,target=PATH`"));
        return None;
    }
    let Some(records) = record(value) else {
        let message = "a quote in the value of `--mount` does not surround a field";
        problems.push(
            Diagnostic::error(Code::BadMount, span, message)
                .help("put the whole `key=value` in quotes, or none of it"),
        );
        return None;
    };
    let (mut fields, mut unreadable) = (Vec::new(), Vec::new());
    for record in &records {
        match field(record.whole(), escape) {
            Ok(field) => fields.push(field),
            Err(problem) => {
                unreadable.push(UnreadableField { text: record.whole().to_text(), problem });
            }
        }
    }
    Some(Mount { fields, unreadable, span })
}

/// The fields of a value, without their quotes.
pub(super) fn record(value: Fragment<'_>) -> Option<Vec<Joined>> {
    let pairs = Records::parse(Rule::record, value.text()).ok()?;
    let fields = pairs.flatten().filter(|pair| pair.as_rule() == Rule::field);
    let texts = fields.map(|field| {
        let base = field.as_span().start();
        let ranges: Vec<_> = field
            .into_inner()
            .map(|text| text.as_span().start() - base..text.as_span().end() - base)
            .collect();
        let end = ranges.last().map_or(0, |range| range.end);
        value.part(base..base + end).select(&ranges)
    });
    Some(texts.collect())
}

fn field(field: Fragment<'_>, escape: char) -> Result<MountField, Diagnostic> {
    let (key, value) = match field.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (field, None),
    };
    let error = |message: String| Diagnostic::error(Code::BadMount, field.span(), message);
    if field.text().is_empty() {
        let empty = error("a field of `--mount` is empty".to_owned());
        return Err(empty.help("remove the comma before or behind it"));
    }
    let name = key.text().to_ascii_lowercase();
    // buildah's `z` and `Z`.
    let found = if name == "z" { Some(&("z", MountKey::Relabel, true)) } else { None };
    let found = found.or_else(|| KEYS.iter().find(|(known, _, _)| *known == name));
    let Some((known, key, alone)) = found else {
        let diagnostic = error(format!("unknown mount key `{}`", suggest::shown(key.text())));
        return Err(match suggest::nearest(&name, KEYS.iter().map(|(known, _, _)| *known)) {
            Some(known) => diagnostic.help(format!("write `{known}`")),
            None if TYPES.contains(&name.as_str()) => {
                diagnostic.help(format!("write `type={name}`"))
            }
            None => {
                let known: Vec<_> = KEYS.iter().map(|(known, _, _)| *known).collect();
                diagnostic.help(format!("use one of `{}`", known.join("`, `")))
            }
        });
    };
    if value.is_none() && !alone {
        let help = format!("write `{known}=` and the value");
        return Err(error(format!("mount key `{known}` needs a value")).help(help));
    }
    let value = value.map(|value| template::word(value, escape));
    Ok(MountField { key: *key, value, span: field.span() })
}
