//! Instructions that only change the image's configuration.

use ir::instruction::{
    Cmd, Entrypoint, Expose, Maintainer, Shell, Stopsignal, User, Volume, Workdir,
};
use ir::{Code, Diagnostic};

use super::{Call, command, list, values};
use crate::json::{self, Form};
use crate::span_map::Fragment;
use crate::{template, words};

pub(super) fn cmd(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Cmd> {
    call.no_flags("CMD", problems);
    Some(Cmd { command: command(call.head.arguments, problems)? })
}

pub(super) fn entrypoint(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Entrypoint> {
    call.no_flags("ENTRYPOINT", problems);
    Some(Entrypoint { command: command(call.head.arguments, problems)? })
}

pub(super) fn shell(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Shell> {
    const EXAMPLE: &str = "SHELL [\"/bin/sh\", \"-c\"]";
    call.no_flags("SHELL", problems);
    let message = "`SHELL` needs a JSON array of strings";
    let arguments = call.some_arguments(message, EXAMPLE, problems)?;
    match json::read(arguments) {
        Form::Array(elements) if elements.is_empty() => {
            let help = format!("write it as in `{EXAMPLE}`");
            problems.push(call.arity("`SHELL` needs at least one string", help));
            None
        }
        Form::Array(elements) => Some(Shell { argv: values(&elements) }),
        Form::Text => {
            let message = "the shell is no JSON array of strings";
            problems.push(
                Diagnostic::error(Code::BadArgument, arguments.span(), message)
                    .help(format!("write it as in `{EXAMPLE}`")),
            );
            None
        }
        Form::Bad(problem) => {
            problems.push(problem);
            None
        }
    }
}

pub(super) fn expose(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Expose> {
    call.no_flags("EXPOSE", problems);
    let arguments =
        call.some_arguments("`EXPOSE` needs at least one port", "EXPOSE 80 53/udp", problems)?;
    let mut ports = words::split(arguments);
    ports.sort_by_key(|port| port.text());
    Some(Expose {
        ports: ports.into_iter().map(|port| template::word(port, call.escape)).collect(),
    })
}

pub(super) fn volume(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Volume> {
    call.no_flags("VOLUME", problems);
    let list = list(call.head.arguments, problems)?;
    let paths = list.fragments();
    if paths.is_empty() {
        let help = "write it as in `VOLUME /data`";
        problems.push(call.arity("`VOLUME` needs at least one path", help));
        return None;
    }
    for path in paths.iter().filter(|path| path.text().trim().is_empty()) {
        problems.push(
            Diagnostic::error(Code::BadArgument, path.span(), "the path of a volume is empty")
                .help("give an absolute path, or remove it"),
        );
    }
    Some(Volume {
        paths: paths.into_iter().map(|path| template::word(path, call.escape)).collect(),
    })
}

pub(super) fn maintainer(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Maintainer> {
    let name = rest(call, ("MAINTAINER", "a name"), "A. Name <a@example.org>", problems)?;
    Some(Maintainer { name: name.to_text() })
}

pub(super) fn user(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<User> {
    let user = rest(call, ("USER", "a user"), "nobody", problems)?;
    Some(User { user: template::word(user, call.escape) })
}

pub(super) fn workdir(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Workdir> {
    let path = rest(call, ("WORKDIR", "a path"), "/app", problems)?;
    Some(Workdir { path: template::word(path, call.escape) })
}

/// As in BuildKit, flags are dropped without a word.
pub(super) fn stopsignal(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Stopsignal> {
    let signal =
        call.some_arguments("`STOPSIGNAL` needs a signal", "STOPSIGNAL SIGTERM", problems)?;
    Some(Stopsignal { signal: template::word(signal, call.escape) })
}

/// The rest of the line as the one argument.
fn rest<'a>(
    call: &Call<'a>,
    (keyword, what): (&str, &str),
    example: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<Fragment<'a>> {
    call.no_flags(keyword, problems);
    let message = format!("`{keyword}` needs {what}");
    call.some_arguments(&message, &format!("{keyword} {example}"), problems)
}
