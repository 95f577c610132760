//! Sizes as flags take them (docker `go-units`, `RAMInBytes`).

/// Bytes of `64`, `1.5g`, `10MiB`: units are powers of 1024, in any case, with at most one space
/// before them. The number is one of floating point, rounded down once it is multiplied.
pub fn parse_size(text: &str) -> Option<u64> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '))?;
    let (number, unit) = match &text[last..=last] {
        " " => (&text[..last], &text[last + 1..]),
        _ => text.split_at(last + 1),
    };
    let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let number: f64 = number.parse().ok().filter(|_| is_decimal)?;
    let bytes = number * scale(&unit.to_ascii_lowercase())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is within the bounds that are checked, and its fraction is to be cut"
    )]
    (0.0..MOST).contains(&bytes).then_some(bytes as u64)
}

/// One more than the largest size that Go's `int64` holds.
const MOST: f64 = 9_223_372_036_854_775_808.0;

fn scale(unit: &str) -> Option<f64> {
    const KIBI: f64 = 1024.0;
    if matches!(unit, "" | "b") {
        return Some(1.0);
    }
    let prefix = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit);
    let power = match prefix {
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some(KIBI.powi(power))
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn units_are_powers_of_1024() {
        for (text, expected) in [
            ("64", 64),
            ("64b", 64),
            ("64 ", 64),
            ("1k", 1024),
            ("1.5KiB", 1536),
            ("2 MB", 2 << 20),
            (".5g", 1 << 29),
            ("+1e3", 1000),
            ("0.0001k", 0),
        ] {
            assert_eq!(parse_size(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "k",
            "1x",
            "-1",
            "1..2",
            ".",
            "1ib",
            "1bb",
            "1  m",
            "1e400",
            "99999999999999999999",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
