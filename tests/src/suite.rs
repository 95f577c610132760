//! Commands that people build with, one file of `tests/suite/commands/` each, run as steps of one
//! build.
//!
//! A file is a script for bash. Its first line says what it shows. `#: prints TEXT` is a line that
//! it has to print, `#: leaves PATH` a path that later steps have to see, `#: user NAME` runs it as
//! somebody else, `#: core` is run everywhere in each run of the tests, and `#: slow` only on demand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base;
use crate::environment::Share;
use crate::kaniko::{Build, Outcome};

/// What goes before the status in the last line that a command's step prints.
const ENDED: &str = "== ended with";
/// How long a command may take, in seconds. It is to be found out which one hangs.
const PATIENCE: u32 = 300;
/// How many lines of a command that failed are shown.
const SHOWN: usize = 12;

/// The commands that are run in one build.
#[derive(Debug)]
pub struct Suite {
    commands: Vec<Command>,
}

/// One of them.
#[derive(Debug)]
struct Command {
    name: String,
    prints: Vec<String>,
    leaves: Vec<String>,
    user: Option<String>,
    share: Share,
}

/// What became of each command: nothing where it did what it should, else what went wrong and the
/// end of what it printed.
pub type Results = BTreeMap<String, Option<String>>;

impl Suite {
    /// Reads the commands, in the order of their names.
    ///
    /// # Panics
    ///
    /// If a file is not as the module says.
    pub fn read(share: Share) -> Self {
        let names = crate::tree::names(&folder().join("commands"));
        let commands = names.iter().map(|name| Command::read(name));
        Self { commands: commands.filter(|command| command.share <= share).collect() }
    }

    /// Only the commands that a text names.
    #[must_use]
    pub fn only(mut self, names: &str) -> Self {
        let names: Vec<&str> = names.split_whitespace().collect();
        self.commands.retain(|command| names.contains(&command.title()));
        self
    }

    /// The names of the commands.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.commands.iter().map(|command| command.title().to_owned())
    }

    /// The base that the commands are run on, as a layout.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn base(&self) -> PathBuf {
        let list = |name: &str| -> Vec<String> {
            let path = folder().join(name);
            let text = fs::read_to_string(&path).expect("the suite has its lists");
            text.lines().map(str::to_owned).collect()
        };
        let mut available = list("packages");
        if self.commands.iter().any(|command| command.share == Share::All) {
            available.extend(list("packages-slow"));
        }
        base::debian_with(&list("installed"), &available)
    }

    /// A build with a step for each command.
    pub fn build(&self) -> Build {
        let mut dockerfile = "FROM base\nCOPY suite /suite\n".to_owned();
        let write = "memory can be written";
        for Command { name, user, .. } in &self.commands {
            let run = format!(
                "RUN timeout --foreground {PATIENCE} bash -euo pipefail /suite/{name}; \
                 echo \"{ENDED} $?\""
            );
            match user {
                Some(user) => {
                    writeln!(dockerfile, "USER {user}\n{run}\nUSER root")
                }
                None => writeln!(dockerfile, "{run}"),
            }
            .expect(write);
        }
        let leaves = self.commands.iter().flat_map(|command| &command.leaves);
        for path in leaves {
            writeln!(dockerfile, "RUN test -e {path} && echo \"left {path}\" || true")
                .expect(write);
        }
        let build = Build::of(&dockerfile).option("--compression-level", "1").no_push();
        self.commands.iter().fold(build, |build, command| {
            let path = folder().join("commands").join(&command.name);
            let text = fs::read(path).expect("it was read before");
            build.file(&format!("suite/{}", command.name), text)
        })
    }

    /// What became of each command.
    pub fn results(&self, outcome: &Outcome) -> Results {
        let left: Vec<&str> =
            outcome.lines().filter_map(|line| line.strip_prefix("left ")).collect();
        let result =
            |command: &Command| (command.title().to_owned(), command.result(outcome, &left));
        self.commands.iter().map(result).collect()
    }
}

impl Command {
    fn read(name: &str) -> Self {
        let path = folder().join("commands").join(name);
        let text = fs::read_to_string(&path).expect("a command is a text");
        let mut command = Self {
            name: name.to_owned(),
            prints: Vec::new(),
            leaves: Vec::new(),
            user: None,
            share: Share::Quick,
        };
        let head = text.lines().take_while(|line| line.starts_with('#'));
        for line in head.filter_map(|line| line.strip_prefix("#: ")) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "prints" => command.prints.push(rest.to_owned()),
                "leaves" => command.leaves.push(rest.to_owned()),
                "user" => command.user = Some(rest.to_owned()),
                "core" => command.share = Share::Core,
                "slow" => command.share = Share::All,
                _ => panic!("{}: there is no `#: {word}`", path.display()),
            }
        }
        command
    }

    /// Its name as the table has it: without what keeps the files in order.
    fn title(&self) -> &str {
        let name = self.name.strip_suffix(".sh").unwrap_or(&self.name);
        name.split_once('-').map_or(name, |(_, title)| title)
    }

    fn result(&self, outcome: &Outcome, left: &[&str]) -> Option<String> {
        let file = format!("/suite/{};", self.name);
        let about = |text: Option<&str>| text.is_some_and(|text| text.contains(&file));
        let started = outcome
            .events
            .iter()
            .find(|event| event.kind == "started" && about(event.value["text"].as_str()));
        let Some(node) = started.and_then(|event| event.node()) else {
            return Some("was not run".to_owned());
        };
        let lines: Vec<&str> = outcome
            .events
            .iter()
            .filter(|event| event.node() == Some(node))
            .filter_map(|event| event.line())
            .collect();
        let wrong = self.wrong(&lines, left)?;
        let last = lines.len().saturating_sub(SHOWN);
        Some(format!("{wrong}\n{}", lines[last..].join("\n")))
    }

    /// What is not as it should be.
    fn wrong(&self, lines: &[&str], left: &[&str]) -> Option<String> {
        let status = lines.iter().find_map(|line| line.strip_prefix(ENDED));
        match status.map(str::trim) {
            Some("0") => {}
            Some(status) => return Some(format!("ended with {status}")),
            None => return Some("did not end by itself".to_owned()),
        }
        if let Some(line) = self.prints.iter().find(|line| !lines.contains(&line.as_str())) {
            return Some(format!("did not print `{line}`"));
        }
        let path = self.leaves.iter().find(|path| !left.contains(&path.as_str()))?;
        Some(format!("did not leave `{path}`"))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suite")
}
