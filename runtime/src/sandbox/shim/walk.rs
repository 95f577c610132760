//! Where a path leads, name by name, as the caller sees it.
//!
//! This process has the root of the step as its own, so what the kernel finds for it at a name is
//! what it finds for the step; but below `/proc`, and at some devices, names are looked up here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::devices;
use super::caller::Caller;
use super::skeleton::Skeleton;
use super::tree::{Entry, Shape, Tree};

/// Linux's own bound.
const MAX_LINKS: usize = 40;
const PROC_SUPER_MAGIC: u32 = 0x9fa0;

/// What is found at a path.
#[derive(Debug)]
pub(super) enum Place {
    /// Something in the root, or something without a name, such as a pipe; `O_PATH`.
    Root(OwnedFd),
    /// Something in `/proc`.
    Proc(Entry, Shape),
    /// The directory of pseudo terminals; its stand-in, `O_PATH`.
    Terminals(OwnedFd),
    /// A pseudo terminal by its number.
    Terminal(u32),
    /// What makes pseudo terminals.
    Multiplexer,
    /// A device that is lent, by its name.
    Device(&'static str),
    /// Nothing, but a file could be made in this directory.
    Missing(OwnedFd, Vec<u8>),
}

/// What was found, and how.
#[derive(Debug)]
pub(super) struct Found {
    pub place: Place,
    /// Whether the way led through `/proc/self`.
    pub own: bool,
    /// Links that the kernel could not follow in the caller's place: their names below `/proc`,
    /// and paths in the root where they lead.
    pub magic: Vec<(String, Vec<u8>)>,
}

/// Looks paths up.
pub(super) struct Walk<'a> {
    pub tree: &'a Tree,
    pub skeleton: &'a Skeleton,
    pub caller: &'a Caller,
}

/// Why nothing was found.
#[derive(Debug)]
pub(super) enum Lost {
    /// The kernel would find the same.
    Plainly,
    /// What the caller gets to hear.
    Because(Errno),
}

struct State {
    place: Place,
    /// What is still to be looked up, the next last.
    names: Vec<Vec<u8>>,
    links: usize,
    own: bool,
    magic: Vec<(String, Vec<u8>)>,
    /// Whether anything was met that the kernel does not know of.
    special: bool,
}

