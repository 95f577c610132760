//! A program that is printed and read again is the same program.

use ir::{Program, Source};
use kaniko_grammar::{parse, print};
use proptest::prelude::*;

use crate::{program, text};

fn read(text: &str) -> Program {
    let parsed = parse(&Source::new("", text).unwrap());
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert!(errors.is_empty(), "{text:?}: {errors:?}");
    parsed.program
}

/// Prints a program, and checks what becomes of it.
fn check(program: &Program) -> String {
    let printed = match print(program) {
        Ok(printed) => printed,
        Err(error) => panic!("{error}: {program:#?}"),
    };
    let again = read(&printed);
    assert_eq!(again.unplaced(), program.unplaced(), "{printed:?}");
    assert_eq!(print(&again).unwrap(), printed);
    printed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("N").map_or(300, |n| n.parse().unwrap()), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_is_printed_and_read_again(program in program::program()) {
        check(&program);
    }

    #[test]
    fn what_was_read_is_printed_and_read_again(text in text::dockerfile()) {
        check(&read(&text));
    }

    #[test]
    fn soup_too(text in text::soup()) {
        let text = format!("FROM a\n{text}");
        if text::is_good(&text) {
            check(&read(&text));
        }
    }
}
