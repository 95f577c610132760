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
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::super::processes;
use super::Supervisor;
use super::answer::{Answer, Request};
use super::caller::Caller;
use super::calls::What;
use super::skeleton::Stub;
use super::tree::Shape;
use super::walk::Place;
use crate::rootdir;

/// How long is waited for a call; one that fails cannot be told from one that goes on.
const PATIENCE: Duration = Duration::from_millis(5);
const PAUSE: Duration = Duration::from_micros(20);

/// Links that lead somewhere for a call.
#[derive(Debug)]
pub(super) struct Lent {
    links: Vec<String>,
    caller: Caller,
    what: What,
    /// What is different once the call is done.
    sign: String,
}

impl Supervisor {
    /// Makes the way ready for the kernel.
    pub(super) fn lend(&mut self, request: &Request<'_>, what: What) -> Result<Answer, Errno> {
        let Request { caller, memory: _, found } = request;
        let sign = self.sign(caller, what)?;
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
            | Place::Missing(..) => {}
        }
        if links.is_empty() {
            return Ok(Answer::Continue);
        }
        Ok(Answer::Lent(Lent { links, caller: (*caller).clone(), what, sign }))
    }

    /// Waits until the kernel has gone the way, and has its links lead nowhere again.
    pub(super) fn take_back(&mut self, lent: &Lent) -> Result<(), Errno> {
        let end = Instant::now() + PATIENCE;
        self.identity.borrow(&lent.caller)?;
        while self.sign(&lent.caller, lent.what).is_ok_and(|sign| sign == lent.sign)
            && Instant::now() < end
        {
            std::thread::sleep(PAUSE);
        }
        self.identity.root()?;
        lent.links.iter().try_for_each(|link| self.skeleton.link(link, None))
    }

    /// Something that a call changes when it is done. Wants the rights of the caller.
    fn sign(&self, caller: &Caller, what: What) -> Result<String, Errno> {
        let thread = caller.thread;
        match what {
            // Where the kernel has put the program, its stack and its arguments.
            What::Execute => {
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
            What::ChangeDirectory => {
                let cwd = format!("{thread}/cwd");
                let cwd = rustix::fs::readlinkat(self.tree.fd(), cwd, Vec::new())?;
                Ok(String::from_utf8_lossy(cwd.as_bytes()).into_owned())
            }
            _ => {
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
