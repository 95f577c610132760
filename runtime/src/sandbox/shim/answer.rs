//! Doing what a caller asked for, with its rights.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::super::sys::caller as sys;
use super::Supervisor;
use super::caller::Caller;
use super::calls::What;
use super::lend::Lent;
use super::memory::Memory;
use super::tree::{Entry, Shape};
use super::walk::{Found, Place, own_path};

/// The longest value of an extended attribute, and the longest list of their names.
const ATTRIBUTE_MAX: u64 = 64 << 10;

/// What is told to a caller.
#[derive(Debug)]
pub(super) enum Answer {
    /// The kernel does what was asked.
    Continue,
    /// It does with links that lead somewhere for so long.
    Lent(Lent),
    Value(i64),
    Descriptor {
        fd: OwnedFd,
        flags: OFlags,
    },
    /// A directory of descriptors, which is to have the new one in it.
    Descriptors {
        fd: OwnedFd,
        flags: OFlags,
        directory: Entry,
    },
}

/// Something to be done with a file that was found.
pub(super) struct Request<'a> {
    pub caller: &'a Caller,
    pub memory: &'a Memory,
    pub found: Found,
}

impl Supervisor {
    /// Answers a call about something that was found.
    pub(super) fn answer(&mut self, request: Request<'_>, what: What) -> Result<Answer, Errno> {
        match what {
            What::Open { flags, mode } => self.open(request, flags, mode),
            // Its flags are known by now.
            What::OpenHow { .. } => Err(Errno::INVAL),
            What::ChangeDirectory | What::Execute => self.lend(&request, what),
            What::Stat { .. }
            | What::Statx { .. }
            | What::StatFs { .. }
            | What::Access { .. }
            | What::ReadLink { .. } => self.look(&request, what),
            What::ChangeMode { .. }
            | What::ChangeOwner { .. }
            | What::ChangeTimes { .. }
            | What::GetAttribute { .. }
            | What::SetAttribute { .. }
            | What::ListAttributes { .. }
            | What::RemoveAttribute { .. }
            | What::Truncate { .. } => self.change(&request, what),
        }
    }

    /// The file itself, `O_PATH`; none if the stand-in will do.
    fn target(&mut self, request: &Request<'_>) -> Result<Option<OwnedFd>, Errno> {
        let clone = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map_err(|_| Errno::MFILE);
        match &request.found.place {
            Place::Root(fd) => clone(fd.as_fd()).map(Some),
            Place::Proc(entry, Shape::Mounts) => self.mounts(entry, request.caller).map(Some),
            Place::Proc(entry, _) => self.tree.open(entry).map(Some),
            Place::Terminal(number) => clone(self.terminals.get(*number)?).map(Some),
            Place::Terminals(_) | Place::Multiplexer => Ok(None),
            Place::Missing(..) => Err(Errno::NOENT),
        }
    }

    pub(super) fn mounts(&mut self, entry: &Entry, caller: &Caller) -> Result<OwnedFd, Errno> {
        let name = entry.name();
        let content = self.mounts.list(name.rsplit('/').next().unwrap_or_default());
        self.identity.root()?;
        let file = self.skeleton.file(&name, &content);
        self.identity.borrow(caller)?;
        file
    }

    fn look(&mut self, request: &Request<'_>, what: What) -> Result<Answer, Errno> {
        let memory = request.memory;
        if let (What::ReadLink { to, size }, Place::Proc(_, shape)) = (what, &request.found.place) {
            let Caller { thread: tid, process, .. } = request.caller;
            let text = match shape {
                Shape::Own { thread: true } => format!("{process}/task/{tid}"),
                Shape::Own { thread: false } => process.to_string(),
                Shape::Link(text) => (*text).to_owned(),
                Shape::Magic | Shape::Directory | Shape::File | Shape::Mounts => String::new(),
            };
            if !text.is_empty() {
                return write_some(memory, to, text.as_bytes(), size);
            }
        }
        let Some(target) = self.target(request)? else { return Ok(Answer::Continue) };
        match what {
            What::Stat { to } => memory.write(to, &sys::stat(target.as_fd())?)?,
            What::Statx { flags, mask, to } => {
                memory.write(to, &sys::statx(target.as_fd(), flags, mask)?)?;
            }
            What::StatFs { to } => memory.write(to, &sys::stat_file_system(target.as_fd())?)?,
            What::ReadLink { to, size } => {
                let text = match rustix::fs::readlinkat(&target, "", Vec::new()) {
                    // What the kernel says of an empty path that is no link.
                    Err(Errno::NOENT) => return Err(Errno::INVAL),
                    other => other?,
                };
                return write_some(memory, to, text.as_bytes(), size);
            }
            What::Access { mode, effective } => {
                let mode = Access::from_bits(mode).ok_or(Errno::INVAL)?;
                if let Place::Proc(entry, Shape::File | Shape::Mounts) = &request.found.place
                    && mode.contains(Access::WRITE_OK)
                {
                    entry.is_writable(request.caller)?;
                }
                let flags = if effective { AtFlags::EACCESS } else { AtFlags::empty() };
                rustix::fs::accessat(self.tree.fd(), own_path(target.as_fd()), mode, flags)?;
            }
            _ => return Err(Errno::NOSYS),
        }
        Ok(Answer::Value(0))
    }

