//! Quoting: texts so that flags, mounts, heredocs and JSON arrays are read as these.

use std::borrow::Cow;

use ir::instruction::{Heredoc, Mount, MountField, MountKey};

/// The value of a flag, in double quotes where it has to be.
pub(super) fn flag(value: &str, escape: char) -> Cow<'_, str> {
    if value.contains(|c| is_special(c, escape)) {
        within('"', value, |c| c == '"' || c == escape, escape).into()
    } else {
        value.into()
    }
}

/// The value of a flag beside a `<<`. Heredocs are looked for in the whole line, and there quotes
/// and variables count otherwise than in a flag: in single quotes it is closed either way.
pub(super) fn closed_flag(value: &str, escape: char) -> Cow<'_, str> {
    if !value.contains(|c| is_special(c, escape) || matches!(c, '$' | '\\' | '<')) {
        return value.into();
    }
    let quoted = |part| within('\'', part, |c| c == escape, escape);
    value.split('\'').map(quoted).collect::<Vec<_>>().join("\"'\"").into()
}

fn is_special(c: char, escape: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'') || c == escape
}

fn within(quote: char, text: &str, special: impl Fn(char) -> bool, escape: char) -> String {
    format!("{quote}{}{quote}", escaped(text, special, escape))
}

fn escaped(text: &str, special: impl Fn(char) -> bool, escape: char) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if special(c) {
            result.push(escape);
        }
        result.push(c);
    }
    result
}

/// The value of a `--mount`: comma-separated values, quoted as RFC 4180 has it.
pub(super) fn mount(mount: &Mount) -> String {
    let unreadable = mount.unreadable.iter().map(|field| field.text.value.clone());
    let texts = mount.fields.iter().map(field).chain(unreadable);
    let quoted = texts.map(|text| {
        if text.is_empty() || text.contains([',', '"']) {
            within('"', &text, |c| c == '"', '"')
        } else {
            text
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

fn field(field: &MountField) -> String {
    let key = key(field.key);
    match &field.value {
        Some(value) => format!("{key}={}", value.raw),
        None => key.to_owned(),
    }
}

fn key(key: MountKey) -> &'static str {
    match key {
        MountKey::Type => "type",
        MountKey::From => "from",
        MountKey::Source => "source",
        MountKey::Target => "target",
        MountKey::Readonly => "readonly",
        MountKey::Readwrite => "readwrite",
        MountKey::Id => "id",
        MountKey::Sharing => "sharing",
        MountKey::Required => "required",
        MountKey::Size => "size",
        MountKey::Mode => "mode",
        MountKey::Uid => "uid",
        MountKey::Gid => "gid",
        MountKey::Env => "env",
        MountKey::Relabel => "relabel",
    }
}

/// The word that opens a heredoc. Here the escape is always a backslash, and a name that is quoted
/// is one that is not expanded.
pub(super) fn opener(heredoc: &Heredoc) -> String {
    let fd = if heredoc.fd == 0 { String::new() } else { heredoc.fd.to_string() };
    let dash = if heredoc.strip_tabs { "-" } else { "" };
    let name = &heredoc.name;
    let name = if heredoc.expand {
        let leading = if name.starts_with('-') { "\\" } else { "" };
        let special = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '$');
        format!("{leading}{}", escaped(name, special, '\\'))
    } else if name.contains('\'') {
        within('"', name, |c| matches!(c, '"' | '\\' | '$'), '\\')
    } else {
        format!("'{name}'")
    };
    format!("{fd}<<{dash}{name}")
}

/// A JSON array of strings.
pub(super) fn array<'a>(strings: impl IntoIterator<Item = &'a str>) -> String {
    let strings: Vec<_> = strings
        .into_iter()
        .map(|string| serde_json::to_string(string).expect("a string has a JSON form"))
        .collect();
    format!("[{}]", strings.join(", "))
}
