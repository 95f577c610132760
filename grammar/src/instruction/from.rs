//! `FROM`.

use ir::instruction::{From, Text};
use ir::{Code, Diagnostic, Span, Template};

use super::Call;
use crate::flags::Kind;
use crate::span_map::Fragment;
use crate::{suggest, template, words};

/// Reads a `FROM`. What follows belongs to its stage, so there is always something to return.
pub(crate) fn from(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> From {
    let flags = call.flags("FROM", &[("platform", Kind::Text)], problems);
    let platform = flags.template("platform", call.escape);
    let words = words::split(call.head.arguments);
    let is_as = |word: &Fragment<'_>| word.text().eq_ignore_ascii_case("as");
    let name = match words.as_slice() {
        [] => {
            problems.push(call.arity("`FROM` needs an image", "write it as in `FROM alpine:3`"));
            None
        }
        [_] => None,
        [_, keyword, name] if is_as(keyword) => stage_name(*name, problems),
        [image, keyword, names @ ..] => {
            let (first, help) = match names {
                _ if words::is_cut(*image) => {
                    (image, "write the `${…}` without blanks: they end a word")
                }
                _ if !is_as(keyword) => (keyword, "write `AS` before the name of the stage"),
                [] => (keyword, "write the name of the stage behind `AS`"),
                [name, ..] => (name, "give the stage one name, without blanks"),
            };
            let message = "`FROM` takes an image and, behind `AS`, a name";
            let span = Span::new(first.span().start(), call.head.arguments.span().end());
            problems.push(Diagnostic::error(Code::WrongArity, span, message).help(help));
            None
        }
    };
    let image = match words.first() {
        Some(image) => template::word(*image, call.escape),
        None => Template::literal("", call.head.arguments.span()),
    };
    let as_keyword = words.get(1).filter(|word| is_as(word)).map(|word| word.to_text());
    From { image, platform, as_keyword, name }
}

fn stage_name(name: Fragment<'_>, problems: &mut Vec<Diagnostic>) -> Option<Text> {
    let lower = name.text().to_lowercase();
    let good = lower.starts_with(|c: char| c.is_ascii_lowercase())
        && lower.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !good {
        let message = format!("bad stage name `{}`", suggest::shown(name.text()));
        problems.push(
            Diagnostic::error(Code::BadStageName, name.span(), message)
                .help("begin it with a letter, and use letters, digits, `-`, `_` and `.`"),
        );
        return None;
    }
    Some(name.to_text())
}
