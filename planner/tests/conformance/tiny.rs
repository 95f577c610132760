//! The smallest programs that show what one word means.

use ir::{Diagnostic, Facts, Graph, Instruction, Program, Source, Statement};
use kaniko_planner::{Options, plan};

/// Plans `FROM scratch` and some instructions, which no text could hold as they are.
pub(crate) fn planned(instructions: Vec<Instruction>) -> Result<Graph, Vec<Diagnostic>> {
    let mut program = parsed("FROM scratch\nRUN true\n");
    let statements = &mut program.stages[0].statements;
    let any = statements.remove(0);
    let statement = |instruction| Statement { instruction, ..any.clone() };
    statements.extend(instructions.into_iter().map(statement));
    let planned = plan(&program, &options(), &Facts::default());
    planned.graph.ok_or(planned.diagnostics)
}

/// The program of a text without errors.
pub(crate) fn parsed(text: &str) -> Program {
    let parsed = grammar::parse(&Source::new("Dockerfile", text).unwrap());
    assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{:?}", parsed.diagnostics);
    parsed.program
}

/// A plan's options when nothing was asked for.
pub(crate) fn options() -> Options {
    Options::new("linux/amd64".parse().unwrap())
}
