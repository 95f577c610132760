//! The only writer of standard output and standard error.

mod diagnostics;
pub(crate) mod doctor;
mod json;
mod label;
mod live;
mod plain;

use std::io::{self, Write as _};

use ir::{Diagnostic, Graph, Source};
use runtime::event::Event;

use crate::arguments::Progress;
use crate::environment::Environment;
use crate::error::CommandError;
use label::Labels;

/// What people and programs see.
pub(crate) struct Ui {
    terminal: bool,
    colour: bool,
}

/// Shows what happens during a build.
pub(crate) enum View {
    /// Redrawn on a terminal.
    Live(live::Live),
    /// One line for each thing that happens.
    Plain(plain::Plain),
    /// One JSON object a line.
    Json(json::Json),
}

impl Ui {
    pub(crate) fn new(environment: &Environment) -> Self {
        Self { terminal: environment.terminal, colour: environment.colours.messages }
    }

    /// Writes a result to standard output.
    #[expect(clippy::unused_self, reason = "whoever writes must have been handed the streams")]
    pub(crate) fn result(&mut self, text: &str) -> Result<(), CommandError> {
        match io::stdout().lock().write_all(text.as_bytes()) {
            // Whoever read has seen enough (`kaniko plan | head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| CommandError::Output { error }),
        }
    }

    /// Shows problems of a Dockerfile, each with its line.
    pub(crate) fn diagnostics(&mut self, source: &Source, diagnostics: &[Diagnostic]) {
        // Nobody reads more; what keeps the build from starting comes before what does not.
        const MOST: usize = 100;
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        let warnings = diagnostics.iter().filter(|diagnostic| !diagnostic.is_error());
        let hidden = diagnostics.len().saturating_sub(MOST);
        let shown: Vec<&Diagnostic> = match hidden {
            0 => diagnostics.iter().collect(),
            _ => errors.chain(warnings).take(MOST).collect(),
        };
        for diagnostic in shown {
            self.line(&diagnostics::render(source, diagnostic, self.colour));
        }
        if hidden > 0 {
            self.line(&format!("and {hidden} more"));
        }
    }

    /// Shows what is odd about the command line, and does not keep the command from running.
    pub(crate) fn warning(&mut self, message: &str) {
        self.line(&diagnostics::warning(message, self.colour));
    }

    /// Shows why the command failed.
    pub(crate) fn error(&mut self, error: &CommandError) {
        match error {
            // clap's own text starts with `error:` and ends with how to get help.
            CommandError::Usage(error) => {
                let text = error.render();
                let text = if self.colour { text.ansi().to_string() } else { text.to_string() };
                self.line(text.trim_end());
            }
            CommandError::User { message, help } => {
                self.line(&diagnostics::message(message, help, self.colour));
            }
            CommandError::Source { source, diagnostics } => self.diagnostics(source, diagnostics),
            CommandError::Read { what, path, error } => {
                let message = format!("cannot read {what} `{}`: {error}", path.display());
                self.line(&diagnostics::message(&message, &[], self.colour));
            }
            CommandError::Output { error } => {
                let message = format!("cannot write to standard output: {error}");
                self.line(&diagnostics::message(&message, &[], self.colour));
            }
            CommandError::Build { message, help, place, status: _ } => {
                let text = match place {
                    Some((source, span)) => {
                        diagnostics::at(source, *span, message, help, self.colour)
                    }
                    None => diagnostics::message(message, help, self.colour),
                };
                self.line(&text);
            }
        }
    }

    /// A view of a build.
    pub(crate) fn view(&self, progress: Progress, graph: &Graph) -> View {
        let labels = Labels::new(graph);
        match progress {
            Progress::Json => View::Json(json::Json::new(labels)),
            Progress::Tty => View::Live(live::Live::new(labels, self.colour)),
            Progress::Auto if self.terminal => View::Live(live::Live::new(labels, self.colour)),
            Progress::Plain | Progress::Auto => View::Plain(plain::Plain::new(labels)),
        }
    }

    #[expect(clippy::unused_self, reason = "whoever writes must have been handed the streams")]
    fn line(&mut self, text: &str) {
        write_line(text);
    }
}

impl View {
    /// Shows an event.
    pub(crate) fn show(&mut self, event: &Event) {
        match self {
            Self::Live(live) => live.show(event),
            Self::Plain(plain) => plain.show(event),
            Self::Json(json) => json.show(event),
        }
    }

    /// Ends the view: nothing is redrawn any more.
    pub(crate) fn close(self) {
        match self {
            Self::Live(live) => live.close(),
            Self::Plain(_) | Self::Json(_) => {}
        }
    }
}

/// Writes a line to standard error. When nobody reads that any more, there is nobody to tell.
fn write_line(text: &str) {
    writeln!(io::stderr().lock(), "{text}").ok();
}
