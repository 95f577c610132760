//! `kaniko doctor`

use runtime::doctor::Outside;

use crate::arguments::{DoctorArgs, Format};
use crate::command::place::Place;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::ui::{Ui, doctor};

/// Runs `kaniko doctor`.
pub(crate) fn run(
    ui: &mut Ui,
    environment: &Environment,
    args: &DoctorArgs,
) -> Result<(), CommandError> {
    let place = Place::open(&args.place)?;
    let outside = Outside::look(&place.directory);
    let entered = place.enter();
    let report = outside.report(entered.as_ref().ok(), &place.directory).map_err(|error| {
        let path = place.directory.display();
        CommandError::user_with_help(
            format!("cannot use the work directory `{path}`: {error}"),
            "name a directory that can be written with `--kaniko-dir`",
        )
    })?;
    match args.format {
        Format::Text => ui.result(&doctor::text(&report, environment.colours.results))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&report).expect("its keys are strings");
            ui.result(&(json + "\n"))?;
        }
    }
    if report.runs {
        return Ok(());
    }
    Err(CommandError::user("commands cannot be confined here"))
}
