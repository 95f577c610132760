//! How Go prints lists and durations: the texts in an image's history come from its formatter.

use std::fmt;

/// Strings as `%q` prints them: `["a" "b"]`.
pub(super) fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    format!("[{}]", words.join(" "))
}

/// One string as Go's `strconv.Quote` writes it.
fn quote(word: &str) -> String {
    let mut text = String::from("\"");
    for character in word.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\x07' => text.push_str("\\a"),
            '\x08' => text.push_str("\\b"),
            '\x0c' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\x0b' => text.push_str("\\v"),
            ' ' => text.push(' '),
            other if other.is_control() || other.is_whitespace() || is_invisible(other) => {
                text.push_str(&escape(other));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

fn escape(character: char) -> String {
    match u32::from(character) {
        code @ 0..0x80 => format!("\\x{code:02x}"),
        code @ 0x80..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Format characters and private use, which Go does not print either.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
    )
}

/// Nanoseconds as Go's `time.Duration` prints them.
pub(super) struct Duration(pub(super) u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000_000;
        let Self(nanoseconds) = *self;
        match nanoseconds {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanoseconds}ns"),
            1_000..1_000_000 => write!(f, "{}µs", decimal(nanoseconds, 1_000)),
            1_000_000..SECOND => write!(f, "{}ms", decimal(nanoseconds, 1_000_000)),
            _ => {
                let minutes = nanoseconds / (60 * SECOND);
                let seconds = decimal(nanoseconds % (60 * SECOND), SECOND);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{seconds}s"),
                    (0, minutes) => write!(f, "{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

/// A quotient as a decimal number without trailing zeros; the divisor is a power of ten.
fn decimal(value: u64, divisor: u64) -> String {
    let (whole, rest) = (value / divisor, value % divisor);
    let digits = divisor.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1_500, "1.5µs"),
            (30_000_000_000, "30s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (1_500_000_000, "1.5s"),
            (1_001_000, "1.001ms"),
        ] {
            assert_eq!(Duration(nanoseconds).to_string(), expected);
        }
    }

    #[test]
    fn lists_read_as_in_go() {
        let words = ["a \"b\"", "\n\u{1}", "é\u{feff}"].map(str::to_owned);
        assert_eq!(quoted(&words), r#"["a \"b\"" "\n\x01" "é\ufeff"]"#);
    }
}
