//! What only the kernel can do: change the directory or the program of a process, or open something
//! for its path alone.
//!
//! It is left the path, and finds stand-ins on its way. Those that are links lead where they should
//! for this caller until it has got there; nobody else is answered meanwhile.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fd::AsFd as _;
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::processes;
use super::Supervisor;
use super::answer::{Answer, Request};
use super::caller::Caller;
use super::calls::Go;
use super::skeleton::{Skeleton, Stub};
use super::tree::Shape;
use super::walk::{Found, Place, own_path};
use crate::rootdir;

/// How long is waited for a call; one that fails cannot be told from one that goes on, so what will
/// fail is not left to the kernel.
const PATIENCE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_micros(20);

/// Links that lead somewhere for a call.
#[derive(Debug)]
pub(super) struct Lent {
    links: Vec<String>,
    caller: Caller,
    go: Go,
    /// What is different once the call is done.
    sign: String,
}

impl Supervisor {
    /// Makes the way ready for the kernel.
    pub(super) fn lend(&mut self, request: &Request<'_>, go: Go) -> Result<Answer, Errno> {
        let Request { caller, memory: _, found } = request;
        let sign = self.sign(caller, go)?;
        if let Place::Root(target) = &found.place {
            let kind = FileType::from_raw_mode(rustix::fs::fstat(target)?.st_mode);
            match go {
                Go::Directory if kind != FileType::Directory => return Err(Errno::NOTDIR),
                Go::Program if kind != FileType::RegularFile => return Err(Errno::ACCESS),
                Go::Path => {}
                Go::Directory | Go::Program => {
                    let path = own_path(target.as_fd());
                    let effective = AtFlags::EACCESS;
                    rustix::fs::accessat(self.tree.fd(), path, Access::EXEC_OK, effective)?;
                }
            }
        }
        match (&found.place, go) {
            (Place::Missing(..), _) => return Err(Errno::NOENT),
            (Place::Proc(..), Go::Program) => return Err(Errno::ACCESS),
            (Place::Proc(_, shape), Go::Directory) if *shape != Shape::Directory => {
                return Err(Errno::NOTDIR);
            }
            (Place::Proc(..), Go::Directory | Go::Path)
            | (
                Place::Root(_)
                | Place::Terminals(_)
                | Place::Terminal(_)
                | Place::Multiplexer
                | Place::Device(_),
                _,
            ) => {}
        }
        self.identity.root()?;
        let mut links = Vec::new();
        if found.own {
            let process = caller.process.to_string();
            let thread = format!("{process}/task/{}", caller.thread);
            for (link, target) in [("self", process), ("thread-self", thread)] {
                self.skeleton.link(link, Some(Path::new(&target)))?;
                links.push(link.to_owned());
            }
        }
        for (link, target) in &found.magic {
            self.skeleton.link(link, Some(Path::new(OsStr::from_bytes(target))))?;
            links.push(link.clone());
        }
        match &found.place {
            Place::Proc(entry, Shape::Mounts) => drop(self.mounts(entry, caller)?),
            Place::Proc(entry, shape) if !links.contains(&entry.name()) => {
                self.skeleton.stand_in(&entry.name(), Stub::from(*shape))?;
            }
            Place::Proc(..)
            | Place::Root(_)
            | Place::Terminals(_)
            | Place::Terminal(_)
            | Place::Multiplexer
            | Place::Device(_)
            | Place::Missing(..) => {}
        }
        if links.is_empty() {
            return Ok(Answer::Continue);
        }
        if go == Go::Directory && self.is_in(found, &sign)? {
            // It is where it wants to go, and nothing would be different.
            lent_back(&mut self.skeleton, &links)?;
            return Ok(Answer::Value(0));
        }
        Ok(Answer::Lent(Lent { links, caller: (*caller).clone(), go, sign }))
    }

    /// Waits until the kernel has gone the way, and has its links lead nowhere again.
    pub(super) fn take_back(&mut self, lent: &Lent) -> Result<(), Errno> {
        let end = Instant::now() + PATIENCE;
        self.identity.borrow(&lent.caller)?;
        while self.sign(&lent.caller, lent.go).is_ok_and(|sign| sign == lent.sign)
            && Instant::now() < end
        {
            std::thread::sleep(PAUSE);
        }
        self.identity.root()?;
        lent_back(&mut self.skeleton, &lent.links)
    }

    /// Whether something is the directory with this path.
    fn is_in(&self, found: &Found, path: &str) -> Result<bool, Errno> {
        let target = match &found.place {
            Place::Root(target) => {
                let own = own_path(target.as_fd());
                let text = rustix::fs::readlinkat(self.tree.fd(), own, Vec::new())?;
                text.to_string_lossy().into_owned()
            }
            Place::Proc(entry, _) => format!("/proc/{}", entry.name()),
            Place::Terminals(_)
            | Place::Terminal(_)
            | Place::Multiplexer
            | Place::Device(_)
            | Place::Missing(..) => return Ok(false),
        };
        Ok(target.trim_end_matches('/') == path.trim_end_matches('/'))
    }

    /// Something that a call changes when it is done. Wants the rights of the caller.
    fn sign(&self, caller: &Caller, go: Go) -> Result<String, Errno> {
        let thread = caller.thread;
        match go {
            // Where the kernel has put the program, its stack and its arguments.
            Go::Program => {
                let stat = processes::read(self.tree.fd(), format!("{thread}/stat"));
                let stat = stat.map_err(|error| super::skeleton::errno(&error))?;
                let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
                let fields: Vec<&str> = fields.collect();
                let mut sign = String::new();
                // Counted from the field behind the name, which is the third.
                for field in [26, 27, 28, 45, 46, 47, 48, 49, 50, 51] {
                    let field = fields.get(field - 2).copied().unwrap_or_default();
                    // Writing to a text cannot fail.
                    write!(sign, "{field} ").ok();
                }
                Ok(sign)
            }
            Go::Directory => {
                let cwd = format!("{thread}/cwd");
                let cwd = rustix::fs::readlinkat(self.tree.fd(), cwd, Vec::new())?;
                Ok(String::from_utf8_lossy(cwd.as_bytes()).into_owned())
            }
            Go::Path => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let open = format!("{thread}/fd");
                let open = rustix::fs::openat(self.tree.fd(), open, flags, Mode::empty())?;
                let names = rootdir::names(open.as_fd());
                let names = names.map_err(|error| super::skeleton::errno(&error))?;
                Ok(names.iter().map(|name| name.to_string_lossy() + " ").collect())
            }
        }
    }
}

fn lent_back(skeleton: &mut Skeleton, links: &[String]) -> Result<(), Errno> {
    links.iter().try_for_each(|link| skeleton.link(link, None))
}
