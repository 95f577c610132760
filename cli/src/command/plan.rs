//! `kaniko plan`

use ir::Facts;
use runtime::resolve::Images;

use crate::arguments::{Format, PlanArgs};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::ui::Ui;
use crate::{command, front};

/// Runs `kaniko plan`.
pub(crate) fn run(
    ui: &mut Ui,
    environment: &Environment,
    args: &PlanArgs,
) -> Result<(), CommandError> {
    let front = front::read(ui, environment, &args.front)?;
    let facts = if args.resolve {
        let client = command::registry::client(environment, &args.registry)?;
        let images = Images::new(client, front.layouts.clone());
        command::build::tokio_runtime()?.block_on(front::resolve(ui, &front, &images))?
    } else {
        Facts::default()
    };
    let graph = front::plan(ui, &front, &facts)?.graph;
    if args.explain {
        return ui.result(&planner::explain(&graph));
    }
    match args.format {
        Format::Text => ui.result(&graph.to_string()),
        Format::Json => ui.result(&ir::json::graph(&graph)),
    }
}