    fn change(&mut self, request: &Request<'_>, what: What) -> Result<Answer, Errno> {
        let memory = request.memory;
        let Some(target) = self.target(request)? else { return Ok(Answer::Continue) };
        // This process is in the builder's `/proc`.
        let path = own_path(target.as_fd());
        let in_proc = matches!(request.found.place, Place::Proc(..));
        match what {
            What::GetAttribute { name, to, size } => {
                let name = memory.text(name)?;
                if size == 0 {
                    return value_of(rustix::fs::getxattr_query(&path, &name[..])?);
                }
                let mut value = vec![0; buffer(size)];
                let length = rustix::fs::getxattr(&path, &name[..], &mut value)?;
                value.truncate(length);
                memory.write(to, &value)?;
                return value_of(length);
            }
            What::ListAttributes { to, size } => {
                if size == 0 {
                    return value_of(rustix::fs::listxattr_query(&path)?);
                }
                let mut list = vec![0; buffer(size)];
                let length = rustix::fs::listxattr(&path, &mut list)?;
                list.truncate(length);
                memory.write(to, &list)?;
                return value_of(length);
            }
            _ if in_proc => return Err(Errno::PERM),
            What::ChangeMode { mode } => {
                let mode = Mode::from_raw_mode(mode);
                rustix::fs::chmodat(self.tree.fd(), path, mode, AtFlags::empty())?;
            }
            What::ChangeOwner { uid, gid } => {
                let uid = (uid != u32::MAX).then(|| Uid::from_raw(uid));
                let gid = (gid != u32::MAX).then(|| Gid::from_raw(gid));
                rustix::fs::chownat(&target, "", uid, gid, AtFlags::EMPTY_PATH)?;
            }
            What::ChangeTimes { from } => {
                let times = times(memory, from)?;
                rustix::fs::utimensat(self.tree.fd(), path, &times, AtFlags::empty())?;
            }
            What::SetAttribute { name, from, size, flags } => {
                if size > ATTRIBUTE_MAX {
                    return Err(Errno::TOOBIG);
                }
                let name = memory.text(name)?;
                let value = memory.read(from, buffer(size))?;
                let flags = XattrFlags::from_bits(flags).ok_or(Errno::INVAL)?;
                rustix::fs::setxattr(path, &name[..], &value, flags)?;
            }
            What::RemoveAttribute { name } => {
                rustix::fs::removexattr(path, &memory.text(name)?[..])?;
            }
            What::Truncate { length } => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(self.tree.fd(), path, flags, Mode::empty())?;
                rustix::fs::ftruncate(file, length)?;
            }
            _ => return Err(Errno::NOSYS),
        }
        Ok(Answer::Value(0))
    }

    fn open(&mut self, request: Request<'_>, flags: OFlags, mode: u32) -> Result<Answer, Errno> {
        let Request { caller, memory: _, found } = &request;
        let only_path = flags.contains(OFlags::PATH);
        let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR);
        let makes = !only_path && flags.contains(OFlags::CREATE);
        if makes && flags.contains(OFlags::EXCL) && !matches!(found.place, Place::Missing(..)) {
            return Err(Errno::EXIST);
        }
        if only_path {
            // Seccomp hands no such descriptor over. One of a stand-in is as good: what is opened
            // by it comes here again.
            return self.lend(&request, What::Open { flags, mode });
        }
        let mode = Mode::from_raw_mode(mode & !caller.umask);
        match &found.place {
            Place::Missing(directory, name) if makes => {
                let wanted = flags | OFlags::NOCTTY | OFlags::CLOEXEC;
                let name = OsStr::from_bytes(name);
                let fd = rustix::fs::openat(directory, name, wanted, mode)?;
                return Ok(Answer::Descriptor { fd, flags });
            }
            Place::Proc(_, Shape::Directory) if writes || makes => return Err(Errno::ISDIR),
            Place::Proc(entry, Shape::Directory) => {
                let entry = entry.clone();
                return self.list(entry, caller, flags);
            }
            Place::Proc(entry, Shape::File) if writes => entry.is_writable(caller)?,
            Place::Proc(_, Shape::Mounts) if writes => return Err(Errno::ACCESS),
            Place::Proc(_, Shape::Own { .. } | Shape::Link(_) | Shape::Magic) => {
                return Err(Errno::LOOP);
            }
            Place::Terminals(_) => {
                self.identity.root()?;
                self.terminals.forget_closed(&mut self.skeleton);
                return Ok(Answer::Continue);
            }
            Place::Multiplexer => {
                let uid = caller.uid();
                self.identity.root()?;
                let fd = self.terminals.make(flags, uid, &mut self.skeleton)?;
                return Ok(Answer::Descriptor { fd, flags });
            }
            Place::Root(_)
            | Place::Proc(_, Shape::File | Shape::Mounts)
            | Place::Terminal(_)
            | Place::Missing(..) => {}
        }
        let Some(target) = self.target(&request)? else { return Ok(Answer::Continue) };
        let fd = self.reopen(target.as_fd(), flags, mode)?;
        Ok(Answer::Descriptor { fd, flags })
    }

    /// Opens a directory of `/proc`: what stands for it, with the names that are there now.
    fn list(&mut self, directory: Entry, caller: &Caller, flags: OFlags) -> Result<Answer, Errno> {
        let name = directory.name();
        let names = self.tree.names(&directory)?;
        self.identity.root()?;
        let fd = self.skeleton.refresh(&name, &names)?;
        let own = directory.process.as_ref().is_some_and(|process| process.pid == caller.process);
        if own && name.ends_with("/fd") {
            return Ok(Answer::Descriptors { fd, flags, directory });
        }
        Ok(Answer::Descriptor { fd, flags })
    }

    /// Opens a file by what stands for it here. Never waits: what it would be waited for, may
    /// itself be waiting for this process.
    fn reopen(&self, file: BorrowedFd<'_>, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let wanted = flags - (OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW);
        let wanted = wanted | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(self.tree.fd(), own_path(file), wanted, mode)?;
        if !flags.contains(OFlags::NONBLOCK) {
            let status = rustix::fs::fcntl_getfl(&fd)?;
            rustix::fs::fcntl_setfl(&fd, status - OFlags::NONBLOCK)?;
        }
        Ok(fd)
    }
}

fn write_some(memory: &Memory, to: u64, text: &[u8], size: u64) -> Result<Answer, Errno> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size == 0 {
        return Err(Errno::INVAL);
    }
    let text = &text[..text.len().min(size)];
    memory.write(to, text)?;
    value_of(text.len())
}

fn value_of(length: usize) -> Result<Answer, Errno> {
    i64::try_from(length).map(Answer::Value).map_err(|_| Errno::OVERFLOW)
}

/// How much room a caller's buffer is worth having here.
fn buffer(size: u64) -> usize {
    usize::try_from(size.min(ATTRIBUTE_MAX)).unwrap_or_default()
}

/// The two times in a caller's memory; now, if it names none.
fn times(memory: &Memory, from: u64) -> Result<Timestamps, Errno> {
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    if from == 0 {
        return Ok(Timestamps { last_access: now, last_modification: now });
    }
    let bytes = memory.read(from, 32)?;
    let number = |index: usize| {
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[8 * index..8 * (index + 1)]);
        i64::from_ne_bytes(number)
    };
    let time = |index| Timespec { tv_sec: number(index), tv_nsec: number(index + 1) };
    Ok(Timestamps { last_access: time(0), last_modification: time(2) })
}
