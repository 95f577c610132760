//! `COPY` and `ADD`.

use ir::instruction::{Add, Copy, Heredoc, Paths};
use ir::{Code, Diagnostic};

use super::{Call, List, list};
use crate::flags::{Kind, Spec};
use crate::lines::Body;
use crate::span_map::Fragment;
use crate::template;

const COPY: [Spec; 6] = [
    ("chmod", Kind::Text),
    ("chown", Kind::Text),
    ("exclude", Kind::List),
    ("from", Kind::Text),
    ("link", Kind::Switch),
    ("parents", Kind::Switch),
];

const ADD: [Spec; 7] = [
    ("checksum", Kind::Text),
    ("chmod", Kind::Text),
    ("chown", Kind::Text),
    ("exclude", Kind::List),
    ("keep-git-dir", Kind::Switch),
    ("link", Kind::Switch),
    ("unpack", Kind::Switch),
];

pub(super) fn copy(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Copy> {
    let flags = call.flags("COPY", &COPY, problems);
    let paths = paths(call, "COPY", problems)?;
    Some(Copy {
        from: flags.template("from", call.escape),
        paths,
        chown: flags.template("chown", call.escape),
        chmod: flags.template("chmod", call.escape),
        exclude: flags.texts("exclude"),
        link: flags.switch("link").unwrap_or(false),
        parents: flags.switch("parents").unwrap_or(false),
    })
}

pub(super) fn add(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Add> {
    let flags = call.flags("ADD", &ADD, problems);
    Some(Add {
        paths: paths(call, "ADD", problems)?,
        chown: flags.template("chown", call.escape),
        chmod: flags.template("chmod", call.escape),
        exclude: flags.texts("exclude"),
        link: flags.switch("link").unwrap_or(false),
        keep_git_dir: flags.switch("keep-git-dir"),
        checksum: flags.template("checksum", call.escape),
        unpack: flags.switch("unpack"),
    })
}

fn paths(call: &Call<'_>, keyword: &str, problems: &mut Vec<Diagnostic>) -> Option<Paths> {
    let list = list(call.head.arguments, problems)?;
    let fragments = match &list {
        List::Array(_) => list.fragments(),
        List::Words(words) => without_heredocs(call, words, problems),
    };
    let has_source = fragments.len() + call.heredocs.len() >= 2;
    let opener = call.heredocs.last().map(|body| call.line.part(body.opener.range.clone()));
    let last = opener.filter(|opener| opener.ends(call.head.arguments));
    match (fragments.split_last(), last) {
        (Some((destination, sources)), None) if has_source => Some(Paths {
            sources: sources.iter().map(|source| template::word(*source, call.escape)).collect(),
            heredocs: call.heredocs.iter().map(file).collect(),
            destination: template::word(*destination, call.escape),
        }),
        (_, Some(opener)) if has_source => {
            let message = format!("`{keyword}` cannot write to a heredoc");
            problems.push(
                Diagnostic::error(Code::BadArgument, opener.span(), message)
                    .help("write the path of the destination last"),
            );
            None
        }
        _ => {
            let message = format!("`{keyword}` needs a source and a destination");
            let help = format!("write what to copy, then where to, as in `{keyword} file /path/`");
            problems.push(call.arity(message, help));
            None
        }
    }
}

/// The words that are no part of what opens a heredoc. Both are in the order of the line, but what
/// opens a heredoc ends at any blank, a word only at those of ASCII. So a word may have more in it
/// than what opens a heredoc; BuildKit takes it for a path then, and drops the body.
fn without_heredocs<'a>(
    call: &Call<'a>,
    words: &[Fragment<'a>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Fragment<'a>> {
    let mut openers =
        call.heredocs.iter().map(|body| call.line.part(body.opener.range.clone())).peekable();
    let mut others = Vec::new();
    for word in words {
        while openers.next_if(|opener| opener.stands_before(*word)).is_some() {}
        let opener = openers.peek().filter(|opener| !word.stands_before(**opener));
        if opener.is_some_and(|opener| opener.covers(*word)) {
            continue;
        }
        others.push(*word);
        problems.extend(opener.map(|opener| {
            let message = "the blank beside this heredoc is neither a space nor a tab";
            Diagnostic::error(Code::BadArgument, opener.span(), message)
                .help("write a space instead")
        }));
    }
    others
}

/// A heredoc that is a file: unless its name is quoted, variables in it are expanded.
fn file(body: &Body) -> Heredoc {
    let stripped = body.stripped();
    let template = if body.opener.expand {
        template::body(stripped.whole())
    } else {
        template::verbatim(stripped.whole())
    };
    body.heredoc(template)
}
