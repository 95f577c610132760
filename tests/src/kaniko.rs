//! The built binary, in an environment of its own.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::tool;

/// A `kaniko build` with a context, a home and a work directory that nobody else has.
pub struct Build {
    directory: TempDir,
    work: PathBuf,
    arguments: Vec<String>,
    place: Box<dyn Place>,
}

/// Where kaniko is started.
pub trait Place {
    /// A command that runs kaniko with a command line in an environment. `directory` has everything
    /// that it reads, and is at the same path there. What the command needs lives as long as this.
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command;
}

/// How kaniko is called.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What stands behind `kaniko build`, or behind `executor`.
    pub arguments: &'a [String],
    /// All of its environment.
    pub environment: &'a [(&'static str, String)],
}

/// Here, by another program or without one.
struct Here {
    wrapper: Vec<String>,
}

impl Place for Here {
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command {
        let binary = binary().display().to_string();
        let words: Vec<&String> = self.wrapper.iter().chain([&binary]).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .arg("build")
            .args(call.arguments)
            .env_clear()
            .envs(call.environment.iter().cloned())
            .current_dir(directory);
        command
    }
}

/// A build that runs.
pub struct Running {
    process: Child,
    stderr: BufReader<ChildStderr>,
    seen: Vec<String>,
    work: PathBuf,
    /// Holds what the build reads.
    directory: TempDir,
    /// Holds where it runs.
    _place: Box<dyn Place>,
}

/// A build that ended.
pub struct Outcome {
    /// How.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Lines of the standard error that are no events.
    pub messages: String,
    /// In the order in which they came.
    pub events: Vec<Event>,
    /// The work directory.
    pub work: PathBuf,
    directory: TempDir,
}

/// One line of `--progress=json`.
#[derive(Clone, Debug)]
pub struct Event {
    /// `started`, `output`, …
    pub kind: String,
    /// Milliseconds since the build began.
    pub time: u64,
    /// All of it.
    pub value: Value,
}

impl Build {
    /// A build of a Dockerfile, with nothing else in its context.
    pub fn of(dockerfile: &str) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["context", "home", "tmp"] {
            fs::create_dir(path(name)).expect("the directory is ours");
        }
        fs::write(path("Dockerfile"), dockerfile).expect("the directory is ours");
        let work = path("work");
        let place = Box::new(Here { wrapper: Vec::new() });
        let build = Self { work, directory, arguments: Vec::new(), place };
        let context = build.path("context").display().to_string();
        build.option("--context", &context)
    }

    /// Adds a file to the context.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path("context").join(name);
        let parent = path.parent().expect("it is below the context");
        fs::create_dir_all(parent).expect("the directory is ours");
        fs::write(path, content).expect("the directory is ours");
        self
    }

    /// Adds an option with its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Adds an option without a value.
    #[must_use]
    pub fn flag(mut self, name: &str) -> Self {
        self.arguments.push(name.to_owned());
        self
    }

    /// Pushes to a name in a registry; may be given again for another.
    #[must_use]
    pub fn push(self, to: &str) -> Self {
        self.option("--destination", to)
    }

    /// Keeps the image nowhere but where other options say.
    #[must_use]
    pub fn no_push(self) -> Self {
        self.flag("--no-push")
    }

    /// Uses the work directory of another build.
    #[must_use]
    pub fn work(mut self, work: &Path) -> Self {
        work.clone_into(&mut self.work);
        self
    }

    /// Lets another program start kaniko: it gets kaniko's command line behind `program`.
    #[must_use]
    pub fn under(mut self, program: &[&str]) -> Self {
        let wrapper = program.iter().map(|&word| word.to_owned()).collect();
        self.place = Box::new(Here { wrapper });
        self
    }

    /// Starts kaniko in another place.
    #[must_use]
    pub fn at(mut self, place: impl Place + 'static) -> Self {
        self.place = Box::new(place);
        self
    }

    /// Puts a login to a registry where kaniko looks for it.
    #[must_use]
    pub fn login(self, registry: &str, auth: &str) -> Self {
        let docker = self.path("home").join(".docker");
        fs::create_dir_all(&docker).expect("the directory is ours");
        let config = serde_json::json!({ "auths": { registry: { "auth": auth } } });
        fs::write(docker.join("config.json"), config.to_string()).expect("the directory is ours");
        self
    }

    /// A path that lives as long as the build and its outcome.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Runs it to its end, which must be a good one.
    pub fn succeed(self) -> Outcome {
        let outcome = self.run();
        assert!(outcome.status.success(), "{}: {}", outcome.status, outcome.log());
        outcome
    }

    /// Runs it to its end, which must be a bad one of its own making: no panic, no signal.
    pub fn fail(self) -> Outcome {
        let outcome = self.run();
        let code = outcome.status.code();
        assert!(code.is_some_and(|code| code != 0 && code != 101), "{:?}: {}", code, outcome.log());
        outcome
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let text = |path: &Path| path.display().to_string();
        let (dockerfile, work) = (text(&self.path("Dockerfile")), text(&self.work));
        let fixed = ["--insecure", "--progress", "json", "--dockerfile", &dockerfile];
        let fixed = fixed.into_iter().chain(["--kaniko-dir", &work]).map(str::to_owned);
        let arguments: Vec<String> = self.arguments.iter().cloned().chain(fixed).collect();
        let environment = [
            ("PATH", tool::PATH.to_owned()),
            ("HOME", text(&self.path("home"))),
            ("TMPDIR", text(&self.path("tmp"))),
        ];
        let call = Call { arguments: &arguments, environment: &environment };
        // Nothing to read, and not `/dev/null`: a container's runtime gives its streams to its user.
        let (nothing, _) = std::io::pipe().expect("there are descriptors left");
        let mut process = self
            .place
            .command(self.directory.path(), &call)
            .stdin(nothing)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let stderr = BufReader::new(process.stderr.take().expect("it is piped"));
        let Self { work, directory, place, .. } = self;
        Running { process, stderr, seen: Vec::new(), work, directory, _place: place }
    }
}

