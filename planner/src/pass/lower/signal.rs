//! The argument of `STOPSIGNAL` (moby `sys/signal`).

use ir::suggest;

/// Linux signal names without their `SIG`.
const NAMES: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
];

/// Whether a signal is one: a number other than 0, or a name in any case, with or without `SIG`. If
/// not, that, and what to write instead.
pub(super) fn check(signal: &str) -> Result<(), (String, String)> {
    let upper = signal.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let known = match signal.parse::<i64>() {
        Ok(number) => number != 0,
        Err(_) => NAMES.contains(&name) || is_real_time(name),
    };
    if known {
        return Ok(());
    }
    let help = match suggest::nearest(name, NAMES.iter().copied()) {
        Some(name) => format!("write `SIG{name}`"),
        None => "write the name of a signal, such as `SIGTERM`, or its number".to_owned(),
    };
    Err((format!("`{}` is no signal", suggest::shown(signal)), help))
}

/// `RTMIN+n` up to 15, `RTMAX-n` up to 14: between them they name every real-time signal once.
fn is_real_time(name: &str) -> bool {
    let within = |digits: &str, most: u8| {
        !digits.starts_with(['0', '+']) && digits.parse().is_ok_and(|n: u8| n <= most)
    };
    name.strip_prefix("RTMIN+").is_some_and(|digits| within(digits, 15))
        || name.strip_prefix("RTMAX-").is_some_and(|digits| within(digits, 14))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_and_numbers_are_signals() {
        for signal in ["9", "SIGTERM", "term", "RTMIN+3", "SIGRTMAX-14", "sigrtmin"] {
            assert_eq!(check(signal), Ok(()), "{signal}");
        }
        for signal in ["", "0", "SIGFOO", "RTMIN+16", "RTMAX-0", "RTMIN+", "SIG"] {
            assert!(check(signal).is_err(), "{signal}");
        }
    }
}
