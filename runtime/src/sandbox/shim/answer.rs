//! Doing what a caller asked for, with its rights.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::super::devices;
use super::super::sys::caller as sys;
use super::Supervisor;
use super::caller::Caller;
use super::calls::{Attribute, Change, Look, What};
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
    pub(super) fn answer(&mut self, request: &Request<'_>, what: What) -> Result<Answer, Errno> {
        match what {
            What::Open { flags, mode } => self.open(request, flags, mode),
            // The flags of the one are known by now, and the other never comes here.
            What::OpenHow { .. } | What::Signal => Err(Errno::INVAL),
            What::Look(look) => self.look(request, look),
            What::Change(change) => self.change(request, change),
            What::Attribute(attribute) => self.attribute(request, attribute),
            What::Go(go) => self.lend(request, go),
        }
    }

    /// The file itself, `O_PATH`; none if the stand-in will do.
    pub(super) fn target(&mut self, request: &Request<'_>) -> Result<Option<OwnedFd>, Errno> {
        match &request.found.place {
            Place::Root(fd) => clone(fd.as_fd()).map(Some),
            Place::Proc(entry, Shape::Mounts) => self.mounts(entry, request.caller).map(Some),
            Place::Proc(entry, _) => self.tree.open(entry).map(Some),
            Place::Terminal(number) => clone(self.terminals.get(*number)?).map(Some),
            Place::Device(devices::TERMINAL) => {
                let number = request.caller.terminal().ok_or(Errno::NXIO)?;
                clone(self.terminals.get(number).map_err(|_| Errno::NXIO)?).map(Some)
            }
            Place::Device(name) => clone(self.devices.get(name)?).map(Some),
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

    fn look(&mut self, request: &Request<'_>, look: Look) -> Result<Answer, Errno> {
        let Request { caller, memory, found } = request;
        if let (Look::ReadLink { to, size }, Place::Proc(_, shape)) = (look, &found.place)
            && let Some(text) = text(caller, *shape)
        {
            return write_some(memory, to, text.as_bytes(), size);
        }
        let target = if matches!(found.place, Place::Multiplexer) {
            // Only to be looked at: it is opened by making a terminal.
            self.devices.get(devices::MULTIPLEXER).and_then(clone).ok()
        } else {
            self.target(request)?
        };
        let Some(target) = target else { return Ok(Answer::Continue) };
        match look {
            Look::Stat { to } => memory.write(to, &sys::stat(target.as_fd())?)?,
            Look::Statx { flags, mask, to } => {
                memory.write(to, &sys::statx(target.as_fd(), flags, mask)?)?;
            }
            Look::StatFs { to } => memory.write(to, &sys::stat_file_system(target.as_fd())?)?,
            Look::ReadLink { to, size } => {
                let text = match rustix::fs::readlinkat(&target, "", Vec::new()) {
                    // What the kernel says of an empty path that is no link.
                    Err(Errno::NOENT) => return Err(Errno::INVAL),
                    other => other?,
                };
                return write_some(memory, to, text.as_bytes(), size);
            }
            Look::Access { mode, effective } => {
                let mode = Access::from_bits(mode).ok_or(Errno::INVAL)?;
                if let Place::Proc(entry, Shape::File | Shape::Mounts) = &found.place
                    && mode.contains(Access::WRITE_OK)
                {
                    entry.is_writable(caller)?;
                }
                let flags = if effective { AtFlags::EACCESS } else { AtFlags::empty() };
                rustix::fs::accessat(self.tree.fd(), own_path(target.as_fd()), mode, flags)?;
            }
        }
        Ok(Answer::Value(0))
    }

    fn change(&mut self, request: &Request<'_>, change: Change) -> Result<Answer, Errno> {
        // Nor may the kernel do it to what it sees, which is the builder's.
        if matches!(request.found.place, Place::Proc(..) | Place::Device(_)) {
            return Err(Errno::PERM);
        }
        let Some(target) = self.target(request)? else { return Ok(Answer::Continue) };
        let (proc, path) = (self.tree.fd(), own_path(target.as_fd()));
        match change {
            Change::Mode { mode } => {
                let mode = Mode::from_raw_mode(mode);
                rustix::fs::chmodat(proc, path, mode, AtFlags::empty())?;
            }
            Change::Owner { uid, gid } => {
                let uid = (uid != u32::MAX).then(|| Uid::from_raw(uid));
                let gid = (gid != u32::MAX).then(|| Gid::from_raw(gid));
                rustix::fs::chownat(&target, "", uid, gid, AtFlags::EMPTY_PATH)?;
            }
            Change::Times { from } => {
                let times = times(request.memory, from)?;
                rustix::fs::utimensat(proc, path, &times, AtFlags::empty())?;
            }
            Change::Length { length } => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(proc, path, flags, Mode::empty())?;
                rustix::fs::ftruncate(file, length)?;
            }
        }
        Ok(Answer::Value(0))
    }

    fn attribute(&mut self, request: &Request<'_>, attribute: Attribute) -> Result<Answer, Errno> {
        let memory = request.memory;
        let Some(target) = self.target(request)? else { return Ok(Answer::Continue) };
        // This process is in the builder's `/proc`.
        let path = own_path(target.as_fd());
        match attribute {
            Attribute::Get { name, size: 0, .. } => {
                value_of(rustix::fs::getxattr_query(path, &memory.text(name)?[..])?)
            }
            Attribute::Get { name, to, size } => {
                let mut value = vec![0; buffer(size)];
                let length = rustix::fs::getxattr(path, &memory.text(name)?[..], &mut value)?;
                memory.write(to, value.get(..length).unwrap_or_default())?;
                value_of(length)
            }
            Attribute::List { size: 0, .. } => value_of(rustix::fs::listxattr_query(path)?),
            Attribute::List { to, size } => {
                let mut list = vec![0; buffer(size)];
                let length = rustix::fs::listxattr(path, &mut list)?;
                memory.write(to, list.get(..length).unwrap_or_default())?;
                value_of(length)
            }
            Attribute::Set { .. } | Attribute::Remove { .. }
                if matches!(request.found.place, Place::Proc(..) | Place::Device(_)) =>
            {
                Err(Errno::PERM)
            }
            Attribute::Set { size, .. } if size > ATTRIBUTE_MAX => Err(Errno::TOOBIG),
            Attribute::Set { name, from, size, flags } => {
                let value = memory.read(from, buffer(size))?;
                let flags = XattrFlags::from_bits(flags).ok_or(Errno::INVAL)?;
                rustix::fs::setxattr(path, &memory.text(name)?[..], &value, flags)?;
                Ok(Answer::Value(0))
            }
            Attribute::Remove { name } => {
                rustix::fs::removexattr(path, &memory.text(name)?[..])?;
                Ok(Answer::Value(0))
            }
        }
    }
}

fn clone(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    fd.try_clone_to_owned().map_err(|_| Errno::MFILE)
}

/// What a link says that is the same for nobody else, or for everybody.
fn text(caller: &Caller, shape: Shape) -> Option<String> {
    match shape {
        Shape::Own { thread: true } => Some(format!("{}/task/{}", caller.process, caller.thread)),
        Shape::Own { thread: false } => Some(caller.process.to_string()),
        Shape::Link(text) => Some(text.to_owned()),
        Shape::Magic | Shape::Directory | Shape::File | Shape::Mounts => None,
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
