//! What a step may see of `/proc`: its own processes, and what is about no process.
//!
//! Everything is looked up in the builder's `/proc`, but only by the names that are listed here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::rc::Rc;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;

use super::super::processes::Processes;
use super::caller::Caller;
use super::skeleton::{self, Stub};
use crate::rootdir;

/// Files and directories that are about no process.
const GLOBAL: [&str; 30] = [
    "buddyinfo",
    "cgroups",
    "cmdline",
    "consoles",
    "cpuinfo",
    "crypto",
    "devices",
    "diskstats",
    "dma",
    "execdomains",
    "fb",
    "filesystems",
    "key-users",
    "loadavg",
    "mdstat",
    "meminfo",
    "misc",
    "modules",
    "partitions",
    "pressure",
    "softirqs",
    "stat",
    "swaps",
    "sys",
    "sysvipc",
    "uptime",
    "version",
    "version_signature",
    "vmstat",
    "zoneinfo",
];

/// Links that are about the process that follows them.
const LINKS: [(&str, &str); 2] = [("mounts", "self/mounts"), ("net", "self/net")];

/// Files of a process or a thread.
const FILES: [&str; 36] = [
    "arch_status",
    "auxv",
    "autogroup",
    "cgroup",
    "cmdline",
    "comm",
    "coredump_filter",
    "cpu_resctrl_groups",
    "cpuset",
    "environ",
    "gid_map",
    "io",
    "limits",
    "loginuid",
    "maps",
    "mem",
    "numa_maps",
    "oom_adj",
    "oom_score",
    "oom_score_adj",
    "personality",
    "projid_map",
    "sched",
    "schedstat",
    "sessionid",
    "setgroups",
    "smaps",
    "smaps_rollup",
    "stat",
    "statm",
    "status",
    "syscall",
    "timers",
    "timerslack_ns",
    "uid_map",
    "wchan",
];

/// Files of a process that it may write itself: they are about nothing but itself.
const WRITABLE: [&str; 7] =
    ["autogroup", "comm", "coredump_filter", "mem", "oom_adj", "oom_score_adj", "timerslack_ns"];

/// A name below `/proc`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Whose directory it is in.
    pub process: Option<Process>,
    /// Relative to that directory, or else to `/proc`; empty for the directory itself.
    pub path: String,
}

/// A process of the step.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub pid: i32,
    /// It stays this process's when the number is another's.
    pub directory: Rc<OwnedFd>,
}

/// What stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Directory,
    File,
    /// A link whose text is all there is to it.
    Link(&'static str),
    /// The link to the process that looks, or with the flag to its thread.
    Own {
        thread: bool,
    },
    /// A link that leads to a file, whatever its text.
    Magic,
    /// A list of mounts.
    Mounts,
}

impl Entry {
    /// `/proc` itself.
    pub(super) fn top() -> Self {
        Self { process: None, path: String::new() }
    }

    /// The path below `/proc`.
    pub(super) fn name(&self) -> String {
        match &self.process {
            None => self.path.clone(),
            Some(process) if self.path.is_empty() => process.pid.to_string(),
            Some(process) => format!("{}/{}", process.pid, self.path),
        }
    }

    /// What it is in; none above `/proc`.
    pub(super) fn parent(&self) -> Option<Self> {
        if let Some((parent, _)) = self.path.rsplit_once('/') {
            return Some(Self { process: self.process.clone(), path: parent.to_owned() });
        }
        match (&self.process, self.path.is_empty()) {
            (process, false) => Some(Self { process: process.clone(), path: String::new() }),
            (Some(_), true) => Some(Self::top()),
            (None, true) => None,
        }
    }

    fn child(&self, name: &str) -> Self {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}/{name}"),
        };
        Self { process: self.process.clone(), path }
    }

    /// Whether a caller may open it for writing.
    pub(super) fn is_writable(&self, caller: &Caller) -> Result<(), Errno> {
        match &self.process {
            Some(process) => {
                let own = process.pid == caller.process && WRITABLE.contains(&self.path.as_str());
                if own { Ok(()) } else { Err(Errno::ACCESS) }
            }
            None => Err(Errno::ROFS),
        }
    }
}

/// `/proc` as a step sees it.
#[derive(Debug)]
pub(super) struct Tree {
    processes: Processes,
    /// Everything below this process is the step's.
    ancestor: Pid,
}

impl Tree {
    pub(super) fn new(processes: Processes, ancestor: Pid) -> Self {
        Self { processes, ancestor }
    }

