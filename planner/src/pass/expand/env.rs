//! An environment: names and values in the order in which they were last set.

use ir::{Diagnostic, Platform, Program};

use super::value;
use crate::Options;

/// Variables, one entry a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Env(Vec<(String, String)>);

impl Env {
    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets a variable; it becomes the last one.
    pub(crate) fn put_last(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a variable where it stands; a new one becomes the last.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Names and values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names and values, in order.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

/// The `PATH` of an image that has none; Windows knows its own.
pub(crate) fn default_path(platform: &Platform) -> Option<&'static str> {
    let unix = platform.os != "windows";
    unix.then_some("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

/// The arguments that every `FROM` sees, and every stage that declares them.
pub(crate) const PLATFORM_ARGS: &[&str] = &[
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

/// Whether a build argument configures a proxy: such a one reaches every `RUN` without an `ARG`.
pub(crate) fn is_proxy(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].contains(&upper.as_str())
}

/// The platform arguments, then the global `ARG`s in order; build arguments override both.
pub(crate) fn globals(program: &Program, options: &Options) -> Result<Env, Diagnostic> {
    let mut env = Env::default();
    let last = program.stages.last().and_then(|stage| stage.from.name.as_ref());
    let stage = options.target.clone().or_else(|| last.map(|name| name.value.to_lowercase()));
    let platforms = [&options.build_platform, &options.platform];
    let mut values = platforms.into_iter().flat_map(|platform| {
        let variant = platform.variant.clone().unwrap_or_default();
        let (os, version) = (platform.os.clone(), String::new());
        [platform.to_string(), os, version, platform.architecture.clone(), variant]
    });
    for name in PLATFORM_ARGS {
        let value = values.next().or_else(|| stage.clone()).unwrap_or_else(|| "default".into());
        env.put_last(name, options.build_args.get(*name).unwrap_or(&value));
    }
    for global in &program.global_args {
        for declaration in &global.arg.declarations {
            let name = &declaration.name.value;
            let value = match (options.build_args.get(name), &declaration.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(value(default, &env)?),
                (None, None) => None,
            };
            if let Some(value) = value {
                env.put_last(name, &value);
            }
        }
    }
    Ok(env)
}
