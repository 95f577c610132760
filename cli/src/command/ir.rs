//! `kaniko ir`

use ir::Facts;

use crate::arguments::{Format, IrArgs, Level};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::front;
use crate::ui::Ui;

/// Runs `kaniko ir`.
pub(crate) fn run(
    ui: &mut Ui,
    environment: &Environment,
    args: &IrArgs,
) -> Result<(), CommandError> {
    let front = front::read(ui, environment, &args.front)?;
    match (args.level, args.format) {
        (Level::Program, Format::Json) => ui.result(&ir::json::program(&front.program)),
        (Level::Program, Format::Text) => Err(CommandError::user_with_help(
            "a program has no text form but the Dockerfile itself",
            "use `--format json`, or `--level graph`",
        )),
        (Level::Graph, format) => {
            let graph = front::plan(ui, &front, &Facts::default())?.graph;
            match format {
                Format::Text => ui.result(&graph.to_string()),
                Format::Json => ui.result(&ir::json::graph(&graph)),
            }
        }
    }
}
