//! The line of each instruction, from its fields.

use ir::Template;
use ir::instruction::{
    Add, Arg, Command, Copy, Expose, From, Healthcheck, Instruction, Network, Pair, Paths, Run,
    Security, Text,
};

use super::line::{self, Flag, Line};
use super::quote;
use crate::json::{self, Form};
use crate::span_map::Origin;
use crate::{duration, words};

/// Appends an instruction of a stage, with its heredocs.
pub(super) fn write(instruction: &Instruction, escape: char, text: &mut String) {
    let keyword = instruction.keyword();
    let of = |arguments: String| Line { keyword, arguments, ..Line::default() };
    let line = match instruction {
        Instruction::Add(instruction) => add(instruction),
        Instruction::Arg(instruction) => arg(instruction),
        Instruction::Cmd(cmd) => of(command(&cmd.command)),
        Instruction::Copy(instruction) => copy(instruction),
        Instruction::Entrypoint(entrypoint) => of(command(&entrypoint.command)),
        Instruction::Env(env) => of(pairs(&env.pairs, env.legacy, escape)),
        Instruction::Expose(expose) => of(ports(expose)),
        Instruction::Healthcheck(check) => healthcheck(check),
        Instruction::Label(label) => of(pairs(&label.pairs, label.legacy, escape)),
        Instruction::Maintainer(maintainer) => of(maintainer.name.value.clone()),
        Instruction::Onbuild(onbuild) => {
            return line::write_trigger(&onbuild.text, escape, text);
        }
        Instruction::Run(instruction) => run(instruction),
        Instruction::Shell(shell) => of(array(&shell.argv)),
        Instruction::Stopsignal(stopsignal) => of(stopsignal.signal.raw.clone()),
        Instruction::User(user) => of(user.user.raw.clone()),
        Instruction::Volume(volume) => of(list(&raw(&volume.paths))),
        Instruction::Workdir(workdir) => of(workdir.path.raw.clone()),
    };
    line.write(escape, text);
}

pub(super) fn from(from: &From) -> Line<'_> {
    let mut flags = Flags::default();
    flags.template("platform", from.platform.as_ref());
    let mut arguments = from.image.raw.clone();
    if let Some(name) = &from.name {
        arguments.push_str(" AS ");
        arguments.push_str(&name.value);
    }
    Line { keyword: "FROM", flags: flags.0, arguments, ..Line::default() }
}

pub(super) fn arg(arg: &Arg) -> Line<'_> {
    let words: Vec<_> = arg
        .declarations
        .iter()
        .map(|declaration| match &declaration.default {
            Some(default) => format!("{}={}", declaration.name.value, default.raw),
            None => declaration.name.value.clone(),
        })
        .collect();
    Line { keyword: "ARG", arguments: words.join(" "), ..Line::default() }
}

fn run(run: &Run) -> Line<'_> {
    let mut flags = Flags::default();
    flags.each("mount", run.mounts.iter().map(quote::mount));
    flags.text(
        "network",
        match run.network {
            Network::Default => None,
            Network::None => Some("none"),
            Network::Host => Some("host"),
        },
    );
    flags.text(
        "security",
        match run.security {
            Security::Sandbox => None,
            Security::Insecure => Some("insecure"),
        },
    );
    flags.each("device", run.devices.iter().map(|device| device.written.value.clone()));
    let arguments = command(&run.command);
    Line { keyword: "RUN", flags: flags.0, arguments, heredocs: &run.heredocs }
}

fn copy(copy: &Copy) -> Line<'_> {
    let mut flags = Flags::default();
    flags.template("from", copy.from.as_ref());
    flags.template("chown", copy.chown.as_ref());
    flags.template("chmod", copy.chmod.as_ref());
    flags.each("exclude", values(&copy.exclude));
    flags.switch("link", copy.link.then_some(true));
    flags.switch("parents", copy.parents.then_some(true));
    let arguments = paths(&copy.paths);
    Line { keyword: "COPY", flags: flags.0, arguments, heredocs: &copy.paths.heredocs }
}

fn add(add: &Add) -> Line<'_> {
    let mut flags = Flags::default();
    flags.template("chown", add.chown.as_ref());
    flags.template("chmod", add.chmod.as_ref());
    flags.template("checksum", add.checksum.as_ref());
    flags.each("exclude", values(&add.exclude));
    flags.switch("keep-git-dir", add.keep_git_dir);
    flags.switch("link", add.link.then_some(true));
    flags.switch("unpack", add.unpack);
    let arguments = paths(&add.paths);
    Line { keyword: "ADD", flags: flags.0, arguments, heredocs: &add.paths.heredocs }
}

