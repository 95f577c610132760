//! A trigger of a base image: it is read without a panic, and every place in what becomes of it
//! is the `FROM` that brings it in.

#![no_main]

use ir::{Diagnostic, Span, Statement};
use kaniko_grammar_fuzz::all_spans;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let at = Span::new(7, 13);
    let json = match grammar::parse_trigger(text, at) {
        Ok(statement) => {
            let json = serde_json::to_value(&statement).expect("it has a JSON form");
            let again: Statement =
                serde_json::from_str(&json.to_string()).expect("its JSON is a statement");
            assert_eq!(again, statement);
            json
        }
        Err(problems) => {
            assert!(problems.iter().any(Diagnostic::is_error));
            serde_json::to_value(problems).expect("they have a JSON form")
        }
    };
    assert!(all_spans(&json, &|span| span == at), "{json}");
});
