//! Truth values as flags and keys of BuildKit take them (Go's `strconv.ParseBool`).

/// The value of a text; none for what is neither true nor false.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
