//! An environment: names and values in the order in which they were last set.

use std::collections::BTreeMap;

use ir::{Diagnostic, Platform, Program};

use super::value;
use crate::Options;
use crate::budget::{Budget, ENTRY};

/// Variables, one entry a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Env {
    /// In order. A hole is where a variable stood that was set again.
    pub(super) entries: Vec<Option<(String, String)>>,
    /// Where each name stands.
    places: BTreeMap<String, usize>,
    /// As the budget counts it.
    size: usize,
}

impl Env {
    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.entries[*self.places.get(name)?].as_ref()?;
        Some(value)
    }

    /// Sets a variable; it becomes the last one.
    pub(crate) fn put_last(&mut self, name: &str, value: &str) {
        match self.places.get_mut(name) {
            Some(place) => {
                let known = self.entries[*place].take();
                let (name, mut known) = known.expect("a name stands at its place");
                self.size = self.size - known.len() + value.len();
                value.clone_into(&mut known);
                *place = self.entries.len();
                self.entries.push(Some((name, known)));
                if self.entries.len() > 2 * self.places.len() {
                    self.close_holes();
                }
            }
            None => self.push(name, value),
        }
    }

    /// Sets a variable where it stands; a new one becomes the last.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let place = self.places.get(name);
        match place.and_then(|place| self.entries[*place].as_mut()) {
            Some((_, known)) => {
                self.size = self.size - known.len() + value.len();
                value.clone_into(known);
            }
            None => self.push(name, value),
        }
    }

    fn push(&mut self, name: &str, value: &str) {
        self.size += name.len() + value.len() + ENTRY;
        self.places.insert(name.to_owned(), self.entries.len());
        self.entries.push(Some((name.to_owned(), value.to_owned())));
    }

    fn close_holes(&mut self) {
        self.entries.retain(Option::is_some);
        for (place, (name, _)) in self.entries.iter().flatten().enumerate() {
            *self.places.get_mut(name).expect("every name has a place") = place;
        }
    }

    /// Names and values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What a copy takes from the budget.
    pub(crate) fn size(&self) -> usize {
        self.size
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
pub(crate) fn globals(
    program: &Program,
    options: &Options,
    budget: &Budget,
) -> Result<Env, Diagnostic> {
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
                (None, Some(default)) => Some(value(default, &env, budget)?),
                (None, None) => None,
            };
            if let Some(value) = value {
                env.put_last(name, &value);
            }
        }
    }
    Ok(env)
}
