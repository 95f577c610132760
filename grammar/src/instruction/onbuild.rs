//! `ONBUILD`.

use ir::instruction::Onbuild;
use ir::{Code, Diagnostic, Span, Statement};

use super::{Call, keyword, read, unknown};
use crate::flags;

pub(super) fn onbuild(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Onbuild> {
    call.no_flags("ONBUILD", problems);
    let written =
        call.some_arguments("`ONBUILD` needs an instruction", "ONBUILD RUN make", problems)?;
    let head = flags::head(written, call.escape);
    let inner = Call { head, ..call.clone() };
    if let Some(problem) = forbidden(&inner) {
        problems.push(problem);
        return None;
    }
    let mut found = Vec::new();
    let instruction = if let Some(keyword) = keyword(&inner.head) {
        read(keyword, &inner, &mut found)
    } else {
        found.push(unknown(&inner.head));
        None
    };
    // Bad JSON is told now, as BuildKit does; the rest when the trigger fires.
    problems.extend(found.iter().filter(|problem| problem.code == Code::BadJson).cloned());
    let span = Span::new(written.span().start(), call.span.end());
    let trigger = match instruction {
        Some(instruction) if !found.iter().any(Diagnostic::is_error) => Ok(Box::new(Statement {
            instruction,
            keyword: inner.head.keyword.to_text(),
            text: written.text().to_owned(),
            span,
            description: String::new(),
            check: None,
        })),
        _ => Err(found),
    };
    Some(Onbuild { text: trigger_text(&inner, written.to_end_of(call.line).text()), trigger })
}

/// The problem of an instruction that may be no trigger.
pub(crate) fn forbidden(call: &Call<'_>) -> Option<Diagnostic> {
    let keyword = keyword(&call.head)?;
    if !matches!(keyword, "FROM" | "MAINTAINER" | "ONBUILD") {
        return None;
    }
    let message = format!("`{keyword}` cannot be a trigger of `ONBUILD`");
    let help = match keyword {
        "ONBUILD" => "write one `ONBUILD`: a trigger fires in the next build only",
        "FROM" => "remove it: the `FROM` of the other build is what fires the trigger",
        _ => "write `LABEL org.opencontainers.image.authors=…` instead",
    };
    Some(Diagnostic::error(Code::BadTrigger, call.head.keyword.span(), message).help(help))
}

/// What goes into the image: the line, blanks at its end included, then each body with its terminator.
fn trigger_text(call: &Call<'_>, line: &str) -> String {
    let mut text = line.to_owned();
    for body in call.heredocs {
        text.push('\n');
        text.push_str(body.text.whole().text());
        text.push_str(&body.opener.name);
    }
    text
}
