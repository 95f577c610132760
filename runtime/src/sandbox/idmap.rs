//! Which ids a user namespace of the builder's has.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use super::Mapping;
use super::spec::{Failure, Stage as _};

/// The ids of a user namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IdMap {
    /// Every id that the builder has is itself.
    Identity {
        /// Lines for `uid_map`.
        uids: String,
        /// Lines for `gid_map`.
        gids: String,
    },
    /// Every id that the builder has is itself, but root: who lacks `CAP_SETFCAP` may not map the
    /// root outside (Linux 5.12), so another id stands for it.
    Swapped {
        /// Who is root, outside.
        root: u32,
        /// Lines for `uid_map`.
        uids: String,
        /// Lines for `gid_map`.
        gids: String,
    },
    /// The builder's user is root, its subordinate ids are the others.
    Subordinate {
        /// The user, and the user's subordinate ids.
        uids: Ranges,
        /// The group, and its subordinate ids.
        gids: Ranges,
    },
    /// The builder's user is root, and there is nobody else.
    Single {
        /// The user.
        uid: u32,
        /// Its group.
        gid: u32,
    },
}

/// An id that becomes 0, and ranges (first, count) that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges {
    own: u32,
    subordinate: Vec<(u32, u32)>,
}

impl IdMap {
    /// Whose ids a process has in it.
    pub(super) fn mapping(&self) -> Mapping {
        match self {
            Self::Identity { .. } => Mapping::All,
            Self::Swapped { .. } => Mapping::Swapped,
            Self::Subordinate { .. } => Mapping::Subordinate,
            Self::Single { .. } => Mapping::Single,
        }
    }

    /// The maps worth trying, the best first.
    pub(super) fn candidates() -> Vec<Self> {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let mut maps = Vec::new();
        if uid == 0 {
            let own = |file| fs::read_to_string(file).ok().map(|text| extents(&text));
            if let (Some(uids), Some(gids)) = (own("/proc/self/uid_map"), own("/proc/self/gid_map"))
            {
                let gids = identity(&gids);
                maps.push(Self::Identity { uids: identity(&uids), gids: gids.clone() });
                if let Some((root, uids)) = swapped(&uids) {
                    maps.push(Self::Swapped { root, uids, gids });
                }
            }
        } else {
            let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
            let name = user_name(&passwd, uid).unwrap_or_default();
            let read = |file, own| {
                let text = fs::read_to_string(file).unwrap_or_default();
                Ranges { own, subordinate: subordinate(&text, name, uid) }
            };
            let (uids, gids) = (read("/etc/subuid", uid), read("/etc/subgid", gid));
            if !uids.subordinate.is_empty() && !gids.subordinate.is_empty() {
                maps.push(Self::Subordinate { uids, gids });
            }
        }
        maps.push(Self::Single { uid, gid });
        maps
    }

    /// Writes the maps of a process's new user namespace. Called by a process outside of it.
    pub(super) fn write(&self, target: Pid) -> Result<(), Failure> {
        let target = target.as_raw_nonzero();
        let write = |file: &str, text: &str| {
            let path = format!("/proc/{target}/{file}");
            fs::write(&path, text).stage(&format!("write `{file}`"))
        };
        match self {
            Self::Identity { uids, gids } | Self::Swapped { uids, gids, .. } => {
                write("uid_map", uids)?;
                write("gid_map", gids)
            }
            Self::Subordinate { uids, gids } => {
                let target = target.to_string();
                run("newuidmap", &target, uids)?;
                run("newgidmap", &target, gids)
            }
            Self::Single { uid, gid } => {
                write("setgroups", "deny")?;
                write("uid_map", &format!("0 {uid} 1\n"))?;
                write("gid_map", &format!("0 {gid} 1\n"))
            }
        }
    }
}

/// The ids of a namespace (first, count), given its own map.
fn extents(map: &str) -> Vec<(u32, u32)> {
    let extent = |line: &str| {
        let mut fields = line.split_whitespace();
        let (first, _, count) = (fields.next()?, fields.next()?, fields.next()?);
        Some((first.parse().ok()?, count.parse().ok()?))
    };
    map.lines().filter_map(extent).collect()
}

/// The lines that map ids to themselves.
fn identity(extents: &[(u32, u32)]) -> String {
    let lines = extents.iter().map(|(first, count)| format!("{first} {first} {count}\n"));
    lines.collect::<Vec<_>>().concat()
}

