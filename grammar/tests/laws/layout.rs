//! Another layout of the same Dockerfile, at random: what may differ without changing the program.

use ir::{Source, Span};
use kaniko_grammar::parse;
use proptest::prelude::*;

/// Where every decision comes from; a zero, and what is behind the last, changes nothing.
pub(crate) fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..500)
}

/// Lays a printed program out anew.
///
/// In its layout an instruction is one line, unless that is too long, and perhaps the bodies of
/// heredocs. These are left alone, as are descriptions and the order of lines.
pub(crate) fn vary(text: &str, choices: Vec<u8>) -> String {
    let program = parse(&Source::new("", text).unwrap()).program;
    let escape = program.directives.iter().find(|directive| directive.name == "escape");
    let escape = escape.map_or('\\', |directive| directive.value.chars().next().unwrap());
    let mut layout = Layout { text: String::new(), choices: choices.into_iter(), escape };
    if layout.one_in(8) {
        layout.text.push('\u{feff}');
    }
    let mut at = 0;
    for directive in &program.directives {
        layout.directive(&text[directive.span.start()..directive.span.end()]);
        at = directive.span.end() + 1;
    }
    for span in instructions(&program) {
        // At the top of the file a comment may be a directive.
        if at > 0 {
            layout.unheard();
        }
        layout.between(&text[at..span.start()]);
        at = layout.instruction(text, span);
    }
    layout.text.push_str(&text[at..]);
    if layout.one_in(4) {
        let end = layout.text.trim_end_matches(['\r', '\n']).len();
        layout.text.truncate(end);
    }
    layout.text
}

/// Where each instruction stands.
fn instructions(program: &ir::Program) -> Vec<Span> {
    let mut all: Vec<_> = program.global_args.iter().map(|arg| arg.span).collect();
    for stage in &program.stages {
        all.push(stage.span);
        all.extend(stage.statements.iter().map(|statement| statement.span));
    }
    all
}

struct Layout {
    text: String,
    choices: std::vec::IntoIter<u8>,
    escape: char,
}

impl Layout {
    /// A number below `count`, most often 0.
    fn choose(&mut self, count: u8) -> u8 {
        self.choices.next().unwrap_or(0) % count
    }

    fn one_in(&mut self, count: u8) -> bool {
        self.choose(count) == 1
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[usize::from(self.choose(u8::try_from(of.len()).unwrap()))]
    }

    fn newline(&mut self) {
        let end = self.pick(&["\n", "\n", "\r\n"]);
        self.text.push_str(end);
    }

    fn indent(&mut self) {
        let blanks = self.pick(&["", "", "", " ", "\t", "  ", "\u{a0}", "\u{c}"]);
        self.text.push_str(blanks);
    }

    /// Letters of either case.
    fn in_any_case(&mut self, word: &str) {
        let all = self.choose(4);
        for letter in word.chars() {
            let lower = all == 1 || (all == 2 && self.one_in(2));
            self.text.push(if lower { letter.to_ascii_lowercase() } else { letter });
        }
    }

    /// `# name=value`.
    fn directive(&mut self, line: &str) {
        let (name, value) = line[2..].split_once('=').unwrap();
        self.indent();
        let start = self.pick(&["# ", "#", "#\t "]);
        self.text.push_str(start);
        self.in_any_case(name);
        let equals = self.pick(&["=", " =", "= ", "\t=\t"]);
        self.text.push_str(equals);
        self.text.push_str(value);
        let end = self.pick(&["", "", " ", "\t", "\u{a0}"]);
        self.text.push_str(end);
        self.newline();
    }

    /// The blank lines and the comments between two instructions. The first blank line is what
    /// ends the directives.
    fn between(&mut self, lines: &str) {
        for line in lines.lines() {
            self.indent();
            if let Some(comment) = line.strip_prefix("# ") {
                let start = self.pick(&["# ", "#", "#  "]);
                self.text.push_str(start);
                self.text.push_str(comment);
                self.indent();
            }
            self.newline();
            if self.one_in(6) {
                self.newline();
            }
        }
    }

    /// Comments that are forgotten for the empty one behind them.
    fn unheard(&mut self) {
        let start = self.text.len();
        self.comments();
        if self.text.len() > start {
            // The directives end here.
            self.text.insert(start, '\n');
            self.text.push_str("#\n");
        }
    }

    /// Comments that say nothing where they are put, and blank lines.
    fn comments(&mut self) {
        while self.one_in(5) {
            self.indent();
            let line = self.pick(&["# RUN x", "#", "", "# a \\", "# a `", "#escape=`", "# <<EOF"]);
            self.text.push_str(line);
            self.newline();
        }
    }

    /// An instruction; the offset behind it.
    fn instruction(&mut self, text: &str, span: Span) -> usize {
        let whole = &text[span.start()..];
        let (line, _) = whole.split_once('\n').unwrap();
        self.line(line);
        let bodies = (span.start() + line.len() + 1).min(span.end())..span.end();
        self.bodies(&text[bodies]);
        span.end() + 1
    }

    /// A logical line: keyword, blanks and continuations may be written otherwise.
    fn line(&mut self, line: &str) {
        self.indent();
        let keyword = line.find(' ').unwrap_or(line.len());
        let start = self.text.len();
        self.in_any_case(&line[..keyword]);
        if keyword < line.len() {
            let blanks = self.pick(&[" ", " ", "  ", "\t", "\u{b}", " \u{c}"]);
            self.text.push_str(blanks);
        }
        self.arguments(&line[..keyword], line[keyword..].trim_start());
        let logical = self.text.split_off(start);
        self.folded(&logical);
        // What is at the end of a trigger goes into the image.
        if &line[..keyword] != "ONBUILD" {
            let end = self.pick(&["", "", "", " ", "\t", "\u{a0}"]);
            self.text.push_str(end);
        }
        self.newline();
    }

    /// Arguments, with more blanks between the words of instructions that split them at blanks.
    fn arguments(&mut self, keyword: &str, arguments: &str) {
        let splits = matches!(keyword, "FROM" | "ARG" | "EXPOSE" | "VOLUME" | "COPY" | "ADD");
        if !splits || arguments.contains(['"', '\'', '\\', '`', '[', '<']) {
            self.text.push_str(arguments);
            return;
        }
        let words: Vec<_> = arguments.split(' ').collect();
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                let blanks = self.pick(&[" ", " ", "  ", "\t", " \u{b} "]);
                self.text.push_str(blanks);
            }
            if keyword == "FROM" && *word == "AS" && index > 0 && index + 2 == words.len() {
                self.in_any_case(word);
            } else {
                self.text.push_str(word);
            }
        }
    }

    /// A logical line, broken with continuations wherever it may be.
    fn folded(&mut self, line: &str) {
        let mut before = None;
        for (at, next) in line.char_indices() {
            let is_comment = line[at..].trim_start().starts_with('#');
            let is_blank = line[at..].trim().is_empty();
            if before != Some(self.escape) && !is_comment && !is_blank && self.one_in(16) {
                self.text.push(self.escape);
                let end = self.pick(&["", "", " ", "\t", " \t "]);
                self.text.push_str(end);
                self.newline();
                self.comments();
            }
            self.text.push(next);
            before = Some(next);
        }
    }

    /// What a body holds is taken as it is.
    fn bodies(&mut self, bodies: &str) {
        self.text.push_str(bodies);
        if !bodies.is_empty() {
            self.newline();
        }
    }
}
