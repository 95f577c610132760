//! Triggers that a base image brings in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ir::instruction::Instruction;
use ir::{Code, Span};
use kaniko_grammar::parse_trigger;

fn at() -> Span {
    Span::new(3, 9)
}

fn codes(text: &str) -> Vec<Code> {
    parse_trigger(text, at()).unwrap_err().iter().map(|problem| problem.code).collect()
}

#[test]
fn a_trigger_is_one_instruction_with_its_heredocs() {
    let statement = parse_trigger("COPY <<-a /b\n\tc $d\na", at()).unwrap();
    let Instruction::Copy(copy) = &statement.instruction else { panic!("{statement:?}") };
    assert_eq!(copy.paths.heredocs[0].body, "\tc $d\n");
    assert_eq!(copy.paths.heredocs[0].template.raw, "c $d\n");
    assert_eq!(copy.paths.destination.span, at());
    assert_eq!((statement.text.as_str(), statement.span), ("COPY <<-a /b", at()));
}

#[test]
fn what_is_no_trigger_is_refused() {
    assert_eq!(codes("RNU make"), [Code::UnknownInstruction]);
    assert_eq!(codes("FROM a"), [Code::BadTrigger]);
    assert_eq!(codes("ONBUILD RUN a"), [Code::BadTrigger]);
    assert_eq!(codes("RUN a\nRUN b"), [Code::BadTrigger]);
    assert_eq!(codes(""), [Code::BadTrigger]);
    assert_eq!(codes("COPY --x a"), [Code::UnknownFlag, Code::WrongArity]);
    assert_eq!(codes("RUN <<a\nb"), [Code::UnterminatedHeredoc]);
}
