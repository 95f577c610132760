//! `RUN`.

use ir::instruction::{Network, Run, Security};
use ir::{Code, Diagnostic};

use super::{Call, command, device, mount};
use crate::flags::{Given, Kind, Spec};
use crate::{suggest, template};

const RUN: [Spec; 4] = [
    ("device", Kind::List),
    ("mount", Kind::List),
    ("network", Kind::Text),
    ("security", Kind::Text),
];

const NETWORKS: [(&str, Network); 3] =
    [("default", Network::Default), ("host", Network::Host), ("none", Network::None)];

const SECURITIES: [(&str, Security); 2] =
    [("insecure", Security::Insecure), ("sandbox", Security::Sandbox)];

pub(super) fn run(call: &Call<'_>, problems: &mut Vec<Diagnostic>) -> Option<Run> {
    let flags = call.flags("RUN", &RUN, problems);
    let mut mounts = Vec::new();
    for (written, value) in flags.written("mount") {
        mounts.extend(mount::mount(value, written.span(), call.escape, problems));
    }
    let mut devices = Vec::new();
    for (written, value) in flags.written("device") {
        match device::device(value, written.span()) {
            Ok(device) => devices.push(device),
            Err(problem) => problems.push(problem),
        }
    }
    let network = choice(&flags, "network", &NETWORKS, problems);
    let security = choice(&flags, "security", &SECURITIES, problems);
    Some(Run {
        command: command(call.head.arguments, problems)?,
        heredocs: call
            .heredocs
            .iter()
            .map(|body| body.heredoc(template::verbatim(body.stripped().whole())))
            .collect(),
        mounts,
        network,
        security,
        devices,
    })
}

/// The value of a flag that takes one of a few words.
fn choice<T: Copy + Default>(
    flags: &Given<'_>,
    name: &str,
    values: &[(&str, T)],
    problems: &mut Vec<Diagnostic>,
) -> T {
    let Some(value) = flags.one(name) else { return T::default() };
    let text = value.text();
    if let Some((_, known)) = values.iter().find(|(known, _)| *known == text) {
        return *known;
    }
    let names: Vec<_> = values.iter().map(|(known, _)| *known).collect();
    let help = match suggest::nearest(text, names.iter().copied()) {
        Some(known) => format!("write `--{name}={known}`"),
        None => format!("use one of `{}`", names.join("`, `")),
    };
    let message = format!("bad value `{}` of flag `--{name}`", suggest::shown(text));
    problems.push(Diagnostic::error(Code::BadFlagValue, value.span(), message).help(help));
    T::default()
}
