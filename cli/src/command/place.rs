//! Where commands run: the work directory, and entering what confines them.

use std::path::PathBuf;

use runtime::sandbox::{self, Entered, NoIsolation};

use crate::arguments::{Isolation, Landlock, PlaceArgs};
use crate::environment::absolute;
use crate::error::CommandError;

/// What was asked for.
pub(crate) struct Place {
    /// The work directory; it exists.
    pub(crate) directory: PathBuf,
    request: sandbox::Request,
    landlock: sandbox::Landlock,
}

impl Place {
    /// Makes the work directory if it is missing.
    pub(crate) fn open(args: &PlaceArgs) -> Result<Self, CommandError> {
        let directory = absolute(&args.kaniko_dir);
        std::fs::create_dir_all(&directory).map_err(|error| {
            let path = directory.display();
            CommandError::user_with_help(
                format!("cannot make the work directory `{path}`: {error}"),
                "name a directory that can be written with `--kaniko-dir`",
            )
        })?;
        Ok(Self {
            directory,
            request: match args.isolation {
                Isolation::Auto => sandbox::Request::Auto,
                Isolation::Namespaces => sandbox::Request::Namespaces,
                Isolation::Chroot => sandbox::Request::Chroot,
                Isolation::InPlace => sandbox::Request::InPlace,
            },
            landlock: match args.landlock {
                Landlock::Auto => sandbox::Landlock::Auto,
                Landlock::On => sandbox::Landlock::On,
                Landlock::Off => sandbox::Landlock::Off,
            },
        })
    }

    /// Puts this process where it can confine commands. Before its first thread: a process with
    /// several cannot enter a user namespace.
    pub(crate) fn enter(&self) -> Result<Entered, NoIsolation> {
        sandbox::enter(self.request, self.landlock, &self.directory)
    }
}
