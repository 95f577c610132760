//! `RUN`.

use ir::diagnostic::Diagnostic;
use ir::graph::Origin;
use ir::instruction::{Command, Device, Heredoc, Network, Text};
use ir::op::{InlineFile, Mount, Op, RunOp};
use ir::{Code, ContainerConfig};

use super::config::in_shell;
use super::{Current, Lowering, Site, bad, commit, origin};
use crate::pass::expand::Env;
use crate::path;
use crate::step::RunStep;

/// Where scripts of heredocs appear.
const PIPES: &str = "/dev/pipes";

impl Lowering<'_> {
    pub(super) fn run(
        &mut self,
        current: &mut Current,
        run: &RunStep,
        site: Site<'_>,
    ) -> Result<(), Diagnostic> {
        self.devices(&run.devices, site)?;
        let mounts = self.mounts(current, &run.mounts, site)?;
        let stage = &mut current.stage;
        let config = &stage.config.config;
        let (argv, scripts) =
            command(config, stage.platform.os == "windows", &run.command, &run.heredocs);
        if argv.is_empty() {
            return Err(bad(Code::WrongArity, site.place.span, "`RUN []` has no command")
                .help("write the command and its arguments between the brackets"));
        }
        let created_by = created_by(&argv, &run.args);
        let proxy = self.proxy(&run.env);
        let options = self.world.options;
        let cwd = match config.working_dir.as_str() {
            "" => "/".to_owned(),
            // As `WORKDIR` makes it: a `..` does not ask for the directory that it leaves.
            directory => path::clean(directory),
        };
        let op = RunOp {
            root: stage.root,
            argv,
            env: with_agent(&run.env, &mounts),
            cwd,
            user: config.user.clone(),
            mounts,
            scripts,
            network: match run.network {
                Network::Default => options.network,
                asked @ (Network::None | Network::Host) => asked,
            },
            security: run.security,
            hostname: self.world.resolved.hostname.clone(),
        };
        let origin = Origin { proxy, hosts: options.hosts.clone(), ..origin(stage, site) };
        stage.root = self.add(Op::Run(op), origin);
        commit(stage, created_by, true);
        Ok(())
    }

    /// There are no devices here: one that is required is refused, as where it is not there.
    fn devices(&mut self, devices: &[Device], site: Site<'_>) -> Result<(), Diagnostic> {
        for device in devices {
            let span = device.written.span;
            let message = format!("the device `{}` cannot be given to a command", device.name);
            if device.required {
                return Err(bad(Code::Unsupported, span, message)
                    .help("leave out `required`, or build where there is such a device"));
            }
            let warning = Diagnostic::warning(Code::WithoutEffect, span, message)
                .help("leave out `--device`; the command runs without it");
            self.warnings.push(site.place.at(warning));
        }
        Ok(())
    }

    /// Proxy arguments that no `ARG` or `ENV` has made part of the environment.
    fn proxy(&self, env: &Env) -> Vec<(String, String)> {
        let unknown = self.proxy.iter().filter(|(name, _)| env.get(name).is_none());
        unknown.map(|(name, value)| ((*name).clone(), (*value).clone())).collect()
    }
}

/// The argument vector, and the script that it runs if a heredoc is one.
fn command(
    config: &ContainerConfig,
    windows: bool,
    command: &Command,
    heredocs: &[Heredoc],
) -> (Vec<String>, Vec<InlineFile>) {
    let line = match command {
        Command::Exec(argv) => return (argv.clone(), Vec::new()),
        Command::Shell(line) => line,
    };
    match heredocs {
        [] => (in_shell(config, windows, &line.value), Vec::new()),
        [only] if is_heredoc_word(line, only) => {
            let body = body(only);
            if only.body.starts_with("#!") && !windows {
                let argv = in_shell(config, windows, &format!("{PIPES}/{}", only.name));
                (argv, vec![InlineFile { name: only.name.clone(), content: body }])
            } else {
                (in_shell(config, windows, &body), Vec::new())
            }
        }
        several => {
            let mut text = line.value.clone();
            for heredoc in several {
                text.push('\n');
                text.push_str(&heredoc.body);
                text.push_str(&heredoc.name);
            }
            (in_shell(config, windows, &text), Vec::new())
        }
    }
}

/// Whether the line is nothing but the word that opens the heredoc, e.g. `<<-"EOF"`.
fn is_heredoc_word(line: &Text, heredoc: &Heredoc) -> bool {
    let word = line.value.trim().trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(word) = word.strip_prefix("<<") else { return false };
    let word = if heredoc.strip_tabs { word.strip_prefix('-').unwrap_or(word) } else { word };
    word.trim_start().replace(['"', '\'', '\\'], "") == heredoc.name
}

/// The body, leading tabs removed where `<<-` asks for it.
fn body(heredoc: &Heredoc) -> String {
    if !heredoc.strip_tabs {
        return heredoc.body.clone();
    }
    heredoc.body.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
}

/// The environment, and where to find the first ssh agent.
fn with_agent(env: &Env, mounts: &[Mount]) -> Vec<(String, String)> {
    const AGENT: &str = "SSH_AUTH_SOCK";
    let socket = mounts.iter().find_map(|mount| match mount {
        Mount::Ssh { target, .. } => Some(target.clone()),
        Mount::Bind { .. } | Mount::Cache { .. } | Mount::Tmpfs { .. } | Mount::Secret { .. } => {
            None
        }
    });
    let known = env.get(AGENT).is_some();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut pairs: Vec<_> = env.iter().map(owned).collect();
    if let Some(socket) = socket.filter(|_| !known) {
        pairs.push((AGENT.to_owned(), socket));
    }
    pairs
}

/// `RUN |1 NAME=value /bin/sh -c text # buildkit`: the declared arguments with the values that
/// the command sees.
fn created_by(argv: &[String], args: &[(String, String)]) -> String {
    let mut words = vec!["RUN".to_owned()];
    if !args.is_empty() {
        words.push(format!("|{}", args.len()));
    }
    words.extend(args.iter().map(|(name, value)| format!("{name}={value}")));
    words.push(argv.join(" "));
    words.push("# buildkit".to_owned());
    words.join(" ")
}
