//! What the kernel says of processes and their children.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, Signal};

use crate::rootdir;

/// A `/proc`, wherever it is.
#[derive(Debug)]
pub(super) struct Processes {
    proc: OwnedFd,
}

impl Processes {
    /// The `/proc` of the root that this process has.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { proc: rustix::fs::openat(CWD, "/proc", flags, Mode::empty())? })
    }

    /// The directory itself, `O_PATH`.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.proc.as_fd()
    }

    /// The directory of a process, `O_PATH`: it stays that process's when its number is another's.
    pub(super) fn directory(&self, pid: Pid) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let name = pid.as_raw_nonzero().to_string();
        Ok(rustix::fs::openat(&self.proc, name, flags, Mode::empty())?)
    }

    /// The children of all threads of a process.
    pub(super) fn children(&self, parent: Pid) -> io::Result<Vec<Pid>> {
        let tasks = format!("{}/task", parent.as_raw_nonzero());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let tasks = rustix::fs::openat(&self.proc, tasks, flags, Mode::empty())?;
        let mut found = Vec::new();
        for task in rootdir::names(tasks.as_fd())? {
            let Ok(text) = read(&tasks, Path::new(&task).join("children")) else { continue };
            let numbers = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
            found.extend(numbers.filter_map(Pid::from_raw));
        }
        Ok(found)
    }

    /// Stops everything below a process and returns it, parents first.
    ///
    /// Stopping each before looking at its children keeps a fork bomb from outrunning the search.
    pub(super) fn stop_descendants(&self, ancestor: Pid) -> io::Result<Vec<Pid>> {
        let mut found = Vec::new();
        let mut pending = self.children(ancestor)?;
        while let Some(pid) = pending.pop() {
            rustix::process::kill_process(pid, Signal::STOP).ok();
            found.push(pid);
            // A process that ended meanwhile has no children any more.
            pending.extend(self.children(pid).unwrap_or_default());
        }
        Ok(found)
    }

    /// The session that a process is in; none if there is no such process.
    pub(super) fn session(&self, pid: Pid) -> Option<i32> {
        field(&self.directory(pid).ok()?, 3)
    }

    /// Everything below a process, parents first.
    pub(super) fn descendants(&self, ancestor: Pid) -> Vec<Pid> {
        let mut found = Vec::new();
        let mut pending = self.children(ancestor).unwrap_or_default();
        while let Some(pid) = pending.pop() {
            found.push(pid);
            // A process that ended meanwhile has no children any more.
            pending.extend(self.children(pid).unwrap_or_default());
        }
        found
    }

    /// The directory of a process that is below another one; none if it is not, or is no more.
    pub(super) fn descendant(&self, pid: Pid, ancestor: Pid) -> Option<OwnedFd> {
        let wanted = self.directory(pid).ok()?;
        let mut child = wanted.try_clone().ok()?;
        loop {
            let parent = Pid::from_raw(parent(&child)?)?;
            if parent == ancestor {
                return Some(wanted);
            }
            if parent == Pid::INIT {
                return None;
            }
            let directory = self.directory(parent).ok()?;
            // Unless the child says so again, the number may be another's by now.
            if Pid::from_raw(self::parent(&child)?) == Some(parent) {
                child = directory;
            }
        }
    }
}

/// Number of the parent of a process, by its directory.
fn parent(process: &OwnedFd) -> Option<i32> {
    field(process, 1)
}

/// A number among what the kernel says of a process, counted from behind its name.
fn field(process: &OwnedFd, index: usize) -> Option<i32> {
    let stat = read(process, "stat").ok()?;
    // The name, in parentheses, may contain anything.
    stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(index)?.parse().ok()
}

/// Reads one of the small files of a process.
pub(super) fn read(directory: impl AsFd, path: impl rustix::path::Arg) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, path, flags, Mode::empty())?;
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
