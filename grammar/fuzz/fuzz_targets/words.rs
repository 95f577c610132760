//! The words of one instruction, whatever stands in them: flags, key/value words, expansion words
//! and mounts. The first byte of an input chooses the instruction and the escape character.
//!
//! What is read lies within the text, in order; what is planned is the same for the same text.

#![no_main]

use ir::instruction::Instruction;
use ir::{Diagnostic, Facts, Source, Template};
use kaniko_grammar_fuzz::options;

/// What the rest of an input is put behind: one of each kind of word.
const STARTS: [&str; 12] = [
    "ENV ",
    "LABEL ",
    "ARG ",
    "EXPOSE ",
    "WORKDIR ",
    "COPY --chown=",
    "ADD --checksum=",
    "RUN --mount=",
    "HEALTHCHECK --interval=",
    "VOLUME ",
    "USER ${value",
    "COPY <<EOF /\n",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let Ok(rest) = std::str::from_utf8(rest) else { return };
    let escape = if how & 128 == 0 { '\\' } else { '`' };
    let start = STARTS[usize::from(*how) % STARTS.len()];
    template(rest, escape);
    let text = format!(
        "# escape={escape}\nFROM scratch\nENV value=some/thing.txt empty= other=\"a b\"\n{start}{rest}\nEOF\n"
    );
    let source = Source::new("Dockerfile", text.as_str()).expect("it is shorter than 4 GiB");
    let parsed = grammar::parse(&source);
    for stage in &parsed.program.stages {
        for statement in &stage.statements {
            pairs(&text, &statement.instruction);
        }
    }
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    let first = planner::plan(&parsed.program, &options(), &Facts::default());
    let second = planner::plan(&parsed.program, &options(), &Facts::default());
    assert_eq!(first.diagnostics, second.diagnostics);
    assert_eq!(first.graph, second.graph);
});

/// A word that stands alone keeps its text.
fn template(text: &str, escape: char) {
    let template = grammar::template(text, escape, 0);
    assert_eq!(template.raw, text);
    assert!(template.variables().iter().all(|(name, _)| !name.is_empty()));
}

/// Keys and values stand in the text in their order, and do not overlap.
fn pairs(text: &str, instruction: &Instruction) {
    let (Instruction::Env(ir::instruction::Env { pairs, .. })
    | Instruction::Label(ir::instruction::LabelInstruction { pairs, .. })) = instruction
    else {
        return;
    };
    let mut end = 0;
    for Template { span, .. } in pairs.iter().flat_map(|pair| [&pair.key, &pair.value]) {
        assert!(end <= span.start() && span.start() <= span.end() && span.end() <= text.len());
        end = span.end();
    }
}
