//! `ENV`, `LABEL` and `ARG`: names with values.

use ir::instruction::{Arg, ArgDeclaration, Env, LabelInstruction, Pair};
use ir::{Code, Diagnostic, Span};

use super::Call;
use crate::span_map::Fragment;
use crate::{suggest, template, words};

pub(super) fn env(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Env> {
    let (pairs, legacy) = pairs(call, "ENV", problems)?;
    Some(Env { pairs, legacy })
}

pub(super) fn label(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<LabelInstruction> {
    let (pairs, legacy) = pairs(call, "LABEL", problems)?;
    Some(LabelInstruction { pairs, legacy })
}

/// The good declarations of an `ARG`. As in BuildKit, flags are dropped; a build check tells.
pub(crate) fn arg(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Arg> {
    let arguments =
        call.some_arguments("`ARG` needs at least one name", "ARG NAME=default", problems)?;
    let mut declarations = Vec::new();
    for word in words::quoted(arguments, call.escape) {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name, Some(default)),
            None => (word, None),
        };
        if name.text().is_empty() {
            problems.push(without_name("ARG", word.span()));
            continue;
        }
        let default = default.map(|default| template::word(default, call.escape));
        declarations.push(ArgDeclaration { name: name.to_text(), default });
    }
    (!declarations.is_empty()).then_some(Arg { declarations })
}

/// The good pairs, and whether the form is `key value`.
fn pairs(
    call: &Call<'_>,
    keyword: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Vec<Pair>, bool)> {
    call.no_flags(keyword, problems);
    let message = format!("`{keyword}` needs at least one `key=value`");
    let example = format!("{keyword} name=value");
    let arguments = call.some_arguments(&message, &example, problems)?;
    let words = words::quoted(arguments, call.escape);
    let first = words.first()?;
    if !first.text().contains('=') {
        return Some((vec![legacy(call, keyword, problems)?], true));
    }
    let mut pairs = Vec::new();
    let mut cut = false;
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            let message = format!("`{}` has no `=`", suggest::shown(word.text()));
            let help = if cut {
                "put the whole value in double quotes: a `${…}` does not hold words together"
            } else {
                "write `key=value`, with a value of several words in quotes"
            };
            problems.push(Diagnostic::error(Code::BadArgument, word.span(), message).help(help));
            continue;
        };
        cut = words::is_cut(value);
        pairs.extend(pair(call, keyword, key, value, problems));
    }
    (!pairs.is_empty()).then_some((pairs, false))
}

/// `key value`, where everything behind the key is the value.
fn legacy(call: &Call<'_>, keyword: &str, problems: &mut Vec<Diagnostic>) -> Option<Pair> {
    let arguments = call.head.arguments;
    let key = words::split(arguments).first().copied().unwrap_or(arguments);
    let value = words::behind_blanks(arguments.from(key.text().len()));
    if value.text().is_empty() {
        let message = format!("`{keyword}` needs a value for `{}`", suggest::shown(key.text()));
        let help = suggest::about_unseen(key.text())
            .unwrap_or_else(|| "write `key=value`; the value may be empty".to_owned());
        problems.push(call.arity(message, help));
        return None;
    }
    Some(Pair { key: template::word(key, call.escape), value: template::word(value, call.escape) })
}

fn pair(
    call: &Call<'_>,
    keyword: &str,
    key: Fragment<'_>,
    value: Fragment<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Pair> {
    if key.text().is_empty() {
        problems.push(without_name(keyword, key.span().to(value.span())));
        return None;
    }
    Some(Pair { key: template::word(key, call.escape), value: template::word(value, call.escape) })
}

fn without_name(keyword: &str, span: Span) -> Diagnostic {
    let message = format!("`{keyword}` with nothing before the `=`");
    Diagnostic::error(Code::BadArgument, span, message).help("put a name before the `=`")
}
