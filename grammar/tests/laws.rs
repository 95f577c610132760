//! What holds for every text: nothing panics, places lie within it, and a program survives JSON.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ir::{Diagnostic, Program, Source, Span};
use kaniko_grammar::{parse, parse_ignore, parse_trigger, template};
use proptest::prelude::*;

/// Text of pieces that mean something in a Dockerfile, put together at random.
fn dockerfile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "FROM ",
            "RUN ",
            "COPY ",
            "ADD ",
            "ENV ",
            "ARG ",
            "LABEL ",
            "ONBUILD ",
            "HEALTHCHECK ",
            "VOLUME ",
            "EXPOSE ",
            "SHELL ",
            "CMD ",
            "AS ",
            "NONE",
            "\n",
            "\n",
            "\n",
            "\r\n",
            " ",
            "\\\n",
            "`\n",
            "\\",
            "`",
            "# escape=`\n",
            "# syntax=x\n",
            "# check=skip=all;",
            "#",
            "\u{feff}",
            "\t",
            "\"",
            "'",
            "$",
            "${",
            "}",
            ":-",
            ":?",
            "##",
            "%",
            "/",
            "<<",
            "<<-",
            "3<<EOF",
            "EOF\n",
            "EOF",
            "--",
            "--from=",
            "--mount=",
            "--interval=1m",
            "=",
            ",",
            "[",
            "]",
            "[\"a\"]",
            "type=",
            "é",
            "\u{a0}",
            "\u{2003}",
            "\u{0}",
            "a",
            "1",
            "https://",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

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
    let source = Source::new("Dockerfile", text).unwrap();
    let parsed = parse(&source);
    let program = serde_json::to_value(&parsed.program).unwrap();
    let mut found = Vec::new();
    spans(&program, &mut found);
    spans(&serde_json::to_value(&parsed.diagnostics).unwrap(), &mut found);
    for span in found {
        assert!(text.get(span.start()..span.end()).is_some(), "{span:?} in {text:?}");
    }
    assert!(parsed.diagnostics.is_sorted_by_key(|d| (d.span.start(), d.span.end())));
    let again: Program = serde_json::from_str(&program.to_string()).unwrap();
    assert_eq!(again, parsed.program);
}

proptest! {
    #[test]
    fn any_text_is_parsed_and_every_place_lies_within_it(text in dockerfile()) {
        check(&text);
    }

    #[test]
    fn arbitrary_text_is_parsed_too(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn a_trigger_stands_where_it_is_brought_in(text in dockerfile()) {
        let at = Span::new(7, 13);
        let value = match parse_trigger(&text, at) {
            Ok(statement) => serde_json::to_value(statement).unwrap(),
            Err(problems) => {
                prop_assert!(problems.iter().any(Diagnostic::is_error));
                serde_json::to_value(problems).unwrap()
            }
        };
        let mut found = Vec::new();
        spans(&value, &mut found);
        prop_assert!(found.iter().all(|span| *span == at), "{value}");
    }

    #[test]
    fn a_template_keeps_its_text_and_ignore_files_never_panic(text in any::<String>()) {
        prop_assert_eq!(&template(&text, '\\', 3).raw, &text);
        drop(parse_ignore(&text));
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