fn healthcheck(check: &Healthcheck) -> Line<'_> {
    let mut flags = Flags::default();
    let arguments = match check {
        Healthcheck::None => "NONE".to_owned(),
        Healthcheck::Check {
            command: of,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        } => {
            let times = [
                ("interval", interval),
                ("timeout", timeout),
                ("start-period", start_period),
                ("start-interval", start_interval),
            ];
            for (name, time) in times.into_iter().filter(|(_, time)| **time > 0) {
                flags.text(name, Some(&duration::text(*time)));
            }
            if *retries > 0 {
                flags.text("retries", Some(&retries.to_string()));
            }
            format!("CMD {}", command(of))
        }
    };
    Line { keyword: "HEALTHCHECK", flags: flags.0, arguments, ..Line::default() }
}

/// Flags in the order in which they are printed.
#[derive(Default)]
struct Flags(Vec<Flag>);

impl Flags {
    fn text(&mut self, name: &'static str, value: Option<&str>) {
        self.each(name, value.map(str::to_owned));
    }

    fn template(&mut self, name: &'static str, value: Option<&Template>) {
        self.text(name, value.map(|value| value.raw.as_str()));
    }

    fn each(&mut self, name: &'static str, values: impl IntoIterator<Item = String>) {
        self.0.extend(values.into_iter().map(|value| Flag { name, value: Some(value) }));
    }

    fn switch(&mut self, name: &'static str, value: Option<bool>) {
        let value = value.map(|on| (!on).then(|| "false".to_owned()));
        self.0.extend(value.map(|value| Flag { name, value }));
    }
}

fn values(texts: &[Text]) -> impl Iterator<Item = String> {
    texts.iter().map(|text| text.value.clone())
}

fn raw(templates: &[Template]) -> Vec<&str> {
    templates.iter().map(|template| template.raw.as_str()).collect()
}

fn array(strings: &[String]) -> String {
    quote::array(strings.iter().map(String::as_str))
}

fn command(command: &Command) -> String {
    match command {
        Command::Shell(text) => text.value.clone(),
        Command::Exec(argv) => array(argv),
    }
}

/// What opens the heredocs stands first: behind a source that ends in an escape it would open none.
fn paths(paths: &Paths) -> String {
    let words = paths.sources.iter().chain([&paths.destination]).map(|path| path.raw.as_str());
    if paths.heredocs.is_empty() {
        return list(&words.collect::<Vec<_>>());
    }
    let openers: Vec<_> = paths.heredocs.iter().map(quote::opener).collect();
    openers.iter().map(String::as_str).chain(words).collect::<Vec<_>>().join(" ")
}

/// Words as they are where they are read as these and open no heredoc, else a JSON array.
fn list(words: &[&str]) -> String {
    let text = words.join(" ");
    if text.contains('\n') || text.contains("<<") {
        return quote::array(words.iter().copied());
    }
    let mut joined = Origin::Source.joined(0);
    joined.push(&text, 0);
    let read = joined.whole().trim();
    let same = words::split(read).iter().map(|word| word.text()).eq(words.iter().copied());
    if same && matches!(json::read(read), Form::Text) {
        return text;
    }
    quote::array(words.iter().copied())
}

fn pairs(pairs: &[Pair], legacy: bool, escape: char) -> String {
    let words: Vec<_> = pairs
        .iter()
        .map(|Pair { key, value }| {
            // An escape takes the first blank; whether there is a `=` in the first word must not
            // depend on what stands behind it.
            let separator = match legacy {
                true if key.raw.ends_with(escape) => "  ",
                true => " ",
                false => "=",
            };
            format!("{}{separator}{}", key.raw, value.raw)
        })
        .collect();
    words.join(" ")
}

/// The ports in the order they have, but for some with a Unicode blank at an end: at an end of the
/// line it would be cut off.
fn ports(expose: &Expose) -> String {
    let mut words = raw(&expose.ports);
    let ends =
        |word: &str| (word.starts_with(char::is_whitespace), word.ends_with(char::is_whitespace));
    words.sort_by_key(|word| match ends(word) {
        (false, true) => 0,
        (true, true) => 1,
        (false, false) => 2,
        (true, false) => 3,
    });
    if let Some(first) = words.iter().position(|word| !ends(word).0) {
        words[..=first].rotate_right(1);
    }
    words.join(" ")
}
