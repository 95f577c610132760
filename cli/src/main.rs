//! The `kaniko` command: arguments in, text out. Wires grammar, planner and runtime together and
//! holds no build logic.

mod arguments;
mod command;
mod environment;
mod error;
mod front;
mod ui;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Command, Executor, Kaniko};
use crate::environment::Environment;
use crate::error::CommandError;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The runtime starts this program again to become a step of a build: nothing else may happen
    // before that.
    if arguments.get(1).is_some_and(|first| first == runtime::sandbox::INIT) {
        let rest: Vec<String> =
            arguments[2..].iter().map(|text| text.to_string_lossy().into_owned()).collect();
        return ExitCode::from(runtime::sandbox::init(&rest));
    }
    let environment = Environment::read();
    let mut ui = ui::Ui::new(&environment);
    let result = parse(&arguments).and_then(|command| match command {
        Some(Command::Build(args)) => command::build::run(&mut ui, &environment, &args),
        Some(Command::Plan(args)) => command::plan::run(&mut ui, &environment, &args),
        Some(Command::Ir(args)) => command::ir::run(&mut ui, &environment, &args),
        Some(Command::Doctor(args)) => command::doctor::run(&mut ui, &environment, &args),
        None => Ok(()),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    }
}

/// Reads the command line; none where clap has already answered (`--help`, `--version`).
///
/// Called as `executor`, this is the drop-in for kaniko's executor: its flags are those of `build`.
/// `executor doctor` is there as well, as images hold the program by that name only.
fn parse(arguments: &[OsString]) -> Result<Option<Command>, CommandError> {
    let name = arguments.first().map(std::path::Path::new).and_then(|path| path.file_name());
    let builds = arguments.get(1).is_none_or(|first| first != "doctor");
    let parsed = if name.is_some_and(|name| name == "executor") && builds {
        Executor::try_parse_from(arguments)
            .map(|executor| Command::Build(Box::new(executor.into_build())))
    } else {
        Kaniko::try_parse_from(arguments).map(|kaniko| kaniko.command)
    };
    match parsed {
        Ok(command) => Ok(Some(command)),
        Err(error) if error.use_stderr() => Err(CommandError::Usage(error)),
        Err(help) => {
            // Help and version: clap knows how to page and colour them.
            help.print().map_err(|error| CommandError::Output { error })?;
            Ok(None)
        }
    }
}
