//! What the control groups of this process leave it, in both of their versions.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

const MOUNTED: &str = "/sys/fs/cgroup";

/// Limits; none where there is none, or none to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// In bytes.
    pub memory: Option<u64>,
    /// In thousandths of one.
    #[serde(rename = "milliCpus")]
    pub milli_cpus: Option<u64>,
    /// How many there may be.
    pub processes: Option<u64>,
}

impl Limits {
    pub(super) fn read() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(Path::new(MOUNTED), &own)
    }

    /// Of a process, given where the groups are mounted and the text of its `/proc/*/cgroup`.
    fn of(mounted: &Path, own: &str) -> Self {
        let smallest = |controller: &str, read: &dyn Fn(&Path) -> Option<u64>| {
            groups(mounted, own, controller).iter().filter_map(|group| read(group)).min()
        };
        let memory = |group: &Path| {
            let new = number(&group.join("memory.max"));
            // The old version's «none» is the largest number of whole pages.
            let old = number(&group.join("memory.limit_in_bytes"));
            new.or(old).filter(|bytes| *bytes < 1 << 60)
        };
        Self {
            memory: smallest("memory", &memory),
            milli_cpus: smallest("cpu", &milli_cpus),
            processes: smallest("pids", &|group| number(&group.join("pids.max"))),
        }
    }
}

/// The directories of the groups that a process is in, up to the topmost that is to be seen. In a
/// container that is its own, whatever the path says that it has outside.
fn groups(mounted: &Path, own: &str, controller: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let base = if controllers.is_empty() {
            mounted.to_owned()
        } else if controllers.split(',').any(|known| known == controller) {
            mounted.join(controller)
        } else {
            continue;
        };
        let path = Path::new(path.trim_start_matches('/'));
        let ancestors = path.ancestors().filter(|path| !path.as_os_str().is_empty());
        found.extend(ancestors.map(|path| base.join(path)));
        found.push(base);
    }
    found
}

fn milli_cpus(group: &Path) -> Option<u64> {
    let (quota, period) = if let Ok(text) = fs::read_to_string(group.join("cpu.max")) {
        let (quota, period) = text.trim().split_once(' ')?;
        (quota.parse().ok()?, period.parse().ok()?)
    } else {
        let period = number(&group.join("cpu.cfs_period_us"))?;
        (number(&group.join("cpu.cfs_quota_us"))?, period)
    };
    u64::checked_div(u64::saturating_mul(quota, 1000), period)
}

/// The number in a file; none for `max` and `-1`.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounted(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        directory
    }

    #[test]
    fn the_second_version() {
        let groups = mounted(&[
            ("memory.max", "max\n"),
            ("pod/memory.max", "2147483648\n"),
            ("pod/build/memory.max", "4294967296\n"),
            ("pod/build/cpu.max", "150000 100000\n"),
            ("pod/cpu.max", "max 100000\n"),
            ("pod/pids.max", "1024\n"),
        ]);
        let found = Limits::of(groups.path(), "0::/pod/build\n");
        let expected =
            Limits { memory: Some(2 << 30), milli_cpus: Some(1500), processes: Some(1024) };
        assert_eq!(found, expected);
        assert_eq!(Limits::of(groups.path(), "0::/\n"), Limits::default());
    }

    #[test]
    fn the_first_version() {
        let groups = mounted(&[
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/a/memory.limit_in_bytes", "1048576\n"),
            ("cpu/a/cpu.cfs_quota_us", "50000\n"),
            ("cpu/a/cpu.cfs_period_us", "100000\n"),
            ("pids/pids.max", "-1\n"),
        ]);
        let own = "3:memory:/a\n2:cpu,cpuacct:/a\n1:pids:/elsewhere\n";
        let found = Limits::of(groups.path(), own);
        let expected = Limits { memory: Some(1 << 20), milli_cpus: Some(500), processes: None };
        assert_eq!(found, expected);
    }
}
