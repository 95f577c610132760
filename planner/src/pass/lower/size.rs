//! Sizes as `--mount=type=tmpfs,size=…` takes them (docker `go-units`, `RAMInBytes`).

/// Bytes of `64`, `1.5g`, `10MiB`: units are powers of 1024, in any case.
pub(super) fn parse(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let prefix = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = match prefix {
        "" if unit != "ib" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || whole.is_empty() || fraction.contains('.') || fraction.len() > 9 {
        return None;
    }
    let scale = 1_u128 << (10 * power);
    let whole = whole.parse::<u64>().ok()?;
    let digits = u32::try_from(fraction.len()).ok()?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    let bytes = u128::from(whole) * scale + u128::from(fraction) * scale / 10_u128.pow(digits);
    u64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_powers_of_1024() {
        for (text, expected) in
            [("64", 64), ("64b", 64), ("1k", 1024), ("1.5KiB", 1536), ("2 MB", 2 << 20)]
        {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", "k", "1x", "-1", "1..2", ".5", "1ib", "99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