    /// The builder's `/proc`.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.processes.fd()
    }

    /// Looks a name of a directory up.
    pub(super) fn lookup(&self, directory: &Entry, name: &[u8]) -> Result<(Entry, Shape), Errno> {
        let name = str::from_utf8(name).map_err(|_| Errno::NOENT)?;
        if directory.process.is_none() && directory.path.is_empty() {
            let own = |thread| Ok((directory.child(name), Shape::Own { thread }));
            match name {
                "self" => return own(false),
                "thread-self" => return own(true),
                _ => {}
            }
            if let Some((_, text)) = LINKS.iter().find(|(link, _)| *link == name) {
                return Ok((directory.child(name), Shape::Link(text)));
            }
            if name.starts_with(|first: char| matches!(first, '1'..='9')) {
                let process = self.process(name)?;
                let entry = Entry { process: Some(process), path: String::new() };
                return Ok((entry, Shape::Directory));
            }
        }
        let entry = directory.child(name);
        let shape = self.shape(&entry)?;
        Ok((entry, shape))
    }

    fn process(&self, number: &str) -> Result<Process, Errno> {
        let pid: i32 = number.parse().map_err(|_| Errno::NOENT)?;
        let known = Pid::from_raw(pid).ok_or(Errno::NOENT)?;
        let directory = self.processes.descendant(known, self.ancestor).ok_or(Errno::NOENT)?;
        Ok(Process { pid, directory: Rc::new(directory) })
    }

    fn shape(&self, entry: &Entry) -> Result<Shape, Errno> {
        let real = || {
            let stat = self.stat(entry)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Ok(Shape::Directory),
                FileType::RegularFile => Ok(Shape::File),
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => Err(Errno::NOENT),
            }
        };
        if entry.process.is_none() {
            let first = entry.path.split('/').next().unwrap_or_default();
            // A mount of its own, which would be mounted by looking.
            let apart = entry.path.starts_with("sys/fs/binfmt_misc");
            return if GLOBAL.contains(&first) && !apart { real() } else { Err(Errno::NOENT) };
        }
        let mut names: Vec<&str> = entry.path.split('/').collect();
        if names[0] == "task" {
            if names.len() <= 2 {
                return self.stat(entry).map(|_| Shape::Directory);
            }
            names.drain(..2);
        }
        let there = |shape| self.stat(entry).map(|_| shape);
        match names[..] {
            ["fd" | "fdinfo" | "map_files" | "ns"] => there(Shape::Directory),
            ["fd" | "map_files" | "ns", _] | ["exe" | "cwd" | "root"] => there(Shape::Magic),
            ["fdinfo", _] => there(Shape::File),
            ["mounts" | "mountinfo" | "mountstats"] => there(Shape::Mounts),
            ["attr" | "net", ..] => real(),
            [name] if FILES.contains(&name) => there(Shape::File),
            _ => Err(Errno::NOENT),
        }
    }

    fn stat(&self, entry: &Entry) -> Result<rustix::fs::Stat, Errno> {
        let (directory, path) = self.place(entry);
        rustix::fs::statat(directory, path, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn place<'a>(&'a self, entry: &'a Entry) -> (BorrowedFd<'a>, &'a str) {
        let path = if entry.path.is_empty() { "." } else { &entry.path };
        match &entry.process {
            Some(process) => (process.directory.as_fd(), path),
            None => (self.processes.fd(), path),
        }
    }

    /// The real thing at a name, `O_PATH`; a link itself. It is not for the step.
    pub(super) fn open(&self, entry: &Entry) -> Result<OwnedFd, Errno> {
        let (directory, path) = self.place(entry);
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(directory, path, flags, Mode::empty())
    }

    /// What a magic link leads to, `O_PATH`.
    pub(super) fn follow(&self, entry: &Entry) -> Result<OwnedFd, Errno> {
        let (directory, path) = self.place(entry);
        rustix::fs::openat(directory, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
    }

    /// The names in a directory that a step may see, and what stands there.
    pub(super) fn names(&self, directory: &Entry) -> Result<BTreeMap<OsString, Stub>, Errno> {
        let (parent, path) = self.place(directory);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(parent, path, flags, Mode::empty())?;
        let names = rootdir::names(fd.as_fd()).map_err(|error| skeleton::errno(&error))?;
        let top = directory.process.is_none() && directory.path.is_empty();
        let mut found = BTreeMap::new();
        for name in names {
            let Some(text) = name.to_str() else { continue };
            // Of processes, only those below the step's are looked at.
            if top && text.starts_with(|first: char| first.is_ascii_digit()) {
                continue;
            }
            let Ok((_, shape)) = self.lookup(directory, text.as_bytes()) else { continue };
            found.insert(name, Stub::from(shape));
        }
        if top {
            let pids = self.processes.descendants(self.ancestor).into_iter();
            found
                .extend(pids.map(|pid| (pid.as_raw_nonzero().to_string().into(), Stub::Directory)));
        }
        Ok(found)
    }
}

impl From<Shape> for Stub {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Directory => Self::Directory,
            Shape::File | Shape::Mounts => Self::File,
            Shape::Link(_) | Shape::Own { .. } | Shape::Magic => Self::Link,
        }
    }
}
