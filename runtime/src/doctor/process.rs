//! The builder as it was started: who it is, and what it may do.

use std::fs;

use serde::Serialize;

/// What the kernel says about this process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Its user.
    pub uid: u32,
    /// How many ids there are in its user namespace.
    pub ids: u64,
    /// Its effective capabilities, as `/proc` writes them.
    pub capabilities: String,
    /// Whether a seccomp filter is on it.
    pub seccomp: bool,
    /// Whether nothing that it starts can gain privileges.
    pub no_new_privileges: bool,
    /// Version of the kernel.
    pub kernel: String,
}

impl Process {
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name| field(&status, name).unwrap_or_default();
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
        Self {
            uid: rustix::process::geteuid().as_raw(),
            ids: ids(&map),
            capabilities: field("CapEff").to_owned(),
            seccomp: field("Seccomp") == "2",
            no_new_privileges: field("NoNewPrivs") == "1",
            kernel,
        }
    }
}

/// A field of `/proc/*/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let lines = status.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value.trim())
}

fn ids(map: &str) -> u64 {
    let counts = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_maps_are_read() {
        let status = "Name:\tkaniko\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(field(status, "Seccomp"), Some("2"));
        assert_eq!(field(status, "CapEff"), None);
        assert_eq!(ids("   0  1000 1\n   1 100000 65536\n"), 65_537);
    }
}
