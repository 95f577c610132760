//! The JSON form of arguments: `["a", "b"]`.

use ir::{Code, Diagnostic};
use pest::Parser as _;
use pest_derive::Parser;

use crate::span_map::{Fragment, Joined};

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
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(arguments.text()) else {
        return Form::Text;
    };
    let strings: Option<Vec<&str>> = values.iter().map(serde_json::Value::as_str).collect();
    let Some(strings) = strings else {
        let message = "a JSON array of arguments holds something else than strings";
        return Form::Bad(
            Diagnostic::error(Code::BadJson, arguments.span(), message)
                .help("put every element in double quotes"),
        );
    };
    let pairs = Arrays::parse(Rule::array, arguments.text()).expect("the array is valid JSON");
    let places = pairs.flatten().filter(|pair| pair.as_rule() == Rule::string);
    let joined = strings.into_iter().zip(places).map(|(text, place)| {
        let range = place.as_span().start()..place.as_span().end();
        Joined::fixed(text.to_owned(), arguments.part(range).span())
    });
    Form::Array(joined.collect())
}
