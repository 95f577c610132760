//! Dockerfiles that are no UTF-8.

use ir::instruction::Instruction;
use ir::{Code, Source};
use kaniko_grammar::{Parsed, parse};

fn parsed(bytes: &[u8]) -> (Source, Parsed) {
    let source = Source::decode("Dockerfile", bytes).expect("it is short");
    let parsed = parse(&source);
    (source, parsed)
}

/// Lines and columns of the bytes that are refused.
fn refused(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (source, parsed) = parsed(bytes);
    let place = |problem: &ir::Diagnostic| {
        assert_eq!(problem.code, Code::NotUtf8, "{problem:?}");
        source.position(problem.span.start())
    };
    parsed.diagnostics.iter().map(place).collect()
}

#[test]
fn what_is_dropped_may_hold_any_byte() {
    let text = b"# caf\xe9\nFROM a\n# \xff\nRUN a \\\n  # b\xe9\n  b\n\n   # \xe9\n";
    assert_eq!(refused(text), []);
}

#[test]
fn a_label_and_a_maintainer_get_the_replacement_character() {
    let (_, parsed) = parsed(b"FROM a\nMAINTAINER Ren\xe9\nLABEL by=Ren\xe9\\\n\xe9\n");
    assert_eq!(parsed.diagnostics, []);
    let statements = &parsed.program.stages[0].statements;
    let [Instruction::Maintainer(maintainer), Instruction::Label(label)] =
        [0, 1].map(|index| &statements[index].instruction)
    else {
        panic!("{statements:#?}");
    };
    assert_eq!(maintainer.name.value, "Ren\u{fffd}");
    assert_eq!(label.pairs[0].value.raw, "Ren\u{fffd}\u{fffd}");
}

// rule: lines.encoding
#[test]
fn everywhere_else_the_byte_is_refused_at_its_place() {
    for (text, place) in [
        (&b"FROM a\nRUN echo \xe9\xe9\n"[..], (2, 10)),
        (b"FROM a\nRUN \xc3\xa9 \xe9\n", (2, 8)),
        (b"FROM a\nRUN <<E\n\nb\xe9\nE\n", (4, 2)),
        (b"FROM a\nRUN a \\\n# \xe9\n  b \xe9\n", (4, 5)),
        (b"FROM a\nCOPY <<E /a\n# \xe9\nE\n", (3, 3)),
        (b"FROM a\nENV a=\xe9\n", (2, 7)),
        (b"FROM a\nCMD [\"\xe9\"]\n", (2, 7)),
        (b"FROM a\nONBUILD RUN \xe9\n", (2, 13)),
        (b"ARG a=\xe9\nFROM a\n", (1, 7)),
        (b"FROM a\xe9\n", (1, 7)),
        (b"FROM a\n# \xe9\nCOPY \xe9 /\xe9 /\n", (3, 6)),
    ] {
        assert_eq!(refused(text), [place], "{}", String::from_utf8_lossy(text));
    }
    // A character of one's own is one.
    assert_eq!(refused("FROM a\nRUN echo \u{fffd}\n".as_bytes()), []);
}

#[test]
fn a_line_is_as_long_as_it_is_in_the_file() {
    let comment = |length: usize| [&b"#"[..], &b"\xe9".repeat(length), b"\nFROM a\n"].concat();
    assert_eq!(refused(&comment(65_534)), []);
    let (_, parsed) = parsed(&comment(65_535));
    assert_eq!(parsed.diagnostics[0].code, Code::LineTooLong);
}
