//! The instructions that only change the config.

use ir::config::{Empty, HealthConfig};
use ir::instruction::{Command, Healthcheck};
use ir::{Code, ContainerConfig, Diagnostic};

use super::words::{Duration, quoted};
use super::{Current, Site, bad, commit, port, signal};
use crate::budget::ENTRY;
use crate::step::{Action, Word};

/// Applies the action to the stage's config and history.
pub(super) fn apply(
    current: &mut Current,
    action: Action,
    site: Site<'_>,
) -> Result<(), Diagnostic> {
    let stage = &mut current.stage;
    let windows = stage.platform.os == "windows";
    let config = &mut stage.config.config;
    let entry = match action {
        Action::Arg(declared) => {
            let pair = |(name, value): (String, Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name,
            };
            let pairs: Vec<String> = declared.into_iter().map(pair).collect();
            format!("ARG {}", pairs.join(" "))
        }
        Action::Cmd(command) => {
            current.has_cmd = true;
            set_cmd(config, argv(config, windows, &command))
        }
        Action::Entrypoint(command) => {
            set_entrypoint(config, argv(config, windows, &command), current.has_cmd)
        }
        Action::Env(pairs) => {
            for (name, value) in &pairs {
                current.env.set(&mut config.env, name, value);
            }
            format!("ENV {}", joined(&pairs))
        }
        Action::Label(pairs) => {
            config.labels.extend(pairs.iter().cloned());
            format!("LABEL {}", joined(&pairs))
        }
        Action::Expose(words) => expose(config, words, site)?,
        Action::Volume(words) => volume(config, words)?,
        Action::Healthcheck(check) => {
            let check = healthcheck(check, site)?;
            let entry = describe_check(&check);
            config.healthcheck = Some(check);
            entry
        }
        Action::Maintainer(name) => {
            let entry = format!("MAINTAINER {name}");
            stage.config.author = Some(name);
            entry
        }
        Action::Onbuild(text) => {
            config.on_build.push(text);
            return Ok(());
        }
        Action::Shell(shell) => {
            let entry = format!("SHELL [{}]", shell.join(" "));
            config.shell = Some(shell);
            entry
        }
        Action::Stopsignal(Word { value, span }) => {
            let refused = |(why, help)| bad(Code::BadArgument, span, why).help(help);
            signal::check(&value).map_err(refused)?;
            let entry = format!("STOPSIGNAL {value}");
            config.stop_signal = value;
            entry
        }
        Action::User(user) => {
            let entry = format!("USER {user}");
            config.user = user;
            entry
        }
        Action::Copy(_) | Action::Run(_) | Action::Workdir(_) => {
            unreachable!("`step` lowers what changes a file system itself")
        }
    };
    commit(stage, entry, false);
    Ok(())
}

/// An empty command is none.
fn set_cmd(config: &mut ContainerConfig, argv: Vec<String>) -> String {
    let entry = format!("CMD {}", quoted(&argv));
    config.cmd = Some(argv).filter(|argv| !argv.is_empty());
    config.args_escaped = true;
    entry
}

/// A new entry point does not go with the base's command.
fn set_entrypoint(config: &mut ContainerConfig, argv: Vec<String>, has_cmd: bool) -> String {
    let entry = format!("ENTRYPOINT {}", quoted(&argv));
    config.entrypoint = Some(argv).filter(|argv| !argv.is_empty());
    if !has_cmd {
        config.cmd = None;
    }
    entry
}

fn expose(
    config: &mut ContainerConfig,
    words: Vec<Word>,
    site: Site<'_>,
) -> Result<String, Diagnostic> {
    let mut ports = Vec::new();
    for Word { value, span } in words {
        let refused = |(why, help)| bad(Code::BadArgument, span, why).help(help);
        let range = port::parse(&value).map_err(refused)?;
        site.budget.spend(range.len() * ENTRY, span)?;
        ports.extend(range);
    }
    config.exposed_ports.extend(ports.iter().map(|port| (port.clone(), Empty {})));
    Ok(format!("EXPOSE [{}]", ports.join(" ")))
}

fn volume(config: &mut ContainerConfig, words: Vec<Word>) -> Result<String, Diagnostic> {
    if let Some(empty) = words.iter().find(|word| word.value.is_empty()) {
        return Err(bad(Code::BadArgument, empty.span, "the path of a volume is empty")
            .help("give the variables in it a value, or remove the path"));
    }
    let paths: Vec<String> = words.into_iter().map(|word| word.value).collect();
    config.volumes.extend(paths.iter().map(|path| (path.clone(), Empty {})));
    Ok(format!("VOLUME [{}]", paths.join(" ")))
}

/// The arguments of a command, the shell in front of its shell form.
pub(super) fn argv(config: &ContainerConfig, windows: bool, command: &Command) -> Vec<String> {
    match command {
        Command::Exec(argv) => argv.clone(),
        Command::Shell(text) => in_shell(config, windows, &text.value),
    }
}

/// A text for the config's shell, or for the platform's.
pub(super) fn in_shell(config: &ContainerConfig, windows: bool, text: &str) -> Vec<String> {
    let default: &[&str] = if windows { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
    let shell = config.shell.clone().filter(|shell| !shell.is_empty());
    let mut argv = shell.unwrap_or_else(|| default.iter().map(|word| (*word).to_owned()).collect());
    argv.push(text.to_owned());
    argv
}

fn joined(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

/// The shell form's shell is the container's, whatever `SHELL` says.
fn healthcheck(check: Healthcheck, site: Site<'_>) -> Result<HealthConfig, Diagnostic> {
    match check {
        Healthcheck::None => {
            Ok(HealthConfig { test: vec!["NONE".to_owned()], ..HealthConfig::default() })
        }
        Healthcheck::Check {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        } => {
            let test = match command {
                Command::Shell(text) => vec!["CMD-SHELL".to_owned(), text.value],
                Command::Exec(argv) if argv.is_empty() => {
                    let message = "`HEALTHCHECK CMD` has no command";
                    return Err(bad(Code::WrongArity, site.place.span, message)
                        .help("write the command behind `CMD`"));
                }
                Command::Exec(argv) => std::iter::once("CMD".to_owned()).chain(argv).collect(),
            };
            let retries = u64::from(retries);
            Ok(HealthConfig { test, interval, timeout, start_period, start_interval, retries })
        }
    }
}

/// As Go prints the struct.
fn describe_check(check: &HealthConfig) -> String {
    let HealthConfig { test, interval, timeout, start_period, start_interval, retries } = check;
    format!(
        "HEALTHCHECK {{Test:[{}] Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} \
         Retries:{retries}}}",
        test.join(" "),
        Duration(*interval),
        Duration(*timeout),
        Duration(*start_period),
        Duration(*start_interval),
    )
}