/// The highest id that stands for root: programs and file systems take some above for negative.
const HIGHEST: u32 = i32::MAX.cast_unsigned() - 1;

/// Who is root instead of id 0, and the lines of a map that is otherwise an identity. None where
/// there is nobody else.
///
/// The last id is taken, which is the least likely to be anyone's.
fn swapped(extents: &[(u32, u32)]) -> Option<(u32, String)> {
    let last = |(first, count): &(u32, u32)| {
        let last = first.saturating_add(count.checked_sub(1)?).min(HIGHEST);
        (last >= *first).then_some(last)
    };
    let root = extents.iter().filter_map(last).max().filter(|root| *root != 0)?;
    let mut others = Vec::new();
    for (first, count) in extents {
        let end = first.saturating_add(*count);
        let mut from = *first;
        for hole in [0, root].into_iter().filter(|hole| (*first..end).contains(hole)) {
            others.push((from, hole - from));
            from = hole + 1;
        }
        others.push((from, end - from));
    }
    others.retain(|(_, count)| *count > 0);
    Some((root, format!("0 {root} 1\n{}", identity(&others))))
}

/// The name of a user in the text of `/etc/passwd`.
fn user_name(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

/// A user's ranges (first, count) in the text of `/etc/subuid` or `/etc/subgid`, where users
/// appear by name or by number.
fn subordinate(text: &str, name: &str, uid: u32) -> Vec<(u32, u32)> {
    let number = uid.to_string();
    let of_line = |line: &str| {
        let mut fields = line.trim().split(':');
        let user = fields.next().filter(|user| !user.is_empty())?;
        let range = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (user == name || user == number).then_some(range)
    };
    text.lines().filter_map(of_line).filter(|(_, count)| *count > 0).collect()
}

/// The arguments of newuidmap(1) behind the process: triples of inside, outside and count.
fn arguments(ranges: &Ranges) -> Vec<String> {
    let mut arguments = vec!["0".to_owned(), ranges.own.to_string(), "1".to_owned()];
    let mut inside = 1_u32;
    for (first, count) in &ranges.subordinate {
        let count = (*count).min(u32::MAX - inside);
        arguments.extend([inside.to_string(), first.to_string(), count.to_string()]);
        inside = inside.saturating_add(count);
    }
    arguments
}

fn run(program: &str, target: &str, ranges: &Ranges) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "only a privileged program may write this map")]
    let status = Command::new(program)
        .arg(target)
        .args(arguments(ranges))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .stage(&format!("run `{program}`"))?;
    if status.success() {
        return Ok(());
    }
    // Its only reasons are that it lacks privilege, or that the ranges are not the user's.
    Err(io::Error::from_raw_os_error(libc::EPERM)).stage(&format!("map ids with `{program}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_keeps_every_extent() {
        let own = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!(identity(&extents(own)), "0 0 1\n1 1 65536\n");
    }

    #[test]
    fn root_is_swapped_for_the_last_id() {
        let map = |own: &str| swapped(&extents(own));
        let whole = "0 0 4294967295\n";
        let expected = "0 2147483646 1\n1 1 2147483645\n2147483647 2147483647 2147483648\n";
        assert_eq!(map(whole), Some((2_147_483_646, expected.to_owned())));
        assert_eq!(map("0 100000 65536\n"), Some((65_535, "0 65535 1\n1 1 65534\n".to_owned())));
        let two = "0 1000 1\n1 100000 10\n";
        assert_eq!(map(two), Some((10, "0 10 1\n1 1 9\n".to_owned())));
        assert_eq!(map("0 1000 1\n"), None);
        assert_eq!(map("0 0 0\n"), None);
    }

    #[test]
    fn subordinate_ids_by_name_and_by_number() {
        let text = "alice:100000:65536\nbob:200000:10\n1000:300000:5\nalice:bad\n:1:2\n";
        assert_eq!(subordinate(text, "alice", 1000), [(100_000, 65_536), (300_000, 5)]);
        assert_eq!(subordinate(text, "", 1), []);
        assert_eq!(user_name("root:x:0:0:\nalice:x:1000:1000:\n", 1000), Some("alice"));
    }

    #[test]
    fn ranges_follow_each_other() {
        let ranges = Ranges { own: 1000, subordinate: vec![(100_000, 65_536), (300_000, 5)] };
        let expected = ["0", "1000", "1", "1", "100000", "65536", "65537", "300000", "5"];
        assert_eq!(arguments(&ranges), expected);
    }
}