impl Running {
    /// Waits until a command of the build writes a line that is `text`.
    pub fn wait_for(&mut self, text: &str) {
        while let Some(line) = self.line() {
            if Event::parse(&line).is_some_and(|event| event.line() == Some(text)) {
                return;
            }
        }
        panic!("the build ended before it wrote `{text}`: {}", self.seen.join("\n"));
    }

    /// Sends a signal to kaniko itself.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("process ids are positive");
        rustix::process::kill_process(id, signal).expect("the build runs");
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Outcome {
        let mut stdout = self.process.stdout.take().expect("it is piped");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        while self.line().is_some() {}
        let status = self.process.wait().expect("it is a child");
        let stdout = reader.join().expect("it does not panic").expect("kaniko writes UTF-8");
        let (events, messages) = self.seen.iter().fold(
            (Vec::new(), String::new()),
            |(mut events, mut messages), line| {
                match Event::parse(line) {
                    Some(event) => events.push(event),
                    None => messages.extend([line, "\n"]),
                }
                (events, messages)
            },
        );
        let (work, directory) = (self.work, self.directory);
        Outcome { status, stdout, messages, events, work, directory }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stderr.read_line(&mut line).expect("kaniko writes UTF-8");
        (read > 0).then(|| {
            let line = line.trim_end_matches('\n').to_owned();
            self.seen.push(line.clone());
            line
        })
    }
}

impl Outcome {
    /// A path as [`Build::path`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Everything that was said, for a message or to search it.
    pub fn log(&self) -> String {
        let events: Vec<String> = self.events.iter().map(|event| event.value.to_string()).collect();
        format!("{}\n{}\n{}", self.stdout, self.messages, events.join("\n"))
    }

    /// Lines that commands of the build wrote.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(Event::line)
    }

    /// Begin and end of the node whose command wrote a line, in milliseconds.
    pub fn interval(&self, line: &str) -> (u64, u64) {
        let wrote = |event: &&Event| event.line() == Some(line);
        let node = self.events.iter().find(wrote).expect("the line was written").node();
        let time = |kind: &str| {
            let same = |event: &&Event| event.kind == kind && event.node() == node;
            self.events.iter().find(same).expect("every node starts and finishes").time
        };
        (time("started"), time("finished"))
    }

    /// Begin and end of the node that an instruction became, in milliseconds.
    pub fn interval_of(&self, text: &str) -> (u64, u64) {
        let is = |event: &&Event| event.kind == "started" && event.value["text"] == text;
        let node = self.events.iter().find(is).expect("the instruction was carried out").node();
        let ended = |event: &&Event| event.kind == "finished" && event.node() == node;
        let time = |event: Option<&Event>| event.expect("every node starts and finishes").time;
        (time(self.events.iter().find(is)), time(self.events.iter().find(ended)))
    }

    /// Fails unless what was said has each of some texts.
    #[track_caller]
    pub fn says(&self, texts: &[&str]) -> &Self {
        let log = self.log();
        for text in texts {
            assert!(log.contains(text), "nothing about `{text}`: {log}");
        }
        self
    }
}

impl Event {
    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let kind = value.get("event")?.as_str()?.to_owned();
        let time = value["time"].as_u64().expect("every event has a time");
        assert_eq!(value["version"], 1, "{line}");
        Some(Self { kind, time, value })
    }

    /// The node it is about, as `%3`.
    pub fn node(&self) -> Option<&str> {
        self.value["node"].as_str()
    }

    /// What a command wrote.
    pub fn line(&self) -> Option<&str> {
        if self.kind == "output" { self.value["line"].as_str() } else { None }
    }
}

/// The binary of this workspace, in the target folder that this test is in.
///
/// # Panics
///
/// If it was not built.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the system knows what runs");
    let profile = test.parent().and_then(Path::parent).expect("tests are in <profile>/deps");
    let binary = profile.join("kaniko");
    assert!(
        binary.is_file(),
        "there is no `{}`; build it with `cargo static`, or run tests/run",
        binary.display()
    );
    binary
}

/// Runs kaniko in a directory, in an empty environment: what it prints, standard output before
/// standard error, and its exit status. `name` is what it is called by.
pub fn screen(directory: &Path, name: &str, arguments: &[&str]) -> String {
    let output = Command::new(binary())
        .arg0(name)
        .args(arguments)
        .env_clear()
        .env("PATH", tool::PATH)
        .env("HOME", directory)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("the binary can be started");
    let text = |bytes| String::from_utf8(bytes).expect("kaniko writes UTF-8");
    format!("{}{}{}\n", text(output.stdout), text(output.stderr), output.status)
}
