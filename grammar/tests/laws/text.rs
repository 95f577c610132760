//! Texts at random: of anything, and of what means something in a Dockerfile.

use ir::{Diagnostic, Source};
use kaniko_grammar::parse;
use proptest::prelude::*;

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
        format!("{keyword}{blank}{}{end}", pieces.concat())
    })
}

/// Whether a Dockerfile is read without an error.
pub(crate) fn is_good(text: &str) -> bool {
    !parse(&Source::new("", text).unwrap()).diagnostics.iter().any(Diagnostic::is_error)
}
