//! The smallest programs that show one word: put together from instructions, not from text.

use std::collections::BTreeMap;

use ir::instruction::From;
use ir::{
    Diagnostic, Facts, Graph, Instruction, Platform, Program, Span, Stage, Statement, Template,
};
use kaniko_planner::{Options, plan};

/// Plans `FROM scratch` and some instructions.
pub(crate) fn planned(instructions: Vec<Instruction>) -> Result<Graph, Vec<Diagnostic>> {
    let span = Span::default();
    let statement = |instruction| Statement { instruction, text: String::new(), span };
    let stage = Stage {
        from: From { image: literal("scratch"), platform: None, name: None },
        span,
        statements: instructions.into_iter().map(statement).collect(),
        description: String::new(),
    };
    let program = Program { stages: vec![stage], ..Program::default() };
    let planned = plan(&program, &options(), &Facts::default());
    planned.graph.ok_or(planned.diagnostics)
}

/// A text that stands for itself.
pub(crate) fn literal(text: &str) -> Template {
    Template::literal(text, Span::default())
}

/// A plan's options when nothing was asked for.
pub(crate) fn options() -> Options {
    let platform: Platform = "linux/amd64".parse().unwrap();
    Options {
        target: None,
        build_args: BTreeMap::new(),
        build_platform: platform.clone(),
        platform,
        ignore: Vec::new(),
        contexts: BTreeMap::new(),
        labels: Vec::new(),
    }
}
