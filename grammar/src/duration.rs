//! Lengths of time as Go writes them (`time.ParseDuration`).

use pest::Parser as _;
use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "duration.pest"]
struct Durations;

/// Digits behind the point that can matter: an hour has 3.6e12 nanoseconds.
const DIGITS: usize = 13;

/// A length of time in nanoseconds; none if the text is no such thing, is negative, or is too long
/// for Go's 63 bits.
pub(crate) fn nanoseconds(text: &str) -> Option<u64> {
    let pairs = Durations::parse(Rule::duration, text).ok()?;
    let mut total: u64 = 0;
    for term in pairs.flatten().filter(|pair| pair.as_rule() == Rule::term) {
        let mut whole: u64 = 0;
        let mut fraction = String::new();
        let mut unit: u64 = 0;
        for part in term.into_inner().flatten() {
            match part.as_rule() {
                Rule::whole => whole = part.as_str().parse().ok()?,
                Rule::fraction => fraction = part.as_str().chars().take(DIGITS).collect(),
                Rule::unit => unit = nanoseconds_of(part.as_str()),
                Rule::EOI | Rule::duration | Rule::zero | Rule::term | Rule::number => {}
            }
        }
        let digits: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
        let behind_point = u64::try_from(digits * u128::from(unit) / scale).ok()?;
        total = whole.checked_mul(unit)?.checked_add(behind_point)?.checked_add(total)?;
    }
    i64::try_from(total).is_ok().then_some(total)
}

/// A length of time as text that [`nanoseconds`] reads.
pub(crate) fn text(nanoseconds: u64) -> String {
    let mut rest = nanoseconds;
    let terms = ["h", "m", "s", "ms", "us", "ns"].map(|unit| {
        let count = rest / nanoseconds_of(unit);
        rest %= nanoseconds_of(unit);
        if count > 0 { format!("{count}{unit}") } else { String::new() }
    });
    if nanoseconds > 0 { terms.concat() } else { "0s".to_owned() }
}

fn nanoseconds_of(unit: &str) -> u64 {
    match unit {
        "ns" => 1,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        // Either of the two letters for micro, or `us`.
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_fractions_add_up() {
        assert_eq!(nanoseconds("1m30s"), Some(90_000_000_000));
        assert_eq!(nanoseconds("1.5h"), Some(5_400_000_000_000));
        assert_eq!(nanoseconds(".5s"), Some(500_000_000));
        assert_eq!(nanoseconds("1.s"), Some(1_000_000_000));
        assert_eq!(nanoseconds("3\u{b5}s2us"), Some(5_000));
        assert_eq!(nanoseconds("0"), Some(0));
    }

    #[test]
    fn a_length_is_written_in_whole_units() {
        assert_eq!(text(5_400_000_000_000), "1h30m");
        assert_eq!(text(1_000_500_000_001), "16m40s500ms1ns");
        assert_eq!(text(0), "0s");
        assert_eq!(nanoseconds(&text(i64::MAX.unsigned_abs())), Some(i64::MAX.unsigned_abs()));
    }

    #[test]
    fn what_has_no_unit_or_does_not_fit_is_refused() {
        for text in ["", "5", "s", ".s", "-1s", "1x", "1s ", "9999999h", "99999999999999999999s"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
