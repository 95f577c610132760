//! Who makes a call: what the kernel says of it, and acting with its rights.

use std::io;
use std::rc::Rc;

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::super::processes;
use super::super::sys::caller as sys;

/// A thread that waits for an answer, and its rights.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// What `/proc` has of the thread, `O_PATH`. It stays this thread's when its number is another's.
    pub directory: Rc<OwnedFd>,
    pub thread: i32,
    pub process: i32,
    pub umask: u32,
    user: Ids,
    group: Ids,
    groups: Vec<Gid>,
    effective: CapabilitySet,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ids {
    real: u32,
    file_system: u32,
}

impl Caller {
    /// What the kernel says of a thread. `proc` is `/proc`.
    pub(super) fn of(proc: BorrowedFd<'_>, thread: i32) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(proc, thread.to_string(), flags, Mode::empty())?;
        let status = processes::read(&directory, "status")?;
        let caller = Self::parse(Rc::new(directory), thread, &status);
        caller.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(directory: Rc<OwnedFd>, thread: i32, status: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = status.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        // Real, effective, saved, of the file system.
        let ids = |name| {
            let mut ids = field(name)?.split_ascii_whitespace().map(str::parse);
            let real = ids.next()?.ok()?;
            Some(Ids { real, file_system: ids.nth(2)?.ok()? })
        };
        let groups = field("Groups")?.split_ascii_whitespace();
        Some(Self {
            directory,
            thread,
            process: field("Tgid")?.parse().ok()?,
            umask: u32::from_str_radix(field("Umask")?, 8).ok()?,
            user: ids("Uid")?,
            group: ids("Gid")?,
            groups: groups.filter_map(|gid| Some(Gid::from_raw(gid.parse().ok()?))).collect(),
            effective: CapabilitySet::from_bits_retain(
                u64::from_str_radix(field("CapEff")?, 16).ok()?,
            ),
        })
    }

    pub(super) fn uid(&self) -> u32 {
        self.user.file_system
    }

    /// The number of the pseudo terminal that controls it, if one does.
    pub(super) fn terminal(&self) -> Option<u32> {
        terminal(&processes::read(&self.directory, "stat").ok()?)
    }
}

/// The pseudo terminal in what `proc(5)` calls `stat`. A device's number is in it as the kernel
/// gives it to programs: the minor's lower 8 bits, 12 bits of the major, the rest of the minor.
fn terminal(stat: &str) -> Option<u32> {
    const PSEUDO_TERMINALS: u32 = 136;
    // The name, in brackets, may hold anything. Behind it comes the third field.
    let (_, fields) = stat.rsplit_once(") ")?;
    let device: i32 = fields.split(' ').nth(7 - 3)?.parse().ok()?;
    let device = device.cast_unsigned();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    (major == PSEUDO_TERMINALS).then_some(minor)
}

/// Whose rights this process uses. It always keeps the effective id of root.
#[derive(Debug)]
pub(super) struct Identity {
    own: CapabilitySets,
    /// Real and file system ids.
    ids: (u32, u32),
    borrowed: bool,
}

impl Identity {
    /// Gives up for good what is not among `kept`.
    pub(super) fn new(kept: CapabilitySet) -> io::Result<Self> {
        let had = rustix::thread::capabilities(None)?;
        let left = had.permitted & kept;
        let own = CapabilitySets {
            effective: left,
            permitted: left,
            inheritable: CapabilitySet::empty(),
        };
        rustix::thread::set_capabilities(None, own)?;
        Ok(Self { own, ids: (0, 0), borrowed: false })
    }

    /// Becomes a user who may look into processes of its own, with the capabilities of root as far
    /// as they are not about files.
    pub(super) fn owner(&mut self, uid: u32, gid: u32) -> rustix::io::Result<()> {
        if self.borrowed {
            rustix::thread::set_capabilities(None, self.own)?;
            self.borrowed = false;
        }
        if self.ids == (uid, gid) {
            return Ok(());
        }
        // Capabilities about files come and go with this id of root, and with no other.
        sys::set_file_system_ids(0, 0);
        let (real_uid, real_gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::thread::set_thread_res_gid(real_gid, None, None)?;
        rustix::thread::set_thread_res_uid(real_uid, None, None)?;
        sys::set_file_system_ids(uid, gid);
        self.ids = (uid, gid);
        Ok(())
    }

    /// Whose processes can be looked into.
    pub(super) fn ids(&self) -> (u32, u32) {
        self.ids
    }

    /// Is itself again.
    pub(super) fn root(&mut self) -> rustix::io::Result<()> {
        self.owner(0, 0)
    }

    /// Takes the rights of a caller, and none besides, until the next of these calls.
    pub(super) fn borrow(&mut self, caller: &Caller) -> Result<(), Errno> {
        self.root()?;
        rustix::thread::set_thread_groups(&caller.groups)?;
        // `access(2)` asks about the real ids.
        let (user, group) = (Uid::from_raw(caller.user.real), Gid::from_raw(caller.group.real));
        rustix::thread::set_thread_res_gid(group, None, None)?;
        rustix::thread::set_thread_res_uid(user, None, None)?;
        sys::set_file_system_ids(caller.user.file_system, caller.group.file_system);
        let effective = self.own.permitted & caller.effective;
        rustix::thread::set_capabilities(None, CapabilitySets { effective, ..self.own })?;
        self.borrowed = true;
        self.ids = (u32::MAX, u32::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read() {
        let status = "Name:\tsh\nUmask:\t0022\nState:\tR\nTgid:\t41\nPid:\t42\nUid:\t1\t2\t3\t4\n\
            Gid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapEff:\t00000000a80425fb\n";
        let directory = Rc::new(std::fs::File::open("/").unwrap().into());
        let caller = Caller::parse(Rc::clone(&directory), 42, status).unwrap();
        assert_eq!((caller.process, caller.umask, caller.uid()), (41, 0o22, 4));
        assert_eq!((caller.user.real, caller.group.real, caller.group.file_system), (1, 5, 8));
        assert_eq!(caller.groups, [Gid::from_raw(9), Gid::from_raw(10)]);
        assert_eq!(caller.effective.bits(), 0xa804_25fb);
        assert!(Caller::parse(directory, 42, "Name:\tsh\n").is_none());
    }

    #[test]
    fn a_terminal_is_told_by_its_number() {
        let of = |device: i32| terminal(&format!("7 (a) 8 (b) S 1 7 7 {device} 7 4194560"));
        assert_eq!(of(0), None);
        // The machine's second console.
        assert_eq!(of(0x402), None);
        assert_eq!(of(0x8800), Some(0));
        assert_eq!(of(0x10_8801), Some(257));
        assert_eq!(of(i32::MIN | 0x8805), Some(0x8_0005));
        assert_eq!(terminal("7 (a"), None);
    }
}
