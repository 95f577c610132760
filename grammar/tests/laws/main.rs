//! What holds for every text: nothing panics, places lie within it, a program survives JSON and
//! being printed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod layout;
mod printing;
mod program;
mod text;

use ir::{Diagnostic, Source, Span};
use kaniko_grammar::{parse, parse_ignore, parse_trigger, template};
use proptest::prelude::*;

/// Every span in a value, however deep.
fn spans(value: &serde_json::Value, found: &mut Vec<Span>) {
    if let serde_json::Value::Object(fields) = value {
        let offset = |name| usize::try_from(fields.get(name)?.as_u64()?).ok();
        if let (Some(start), Some(end), 2) = (offset("start"), offset("end"), fields.len()) {
            found.push(Span::new(start, end));
        }
        fields.values().for_each(|field| spans(field, found));
    } else if let serde_json::Value::Array(elements) = value {
        for element in elements {
            spans(element, found);
        }
    }
}

fn check(text: &str) {
    check_source(&Source::new("Dockerfile", text).unwrap());
}

fn check_source(source: &Source) {
    let text = source.text();
    let parsed = parse(source);
    let program = serde_json::to_value(&parsed.program).unwrap();
    let mut found = Vec::new();
    spans(&program, &mut found);
    spans(&serde_json::to_value(&parsed.diagnostics).unwrap(), &mut found);
    for span in found {
        assert!(text.get(span.start()..span.end()).is_some(), "{span:?} in {text:?}");
    }
    assert!(parsed.diagnostics.is_sorted_by_key(|d| (d.span.start(), d.span.end())));
    let json = ir::json::program(&parsed.program);
    assert_eq!(ir::json::read_program(&json).unwrap(), parsed.program);
}

/// Reads bytes as everything that there is to read.
fn check_as_all(bytes: &[u8]) {
    let source = Source::decode("Dockerfile", bytes).unwrap();
    let text = source.text();
    check_source(&source);
    check_trigger(text);
    for escape in ['\\', '`'] {
        let read = template(text, escape, 3);
        assert_eq!(read.raw, text);
        let mut found = Vec::new();
        spans(&serde_json::to_value(read).unwrap(), &mut found);
        for span in found {
            assert!(text.get(span.start() - 3..span.end() - 3).is_some(), "{span:?} in {text:?}");
        }
    }
    drop(parse_ignore(text));
}

fn check_trigger(text: &str) {
    let at = Span::new(7, 13);
    let value = match parse_trigger(text, at) {
        Ok(statement) => serde_json::to_value(statement).unwrap(),
        Err(problems) => {
            assert!(problems.iter().any(Diagnostic::is_error), "{text:?}");
            serde_json::to_value(problems).unwrap()
        }
    };
    let mut found = Vec::new();
    spans(&value, &mut found);
    assert!(found.iter().all(|span| *span == at), "{value}");
}

proptest! {
    #[test]
    fn any_bytes_give_a_result(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_as_all(&bytes);
    }

    #[test]
    fn any_text_gives_a_result(text in text::soup()) {
        check_as_all(text.as_bytes());
    }

    #[test]
    fn a_mangled_dockerfile_gives_a_result(
        text in text::dockerfile(),
        case in prop::sample::select(text::cases()),
        edits in text::edits(),
    ) {
        for text in [text, case] {
            check_as_all(&text::mangle(&text, &edits));
        }
    }

    /// Without quotes, escapes and variables there is nothing to read.
    #[test]
    fn plain_text_stands_for_itself(text in "[a-z0-9 /:.{}_-]{1,20}") {
        let span = Span::new(0, text.len());
        prop_assert_eq!(template(&text, '\\', 0), ir::Template::literal(text, span));
    }
}

#[test]
fn the_deepest_program_survives_json() {
    let nested = |depth: usize| format!("{}x{}", "${a:-".repeat(depth), "}".repeat(depth));
    let depth = |text: &str| template(text, '\\', 0).variables().len();
    assert_eq!(depth(&nested(16)), 16);
    assert_eq!(depth(&nested(17)), 0);
    check(&format!("FROM a\nONBUILD ENV a={}\nENV b={}", nested(16), nested(100_000)));
}

#[test]
fn long_texts_take_time_in_proportion() {
    let words = "/a'b'$c".repeat(100_000);
    check(&format!("FROM a\nCOPY <<EOF /x\n{words}\nEOF\n"));
    check(&format!("FROM a\nENV {}", "a=\"b\" \\\n".repeat(20_000)));
    check(&format!("FROM a\n{}", "RUN $((1 << 2))\n".repeat(5_000)));
    let shifts: Vec<_> = (0..20_000).map(|by| format!("RUN $((1 << {by}))\n")).collect();
    check(&format!("FROM a\n{}", shifts.concat()));
    check(&" \r".repeat(100_000));
}