impl Walk<'_> {
    /// Looks a path up. `base` is the caller's descriptor where it starts if it is relative.
    /// Nothing is found where the kernel would find the same.
    pub(super) fn find(&self, base: i32, path: &[u8], follow: bool) -> Result<Found, Lost> {
        let follow = follow || path.ends_with(b"/");
        let mut state = State {
            place: Place::Root(self.start(base, path).map_err(|_| Lost::Plainly)?),
            names: Vec::new(),
            links: 0,
            own: false,
            magic: Vec::new(),
            special: false,
        };
        state.push(path);
        let walked = self.settle(&mut state).and_then(|()| {
            while let Some(name) = state.names.pop() {
                self.step(&mut state, &name, follow)?;
            }
            Ok(())
        });
        match (state.special, walked) {
            (false, _) => Err(Lost::Plainly),
            (true, Err(errno)) => Err(Lost::Because(errno)),
            (true, Ok(())) => Ok(Found { place: state.place, own: state.own, magic: state.magic }),
        }
    }

    fn start(&self, base: i32, path: &[u8]) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        if path.starts_with(b"/") {
            return rustix::fs::open("/", flags, Mode::empty());
        }
        rustix::fs::openat(&self.caller.directory, base_path(base), flags, Mode::empty())
    }

    fn step(&self, state: &mut State, name: &[u8], follow: bool) -> Result<(), Errno> {
        let last = state.names.is_empty();
        match &state.place {
            Place::Root(directory) | Place::Terminals(directory) => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let name_os = OsStr::from_bytes(name);
                let found = match rustix::fs::openat(directory, name_os, flags, Mode::empty()) {
                    Err(Errno::NOENT) if last && state.special => {
                        let directory = directory.try_clone().map_err(|_| Errno::MFILE)?;
                        state.place = Place::Missing(directory, name.to_owned());
                        return Ok(());
                    }
                    other => other?,
                };
                let kind = FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode);
                if kind == FileType::Symlink && (!last || follow) && !self.is_stub(&found) {
                    let text = rustix::fs::readlinkat(&found, "", Vec::new())?;
                    return state.follow(text.as_bytes());
                }
                state.place = Place::Root(found);
                self.settle(state)
            }
            Place::Proc(entry, Shape::Directory) if name == b".." => {
                state.place = match entry.parent() {
                    Some(parent) => Place::Proc(parent, Shape::Directory),
                    None => Place::Root(root()?),
                };
                Ok(())
            }
            Place::Proc(entry, Shape::Directory) => {
                let (entry, shape) = self.tree.lookup(entry, name)?;
                self.enter(state, entry, shape, !last || follow)
            }
            Place::Proc(..) | Place::Terminal(_) | Place::Multiplexer | Place::Device(_) => {
                Err(Errno::NOTDIR)
            }
            Place::Missing(..) => Err(Errno::NOENT),
        }
    }

    /// Goes on from something in `/proc`.
    fn enter(
        &self,
        state: &mut State,
        entry: Entry,
        shape: Shape,
        follow: bool,
    ) -> Result<(), Errno> {
        match shape {
            Shape::Own { thread } if follow => {
                state.own = true;
                let Caller { thread: tid, process, .. } = self.caller;
                let text =
                    if thread { format!("{process}/task/{tid}") } else { process.to_string() };
                state.follow(text.as_bytes())
            }
            Shape::Link(text) if follow => state.follow(text.as_bytes()),
            Shape::Magic if follow => {
                let target = self.tree.follow(&entry)?;
                state.links += 1;
                if state.links > MAX_LINKS {
                    return Err(Errno::LOOP);
                }
                state.magic.push((entry.name(), self.text(target.as_fd())?));
                state.place = Place::Root(target);
                self.settle(state)
            }
            Shape::Directory
            | Shape::File
            | Shape::Mounts
            | Shape::Own { .. }
            | Shape::Link(_)
            | Shape::Magic => {
                state.place = Place::Proc(entry, shape);
                Ok(())
            }
        }
    }

    /// Finds out whether what was found in the root stands for something else.
    fn settle(&self, state: &mut State) -> Result<(), Errno> {
        let Place::Root(found) = &state.place else { return Ok(()) };
        let proc = rustix::fs::fstatfs(found)
            .is_ok_and(|stat| u32::try_from(stat.f_type) == Ok(PROC_SUPER_MAGIC));
        if !proc && !self.is_stub(found) {
            return Ok(());
        }
        let text = self.text(found.as_fd())?;
        let number = text.strip_prefix(b"/dev/pts/").and_then(|name| str::from_utf8(name).ok());
        if let Some(rest) = text.strip_prefix(b"/proc")
            && (rest.is_empty() || rest.starts_with(b"/"))
        {
            let rest = rest.to_owned();
            state.place = Place::Proc(Entry::top(), Shape::Directory);
            state.links += 1;
            if state.links > MAX_LINKS {
                return Err(Errno::LOOP);
            }
            state.push(&rest);
        } else if proc {
            // A `/proc` that is not the builder's is nobody's business.
            return Err(Errno::ACCESS);
        } else if text == b"/dev/ptmx" || number == Some("ptmx") {
            state.place = Place::Multiplexer;
        } else if let Some(number) = number.and_then(|number| number.parse().ok()) {
            state.place = Place::Terminal(number);
        } else if text == b"/dev/pts" {
            state.place = Place::Terminals(found.try_clone().map_err(|_| Errno::MFILE)?);
        } else if let Some(name) = devices::named(&text) {
            state.place = Place::Device(name);
        } else {
            // Something else has the number of a stand-in that was removed.
            return Ok(());
        }
        state.special = true;
        Ok(())
    }

    fn is_stub(&self, found: impl AsFd) -> bool {
        rustix::fs::fstat(found).is_ok_and(|stat| self.skeleton.knows(&stat))
    }

    /// The path of something, as it is seen in the root.
    fn text(&self, found: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
        let own = own_path(found);
        Ok(rustix::fs::readlinkat(self.tree.fd(), own, Vec::new())?.into_bytes())
    }
}

impl State {
    fn push(&mut self, path: &[u8]) {
        let names = path.split(|byte| *byte == b'/').rev();
        self.names.extend(names.filter(|name| !matches!(*name, b"" | b".")).map(<[u8]>::to_vec));
    }

    fn follow(&mut self, text: &[u8]) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        if text.starts_with(b"/") {
            self.place = Place::Root(root()?);
        }
        self.push(text);
        Ok(())
    }
}

fn root() -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open("/", flags, Mode::empty())
}

/// The path below a thread's directory of what a relative path of it starts at.
pub(super) fn base_path(base: i32) -> String {
    if base == CWD.as_raw_fd() { "cwd".to_owned() } else { format!("fd/{base}") }
}

/// The path below `/proc` of a descriptor of this process.
pub(super) fn own_path(fd: BorrowedFd<'_>) -> String {
    format!("self/fd/{}", fd.as_raw_fd())
}
