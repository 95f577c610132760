//! The JSON form of arguments: `["a", "b"]`.

use ir::{Code, Diagnostic};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::{Fragment, Joined};
use crate::suggest;

#[derive(Parser)]
#[grammar = "json.pest"]
struct Arrays;

/// What arguments are, read as JSON.
#[derive(Debug)]
pub(crate) enum Form {
    /// An array of strings, decoded; each knows where it stands.
    Array(Vec<Joined>),
    /// No valid JSON array. It is ordinary text, however much it looks like one.
    Text,
    /// A valid array with an element that is no string, which is an error.
    Bad(Diagnostic),
}

/// Reads arguments as JSON.
pub(crate) fn read(arguments: Fragment<'_>) -> Form {
    let arguments = arguments.trim();
    if !arguments.text().starts_with('[') {
        return Form::Text;
    }
    let decoded = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text);
    let Ok(values) =
        decoded(arguments.text()).or_else(|_| decoded(&with_whole_pairs(arguments.text())))
    else {
        return Form::Text;
    };
    let strings: Option<Vec<&str>> = values.iter().map(serde_json::Value::as_str).collect();
    let Some(strings) = strings else {
        return Form::Bad(other_element(arguments, &values));
    };
    let pairs = Arrays::parse(Rule::array, arguments.text()).expect("the array is valid JSON");
    let places = pairs.flatten().filter(|pair| pair.as_rule() == Rule::string);
    let joined = strings.into_iter().zip(places).map(|(text, place)| {
        let range = place.as_span().start()..place.as_span().end();
        Joined::fixed(text.to_owned(), arguments.part(range).span())
    });
    Form::Array(joined.collect())
}

/// The text with every half of a surrogate pair replaced, as Go reads it. Its length stays the same.
fn with_whole_pairs(text: &str) -> String {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let mut whole = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(escape) = text[rest..].find('\\') {
        let at = rest + escape;
        whole.push_str(&text[rest..at]);
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(_), _) => 6,
            (None, _) => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        rest = at + length;
        match unit(at) {
            Some(0xD800..=0xDFFF) if length == 6 => whole.push_str("\\uFFFD"),
            Some(_) | None => whole.push_str(&text[at..rest]),
        }
    }
    whole.push_str(&text[rest..]);
    whole
}

/// The problem of the first element that is no string.
fn other_element(array: Fragment<'_>, values: &[serde_json::Value]) -> Diagnostic {
    let element = elements(array)
        .into_iter()
        .zip(values)
        .find_map(|(element, value)| (!value.is_string()).then_some(element))
        .unwrap_or(array);
    let shown = suggest::shown(element.text());
    let message = format!("`{shown}` in a JSON array of arguments is no string");
    Diagnostic::error(Code::BadJson, element.span(), message)
        .help("put every element in double quotes, or write the arguments without the brackets")
}

/// The elements of an array that is known to be valid, without the blanks around them.
fn elements(array: Fragment<'_>) -> Vec<Fragment<'_>> {
    let mut elements = Vec::new();
    let (mut depth, mut in_string, mut escaped, mut start) = (0_usize, false, false, 0);
    for (at, byte) in array.text().bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            b',' if depth == 1 => {
                elements.push(array.part(start..at).trim());
                start = at + 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    elements.push(array.part(start..at).trim());
                }
            }
            _ => {}
        }
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_is_the_replacement_character() {
        for (text, expected) in [
            ("\\ud800", "\\uFFFD"),
            ("\\uDC00\\ud83d\\ude00", "\\uFFFD\\ud83d\\ude00"),
            ("\\ud83d\\ud83d\\ude00é", "\\uFFFD\\ud83d\\ude00é"),
            ("\\\\ud800 \\é \\u+123 \\u12", "\\\\ud800 \\é \\u+123 \\u12"),
            ("\\", "\\"),
        ] {
            assert_eq!(with_whole_pairs(text), expected);
        }
    }
}
