//! Opening files, which callers get descriptors of.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Supervisor;
use super::answer::{Answer, Request};
use super::caller::Caller;
use super::calls::Go;
use super::tree::{Entry, Shape};
use super::walk::{Place, own_path};

impl Supervisor {
    pub(super) fn open(
        &mut self,
        request: &Request<'_>,
        flags: OFlags,
        mode: u32,
    ) -> Result<Answer, Errno> {
        let Request { caller, memory: _, found } = request;
        let only_path = flags.contains(OFlags::PATH);
        let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR);
        let makes = !only_path && flags.contains(OFlags::CREATE);
        if makes && flags.contains(OFlags::EXCL) && !matches!(found.place, Place::Missing(..)) {
            return Err(Errno::EXIST);
        }
        if only_path {
            // Seccomp hands no such descriptor over. One of a stand-in is as good: what is opened
            // by it comes here again.
            return self.lend(request, Go::Path);
        }
        let mode = Mode::from_raw_mode(mode & !caller.umask);
        match &found.place {
            Place::Missing(directory, name) if makes => {
                // Something else may be there by now.
                let wanted = flags | WITHOUT_WAITING | OFlags::NOFOLLOW;
                let fd = rustix::fs::openat(directory, OsStr::from_bytes(name), wanted, mode)?;
                wait_again(&fd, flags)?;
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
            | Place::Device(_)
            | Place::Missing(..) => {}
        }
        let Some(target) = self.target(request)? else { return Ok(Answer::Continue) };
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

    /// Opens a file by what stands for it here.
    fn reopen(&self, file: BorrowedFd<'_>, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let wanted = flags - (OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW);
        let wanted = wanted | WITHOUT_WAITING;
        let fd = rustix::fs::openat(self.tree.fd(), own_path(file), wanted, mode)?;
        wait_again(&fd, flags)?;
        Ok(fd)
    }
}

/// How anything is opened: what it would be waited for, may itself be waiting for this process. And
/// nothing becomes its terminal.
const WITHOUT_WAITING: OFlags = OFlags::NONBLOCK.union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// Has who gets a file wait for it, unless the caller did not want to.
fn wait_again(fd: &OwnedFd, flags: OFlags) -> Result<(), Errno> {
    if flags.contains(OFlags::NONBLOCK) {
        return Ok(());
    }
    let status = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, status - OFlags::NONBLOCK)
}
