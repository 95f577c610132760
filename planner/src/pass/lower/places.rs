//! Setting variables in a config's environment without looking through all of it each time.

use std::collections::BTreeMap;

/// Where in one environment each name stands first.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, usize>);

impl Places {
    /// Of an environment of `NAME=value`.
    pub(super) fn of(env: &[String]) -> Self {
        let mut places = BTreeMap::new();
        for (place, entry) in env.iter().enumerate() {
            if let Some((name, _)) = entry.split_once('=') {
                places.entry(name.to_owned()).or_insert(place);
            }
        }
        Self(places)
    }

    /// Sets a variable in place, or appends it. The environment has changed in no other way.
    pub(super) fn set(&mut self, env: &mut Vec<String>, name: &str, value: &str) {
        let entry = format!("{name}={value}");
        if let Some(place) = self.0.get(name) {
            env[*place] = entry;
        } else {
            self.0.insert(name.to_owned(), env.len());
            env.push(entry);
        }
    }
}
