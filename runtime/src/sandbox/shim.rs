//! `/proc`, `/dev/fd` and pseudo terminals for a command in a chroot, where nothing can be mounted,
//! and devices where none can be made.
//!
//! A filter has the command's system calls with paths wait (see [`filter`]) until the step's
//! helper, which is their supervisor, has looked at the path. Nearly all are then left to the
//! kernel; those that lead to `/proc` or a pseudo terminal are done by the supervisor, with the
//! rights of the caller, and the caller gets the result, or a descriptor.
//!
//! This adds files and keeps nothing from anyone: another thread can change a path after it has
//! been looked at, and there are ways to open files that nobody asks about. So whoever comes to
//! `/proc` without the supervisor finds stand-ins in the root (see [`skeleton`]), and what the
//! supervisor gives out is never a directory outside the root, nor anything of a process that is
//! not the step's.

mod answer;
mod caller;
mod calls;
mod devices;
mod filter;
mod lend;
mod memory;
mod mounts;
mod open;
mod skeleton;
mod terminals;
mod tree;
mod walk;

use std::io;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, WaitOptions};
use rustix::thread::CapabilitySet;
use serde::{Deserialize, Serialize};

use super::processes::{self, Processes};
use super::spec::{self, Failure, Stage as _};
use super::sys::notifications;
use super::{command, seccomp, sys};
use answer::{Answer, Request};
use caller::{Caller, Identity};
use calls::{Call, Look, What};
use devices::Devices;
use memory::{Memory, Reader};
use mounts::Mounts;
use skeleton::{Skeleton, Stub};
use terminals::Terminals;
use tree::Tree;
use walk::{Lost, Walk};

/// Has this process, and all it starts, ask the supervisor at the other end of a socket.
pub(super) fn install(supervisor: &UnixStream) -> Result<(), Failure> {
    let program = filter::program();
    let set = || notifications::set_filter_with_listener(&program);
    let listener = seccomp::unless_new_privileges(set).stage("watch the command's system calls")?;
    spec::send_descriptors(supervisor, &[listener.as_fd()]).stage("hand the watch over")
}

/// Answers the system calls of a step until `control` ends.
#[derive(Debug)]
pub(super) struct Supervisor {
    tree: Tree,
    skeleton: Skeleton,
    terminals: Terminals,
    devices: Devices,
    mounts: Mounts,
    identity: Identity,
    reader: Reader,
    /// Where calls are asked about. While it is open, they wait; afterwards they fail.
    listener: Option<OwnedFd>,
}

impl Supervisor {
    /// Makes the step's root this process's own. `ancestor` is the process that everything of the
    /// step is below; `kept` are the capabilities that the step can have.
    pub(super) fn new(
        root: BorrowedFd<'_>,
        ancestor: Pid,
        kept: CapabilitySet,
    ) -> Result<Self, Failure> {
        let processes = Processes::open().stage("open `/proc`")?;
        let table = processes::read(processes.fd(), "self/mountinfo").unwrap_or_default();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let pts = rustix::fs::open("/dev/pts", flags, Mode::empty()).ok();
        let devices = Devices::open();
        let mounts = Mounts::new(root, processes.fd(), pts.as_ref().map(OwnedFd::as_fd), &table);
        rustix::process::fchdir(root).stage("enter the root")?;
        rustix::process::chroot(".").stage("change the root")?;
        rustix::process::fchdir(processes.fd()).stage("enter `/proc`")?;
        rustix::process::umask(Mode::empty());
        let identity = Identity::new(kept).stage("drop capabilities")?;
        let mut skeleton = Skeleton::new().stage("open `/proc` of the root")?;
        let terminals = Terminals::new(pts, &mut skeleton).stage("open `/dev/pts` of the root")?;
        skeleton.adopt(&rustix::fs::lstat("/dev/ptmx").stage("find `/dev/ptmx` of the root")?);
        Devices::adopt(&mut skeleton);
        let tree = Tree::new(processes, ancestor);
        let reader = Reader::new();
        Ok(Self { tree, skeleton, terminals, devices, mounts, identity, reader, listener: None })
    }

