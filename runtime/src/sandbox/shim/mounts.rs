//! The lists of mounts that a step sees: its root, and what is shown to it besides.
//!
//! The kernel's own say nothing about a root that nothing is mounted on.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, StatxFlags};

/// What is mounted for a step, as far as it can tell.
#[derive(Debug)]
pub(super) struct Mounts(Vec<Mount>);

#[derive(Debug)]
struct Mount {
    id: u64,
    device: (u32, u32),
    target: &'static str,
    kind: String,
    options: &'static str,
    more: &'static str,
}

impl Mounts {
    /// For the root of a step, while this process still has the builder's: with its own root, no
    /// process is told of others.
    pub(super) fn new(
        root: BorrowedFd<'_>,
        proc: BorrowedFd<'_>,
        terminals: Option<BorrowedFd<'_>>,
        table: &str,
    ) -> Self {
        let root = Mount::of(root, "/");
        let id = root.id.to_string();
        let line = table.lines().find(|line| line.split(' ').next() == Some(id.as_str()));
        let kind = line.and_then(|line| line.split_once(" - ")?.1.split(' ').next());
        let kind = kind.unwrap_or("overlay").to_owned();
        let root = Mount { kind, options: "rw,relatime", ..root };
        let mut mounts = vec![root, Mount::of(proc, "/proc")];
        if let Some(terminals) = terminals {
            mounts.push(Mount {
                kind: "devpts".to_owned(),
                options: "rw,nosuid,noexec,relatime",
                more: "rw,gid=5,mode=620,ptmxmode=666",
                ..Mount::of(terminals, "/dev/pts")
            });
        }
        Self(mounts)
    }

    /// The content of `mounts`, `mountinfo` or `mountstats`.
    pub(super) fn list(&self, name: &str) -> String {
        let parent = self.0[0].id;
        let line = |mount: &Mount| {
            let Mount { id, device: (major, minor), target, kind, options, more } = mount;
            match name {
                "mountinfo" => {
                    let parent = if *target == "/" { 1 } else { parent };
                    format!(
                        "{id} {parent} {major}:{minor} / {target} {options} - {kind} {kind} {more}\n"
                    )
                }
                "mountstats" => format!("device {kind} mounted on {target} with fstype {kind}\n"),
                _ => match more.strip_prefix("rw,") {
                    Some(more) => format!("{kind} {target} {kind} {options},{more} 0 0\n"),
                    None => format!("{kind} {target} {kind} {options} 0 0\n"),
                },
            }
        };
        self.0.iter().map(line).collect()
    }
}

impl Mount {
    /// What the kernel says of a mount.
    fn of(fd: impl AsFd, target: &'static str) -> Self {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let (id, device) = match rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, mask) {
            Ok(stat) => (stat.stx_mnt_id, (stat.stx_dev_major, stat.stx_dev_minor)),
            // It is only to be looked at.
            Err(_) => (0, (0, 0)),
        };
        let options = "rw,nosuid,nodev,noexec,relatime";
        Self { id, device, target, kind: "proc".to_owned(), options, more: "rw" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_look_like_the_kernels() {
        let mount = |id, target, kind: &str, options, more| Mount {
            id,
            device: (0, 40),
            target,
            kind: kind.to_owned(),
            options,
            more,
        };
        let mounts = Mounts(vec![
            mount(7, "/", "ext4", "rw,relatime", "rw"),
            mount(9, "/dev/pts", "devpts", "rw,nosuid", "rw,gid=5"),
        ]);
        assert_eq!(
            mounts.list("mounts"),
            "ext4 / ext4 rw,relatime 0 0\ndevpts /dev/pts devpts rw,nosuid,gid=5 0 0\n"
        );
        assert_eq!(
            mounts.list("mountinfo"),
            "7 1 0:40 / / rw,relatime - ext4 ext4 rw\n\
             9 7 0:40 / /dev/pts rw,nosuid - devpts devpts rw,gid=5\n"
        );
        assert!(mounts.list("mountstats").starts_with("device ext4 mounted on / with"));
    }
}
