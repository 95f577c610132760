//! Texts at random: of anything, and of what means something in a Dockerfile.

use std::path::Path;

use ir::{Diagnostic, Source};
use kaniko_grammar::parse;
use proptest::prelude::*;
use proptest::sample::Index;

/// What means something somewhere on a line.
const PIECES: [&str; 70] = [
    " ",
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{a0}",
    "\u{2003}",
    "\r",
    "a",
    "b",
    "é",
    "1",
    "0",
    "=",
    "=",
    ",",
    "\\",
    "`",
    "\\ ",
    "` ",
    "\\\\",
    "\\'",
    "`\"",
    "\"",
    "'",
    "\"\"",
    "'x y'",
    "\"$a\"",
    "$",
    "$a",
    "${",
    "${a}",
    "${a:-b}",
    "${a^^}",
    "}",
    ":-",
    ":?",
    "##",
    "%",
    "/",
    "[",
    "]",
    "[\"a\"]",
    "[\"a\",",
    "\"b\"]",
    "#",
    "# b",
    "<<",
    "<<EOF",
    " <<EOF ",
    " <<EOF",
    "<<-EOF",
    " <<-'EOF' ",
    " 3<<\"EOF\" ",
    "<<X",
    "--",
    "--x=1",
    "--link",
    "--chmod=",
    "--device=",
    "--mount=",
    "type=",
    "--exclude=",
    "AS",
    "NONE",
    "CMD ",
    "\u{0}",
];

const KEYWORDS: [&str; 19] = [
    "FROM",
    "RUN",
    "RUN",
    "COPY",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "ONBUILD",
    "ONBUILD RUN",
    "ONBUILD COPY",
    "HEALTHCHECK",
    "VOLUME",
    "EXPOSE",
    "SHELL",
    "CMD",
    "WORKDIR",
    "STOPSIGNAL",
];

/// Text of pieces that mean something in a Dockerfile, put together at random.
pub(crate) fn soup() -> impl Strategy<Value = String> {
    const LINES: [&str; 13] = [
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\\\n",
        "`\n",
        "EOF\n",
        "EOF",
        "# escape=`\n",
        "# syntax=x\n",
        "\u{feff}",
        "--interval=1m",
        "https://",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(LINES.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(KEYWORDS.to_vec()).prop_map(|keyword| format!("{keyword} ")),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A Dockerfile without errors, of instructions with arguments put together at random.
pub(crate) fn dockerfile() -> impl Strategy<Value = String> {
    let directive = prop::sample::select(vec!["", "", "# escape=`\n", "# syntax=a\n# escape=\\\n"]);
    (directive, prop::collection::vec(instruction(), 0..6)).prop_map(|(directive, instructions)| {
        let mut text = format!("{directive}FROM a\n");
        for instruction in instructions {
            let more = ["", "body\nEOF\n"].map(|body| format!("{text}{instruction}{body}"));
            if let Some(more) = more.into_iter().find(|more| is_good(more)) {
                text = more;
            }
        }
        text
    })
}

fn instruction() -> impl Strategy<Value = String> {
    let keyword = prop::sample::select(KEYWORDS.to_vec());
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..10);
    let blank = prop::sample::select(vec![" ", " ", " ", "\t", "\u{c}"]);
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\u{c}\n", "\u{a0}\n"]);
    (keyword, blank, pieces, end).prop_map(|(keyword, blank, pieces, end)| {
        let arguments = pieces.concat();
        // A flag with quotes beside a `<<` is the one thing that need not print.
        let flags = !arguments.contains("<<");
        let arguments = if flags { arguments } else { arguments.replace('=', "") };
        format!("{keyword}{blank}{arguments}{end}")
    })
}

/// Whether a Dockerfile is read without an error.
pub(crate) fn is_good(text: &str) -> bool {
    !parse(&Source::new("", text).unwrap()).diagnostics.iter().any(Diagnostic::is_error)
}

/// Every case that is no mistake.
#[expect(clippy::disallowed_methods, reason = "the texts are sorted")]
pub(crate) fn cases() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let folders = ["parse", "plan"].map(|kind| folder.join(kind));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let texts = entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let texts = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
    let mut good: Vec<_> = texts.filter(|text| is_good(text)).collect();
    assert!(good.len() > 20, "only {} cases were found", good.len());
    good.sort();
    good
}

/// A part of a text that is removed, or also put elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    from: Index,
    len: usize,
    to: Option<Index>,
}

/// What changes a text here and there.
pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (any::<Index>(), 0_usize..20, any::<Option<Index>>());
    prop::collection::vec(edit.prop_map(|(from, len, to)| Edit { from, len, to }), 1..6)
}

/// A text that was changed, which need not be one any more.
pub(crate) fn mangle(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for Edit { from, len, to } in edits {
        let start = from.index(bytes.len() + 1);
        let end = (start + len).min(bytes.len());
        let part: Vec<u8> = bytes[start..end].to_vec();
        match to {
            None => drop(bytes.drain(start..end)),
            Some(to) => {
                let at = to.index(bytes.len() + 1);
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}