    /// Answers until the other end of `control` is closed. The listener comes over `commands`.
    ///
    /// Whoever asks later waits, until this is dropped.
    pub(super) fn run(&mut self, control: &UnixStream, commands: UnixStream) -> io::Result<()> {
        let mut commands = Some(commands);
        let mut deserted = false;
        loop {
            let listener = self.listener.as_ref().filter(|_| !deserted).map(AsFd::as_fd);
            let second = listener.or_else(|| commands.as_ref().map(AsFd::as_fd));
            let mut polled = vec![PollFd::new(control, PollFlags::IN)];
            polled.extend(second.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            match rustix::event::poll(&mut polled, None) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            // Nothing is ever sent over it.
            if !polled[0].revents().is_empty() {
                return Ok(());
            }
            let events = polled.get(1).map_or(PollFlags::empty(), PollFd::revents);
            if events.is_empty() {
                continue;
            }
            if let Some(commands) = commands.take() {
                // It comes now or never.
                let received = spec::receive_descriptors(&commands, 1).ok();
                self.listener = received.and_then(|mut received| received.pop());
                if let Some(listener) = &self.listener {
                    // Before Linux 6.6 it is slower.
                    notifications::take_turns(listener.as_fd()).ok();
                }
            } else if events.contains(PollFlags::IN) {
                self.serve();
            } else {
                deserted = true;
            }
        }
    }

    /// Answers one call.
    fn serve(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        self.serve_at(listener.as_fd());
        self.listener = Some(listener);
    }

    fn serve_at(&mut self, listener: BorrowedFd<'_>) {
        // Whoever asked may be dead already.
        let Ok(notification) = notifications::receive(listener) else { return };
        let id = notification.id;
        let answer = self.consider(listener, &notification);
        // Of a caller that died meanwhile, nothing is to be told.
        match answer {
            Ok(Answer::Continue) => respond(listener, id, 0, 0, true),
            Ok(Answer::Lent(lent)) => {
                respond(listener, id, 0, 0, true);
                // A link that is not taken back leads to something of the step's own.
                self.take_back(&lent).ok();
            }
            Ok(Answer::Value(value)) => respond(listener, id, value, 0, false),
            Ok(Answer::Descriptor { fd, flags }) => {
                if let Err(error) = give(listener, id, &fd, flags, SEND) {
                    respond(listener, id, 0, -error.raw_os_error(), false);
                }
            }
            Ok(Answer::Descriptors { fd, flags, directory }) => {
                match give(listener, id, &fd, flags, 0) {
                    Ok(number) => {
                        let name = format!("{}/{number}", directory.name());
                        // Without it, the list is of what was there before.
                        self.skeleton.stand_in(&name, Stub::Link).ok();
                        respond(listener, id, number.into(), 0, false);
                    }
                    Err(error) => respond(listener, id, 0, -error.raw_os_error(), false),
                }
            }
            Err(error) => respond(listener, id, 0, -error.raw_os_error(), false),
        }
    }

    fn consider(
        &mut self,
        listener: BorrowedFd<'_>,
        notification: &libc::seccomp_notif,
    ) -> Result<Answer, Errno> {
        let Some(call) = calls::decode(&notification.data) else { return Ok(Answer::Continue) };
        let Ok(thread) = i32::try_from(notification.pid) else { return Ok(Answer::Continue) };
        if call.what == What::Signal {
            return self.signal(thread, call.base);
        }
        let path = self.reader.path(self.tree.fd(), &mut self.identity, thread, call.path);
        let Ok(path) = path else { return Ok(Answer::Continue) };
        // Only of a link is it asked so what is not in its stand-in.
        let nameless = path.is_empty() && !matches!(call.what, What::Look(Look::ReadLink { .. }));
        if nameless || !self.may_be_special(thread, &call, &path) {
            return Ok(Answer::Continue);
        }
        let Ok(caller) = Caller::of(self.tree.fd(), thread) else { return Ok(Answer::Continue) };
        let answer = self.identity.borrow(&caller).and_then(|()| {
            let memory = Memory::open(self.tree.fd(), thread);
            let Ok(memory) = memory else { return Ok(Answer::Continue) };
            // From here on, this is the memory of the caller, and was its path.
            if !notifications::is_waiting(listener, notification.id) {
                return Ok(Answer::Continue);
            }
            let Some(call) = plain(call, &memory) else { return Ok(Answer::Continue) };
            let walk = Walk { tree: &self.tree, skeleton: &self.skeleton, caller: &caller };
            match walk.find(call.base, &path, call.follow) {
                Err(Lost::Plainly) => Ok(Answer::Continue),
                Err(Lost::Because(errno)) => Err(errno),
                Ok(found) => {
                    let request = Request { caller: &caller, memory: &memory, found };
                    self.answer(&request, call.what)
                }
            }
        });
        self.identity.root()?;
        answer
    }

    /// What comes of a signal to the process that a descriptor stands for. A stand-in is none to the
    /// kernel: whoever hears that there is no such call uses the process's number, if anything.
    fn signal(&mut self, thread: i32, descriptor: i32) -> Result<Answer, Errno> {
        let Ok(caller) = Caller::of(self.tree.fd(), thread) else { return Ok(Answer::Continue) };
        let stat = self.identity.borrow(&caller).and_then(|()| {
            let file = walk::base_path(descriptor);
            rustix::fs::statat(&caller.directory, file, AtFlags::empty())
        });
        self.identity.root()?;
        if stat.is_ok_and(|stat| self.skeleton.knows(&stat)) {
            return Err(Errno::NOSYS);
        }
        Ok(Answer::Continue)
    }

    /// Whether a path may lead to what the kernel does not know of: found out with as little as
    /// one system call, as nearly no path does.
    fn may_be_special(&self, thread: i32, call: &Call, path: &[u8]) -> bool {
        let absolute = path.starts_with(b"/");
        if path.strip_prefix(b"/proc").is_some_and(|rest| rest.is_empty() || rest[0] == b'/') {
            return true;
        }
        let mut whole = Vec::new();
        if !absolute {
            let base = format!("{thread}/{}", walk::base_path(call.base));
            whole.extend_from_slice(base.as_bytes());
            if path.is_empty() {
                let stat = rustix::fs::statat(self.tree.fd(), &whole, AtFlags::empty());
                return stat.is_ok_and(|found| self.skeleton.knows(&found));
            }
            whole.push(b'/');
        }
        whole.extend_from_slice(path);
        let directory = if absolute { CWD } else { self.tree.fd() };
        let stat = |flags| rustix::fs::statat(directory, &whole, flags);
        match stat(AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if self.skeleton.knows(&found) => true,
            Ok(found) if call.follow && is_link(&found) => match stat(AtFlags::empty()) {
                Ok(found) => self.skeleton.knows(&found),
                // What leads nowhere, as far as the kernel knows, can still lead anywhere.
                Err(error) => is_dead_end(error),
            },
            Ok(_) => false,
            Err(error) => is_dead_end(error) && self.ends_specially(directory, whole),
        }
    }

    /// Whether a path at whose end there is nothing may lead on where the kernel sees no way: the
    /// last name on it that is there is looked at.
    fn ends_specially(&self, directory: BorrowedFd<'_>, mut path: Vec<u8>) -> bool {
        loop {
            // With a slash behind it, what a link leads to was looked for.
            if path.ends_with(b"/") {
                let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
                path.truncate(end);
                if rustix::fs::readlinkat(directory, &path, Vec::new()).is_ok() {
                    return true;
                }
            }
            let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return false };
            path.truncate(slash + 1);
            match rustix::fs::statat(directory, &path, AtFlags::empty()) {
                Ok(found) => return self.skeleton.knows(&found),
                Err(error) if is_dead_end(error) => {}
                Err(_) => return false,
            }
        }
    }
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// Whether nothing is there, as far as the kernel knows.
fn is_dead_end(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// Learns what `openat2(2)` wants; none if it wants paths to be resolved in a way of its own.
fn plain(call: Call, memory: &Memory) -> Option<Call> {
    let What::OpenHow { from, size } = call.what else { return Some(call) };
    if size < 24 {
        return None;
    }
    let how = memory.read(from, 24).ok()?;
    let field = |index: usize| {
        let mut field = [0; 8];
        field.copy_from_slice(&how[8 * index..8 * (index + 1)]);
        u64::from_ne_bytes(field)
    };
    if field(2) != ResolveFlags::empty().bits() {
        return None;
    }
    let flags = calls::open_flags(field(0));
    let mode = u32::try_from(field(1)).ok()?;
    let follow = !flags.contains(OFlags::NOFOLLOW);
    Some(Call { follow, what: What::Open { flags, mode }, ..call })
}

const SEND: u32 = 2;

fn give(
    listener: BorrowedFd<'_>,
    id: u64,
    fd: &OwnedFd,
    flags: OFlags,
    how: u32,
) -> Result<i32, Errno> {
    let addition = libc::seccomp_notif_addfd {
        id,
        flags: how,
        srcfd: fd.as_raw_fd().cast_unsigned(),
        newfd: 0,
        newfd_flags: (flags & OFlags::CLOEXEC).bits(),
    };
    notifications::add_descriptor(listener, addition)
}

fn respond(listener: BorrowedFd<'_>, id: u64, val: i64, error: i32, go_on: bool) {
    let flags = if go_on { CONTINUE } else { 0 };
    let response = libc::seccomp_notif_resp { id, val, error, flags };
    notifications::respond(listener, response).ok();
}

const CONTINUE: u32 = 1;

/// What it takes to answer calls.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Watched {
    /// Whether setuid programs gain nothing where calls are watched.
    pub no_new_privileges: bool,
}

/// Finds out, in a process that ends afterwards, whether calls can be answered here.
pub(super) fn probe() -> Result<Watched, Failure> {
    const UNUSUAL: Errno = Errno::XFULL;
    const PATH: &str = "/proc/probe";
    const PLAIN: i32 = 0;
    const NO_NEW_PRIVILEGES: i32 = 1;
    const UNANSWERED: i32 = 2;

    let mut identity = Identity::new(command::DEFAULT_CAPABILITIES).stage("drop capabilities")?;
    let processes = Processes::open().stage("open `/proc`")?;
    let (ours, theirs) = UnixStream::pair().stage("make a socket")?;
    let Some(child) = sys::fork().stage("fork")? else {
        drop(ours);
        // As a command is, by being executed.
        rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).ok();
        let installed = install(&theirs).is_ok();
        let answered = rustix::fs::lstat(PATH).err() == Some(UNUSUAL);
        let no_new_privileges = rustix::thread::no_new_privs().unwrap_or_default();
        sys::exit_now(match (installed && answered, no_new_privileges) {
            (true, false) => PLAIN,
            (true, true) => NO_NEW_PRIVILEGES,
            (false, _) => UNANSWERED,
        });
    };
    drop(theirs);
    let listener = spec::receive_descriptors(&ours, 1).ok().and_then(|mut all| all.pop());
    let Some(listener) = listener else {
        let refused = io::Error::from_raw_os_error(libc::EACCES);
        return Err(refused).stage("watch the command's system calls");
    };
    let asked = notifications::receive(listener.as_fd()).stage("receive a system call")?;
    let thread = asked.pid.cast_signed();
    let call = calls::decode(&asked.data).ok_or(Errno::INVAL).stage("receive a system call")?;
    let path = Reader::new()
        .path(processes.fd(), &mut identity, thread, call.path)
        .and_then(|path| Memory::open(processes.fd(), thread).map(|_| path))
        .stage("read a command's memory")?;
    let error = if path == PATH.as_bytes() { UNUSUAL } else { Errno::INVAL };
    respond(listener.as_fd(), asked.id, 0, -error.raw_os_error(), false);
    let status = rustix::process::waitpid(Some(child), WaitOptions::empty());
    let status = status.stage("wait for a process")?;
    match status.and_then(|(_, status)| status.exit_status()) {
        Some(PLAIN) => Ok(Watched { no_new_privileges: false }),
        Some(NO_NEW_PRIVILEGES) => Ok(Watched { no_new_privileges: true }),
        _ => Err(io::Error::from_raw_os_error(libc::ENOSYS)).stage("answer a system call"),
    }
}
