//! `HEALTHCHECK`.

use ir::instruction::{Command, Healthcheck};
use ir::{Code, Diagnostic};

use super::{Call, command};
use crate::duration;
use crate::flags::{Given, Head, Kind, Spec};
use crate::span_map::Fragment;
use crate::{suggest, words};

const HEALTHCHECK: [Spec; 5] = [
    ("interval", Kind::Text),
    ("retries", Kind::Text),
    ("start-interval", Kind::Text),
    ("start-period", Kind::Text),
    ("timeout", Kind::Text),
];

/// Nanoseconds of the shortest time that is not "inherit".
const SHORTEST: u64 = 1_000_000;

/// Whether it is `HEALTHCHECK NONE`.
pub(super) fn is_none(head: &Head<'_>) -> bool {
    kind(head).0.text().eq_ignore_ascii_case("NONE")
}

/// The first word of the arguments, and the rest.
fn kind<'a>(head: &Head<'a>) -> (Fragment<'a>, Fragment<'a>) {
    let arguments = head.arguments;
    let kind = words::split(arguments).first().copied().unwrap_or(arguments);
    (kind, words::behind_blanks(arguments.from(kind.text().len())))
}

pub(super) fn healthcheck(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Healthcheck> {
    const EXAMPLE: &str = "HEALTHCHECK CMD curl -f http://localhost/";
    call.some_arguments("`HEALTHCHECK` needs `NONE` or `CMD`", EXAMPLE, problems)?;
    let (kind, rest) = kind(&call.head);
    if is_none(&call.head) {
        // As in BuildKit, flags are dropped; a build check tells.
        if !matches!(command(rest, problems)?, Command::Exec(ref argv) if argv.is_empty())
            && !rest.text().is_empty()
        {
            let message = "`HEALTHCHECK NONE` takes no arguments";
            problems.push(
                Diagnostic::error(Code::WrongArity, rest.span(), message)
                    .help("remove them, or write `CMD` instead of `NONE`"),
            );
        }
        return Some(Healthcheck::None);
    }
    let flags = call.flags("HEALTHCHECK", &HEALTHCHECK, problems);
    let [interval, timeout, start_period, start_interval] =
        ["interval", "timeout", "start-period", "start-interval"]
            .map(|name| time(&flags, name, problems));
    let retries = retries(&flags, problems);
    if !kind.text().eq_ignore_ascii_case("CMD") {
        let message = format!("unknown kind of health check `{}`", suggest::shown(kind.text()));
        let nearest = || suggest::nearest(kind.text(), ["CMD", "NONE"]);
        let help = suggest::about_unseen(kind.text())
            .or_else(|| nearest().map(|known| format!("write `{known}`")))
            .unwrap_or_else(|| "write `CMD` before the command".to_owned());
        problems.push(Diagnostic::error(Code::BadArgument, kind.span(), message).help(help));
        return None;
    }
    let command = command(rest, problems)?;
    let empty = match &command {
        Command::Shell(text) => text.value.is_empty(),
        Command::Exec(argv) => argv.is_empty(),
    };
    if empty {
        let help = format!("write it as in `{EXAMPLE}`");
        problems.push(call.arity("`HEALTHCHECK CMD` needs a command", help));
        return None;
    }
    Some(Healthcheck::Check { command, interval, timeout, start_period, start_interval, retries })
}

/// A time in nanoseconds; 0 where the flag is not given or bad.
fn time(flags: &Given<'_>, name: &str, problems: &mut Vec<Diagnostic>) -> u64 {
    let Some(value) = flags.one(name) else { return 0 };
    let error = |message: String| Diagnostic::error(Code::BadFlagValue, value.span(), message);
    let shown = suggest::shown(value.text());
    match duration::nanoseconds(value.text()) {
        Some(0) => 0,
        Some(time) if time >= SHORTEST => time,
        Some(_) => {
            let message = format!("`--{name}` of `{shown}` is shorter than `1ms`");
            problems.push(error(message).help("write a longer time, or `0` for the default"));
            0
        }
        None => {
            let message = format!("bad time `{shown}` of flag `--{name}`");
            problems
                .push(error(message).help("write a number and a unit, such as `30s` or `1m30s`"));
            0
        }
    }
}

fn retries(flags: &Given<'_>, problems: &mut Vec<Diagnostic>) -> u32 {
    let Some(value) = flags.one("retries") else { return 0 };
    let digits = value.text().strip_prefix('+').unwrap_or(value.text());
    if let Ok(count) = digits.parse::<i32>()
        && let Ok(count) = u32::try_from(count)
    {
        return count;
    }
    let message = format!("bad number `{}` of flag `--retries`", suggest::shown(value.text()));
    problems.push(
        Diagnostic::error(Code::BadFlagValue, value.span(), message)
            .help("write a whole number, 0 or more"),
    );
    0
}
