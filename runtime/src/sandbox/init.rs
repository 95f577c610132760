//! The helper process of a step: it starts the step's init, and ends whatever the step leaves.
//!
//! Three processes stand between the builder and a command, all of one thread:
//!
//! ```text
//! builder --exec--> helper --fork--> init (sets the namespaces up) --fork--> command
//! ```
//!
//! The helper stays where the builder is. It waits for the end of its standard input (the
//! builder has heard how the command ended, or does not want to, or is dead) and then kills
//! everything below itself until nothing is left.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus};
use rustix::thread::UnshareFlags;

use super::spec::{self, Confinement, Failure, Report, Spec, Stage as _};
use super::{chroot, command, namespaces, sys};
use crate::rootdir;

/// What a program does when it finds itself started as a step's helper. `arguments` are those
/// behind the ones of [`Helper`](super::Helper). Returns the code to exit with, in every process
/// that comes out of it.
pub fn init(arguments: &[String]) -> u8 {
    match helper(arguments) {
        Ok(()) => 0,
        // The builder learns from the missing report that something is wrong; the exit code
        // tells a person with strace what.
        Err(_) => 125,
    }
}

fn helper(arguments: &[String]) -> io::Result<()> {
    sys::close_on_exec();
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let descriptors = arguments.first().and_then(|count| count.parse().ok());
    let descriptors = descriptors.ok_or(io::ErrorKind::InvalidInput)?;
    let (spec, mut descriptors) = spec::receive(&control, descriptors)?;
    let report = UnixStream::from(descriptors.remove(spec::REPORT));

    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let own_pids =
        matches!(&spec.confinement, Confinement::Namespaces(namespaces) if namespaces.own_pids);
    if own_pids {
        let unshared = sys::unshare(UnshareFlags::NEWPID).stage("make a pid namespace");
        if let Err(failure) = unshared {
            return spec::write_frame(&mut &report, &Report::Failed(failure));
        }
    }
    let Some(init) = sys::fork()? else {
        drop(control);
        let done = match run(&spec, descriptors, &report) {
            Ok(end) => spec::write_frame(&mut &report, &end),
            Err(failure) => spec::write_frame(&mut &report, &Report::Failed(failure)),
        };
        sys::exit_now(i32::from(done.is_err()));
    };
    drop((report, descriptors));
    // Nothing more is ever sent: this returns when the builder closes its end.
    (&control).read_to_end(&mut Vec::new()).ok();
    end_everything(init, own_pids)
}

/// The init: sets up, starts the command, and reaps until that ends.
fn run(spec: &Spec, descriptors: Vec<OwnedFd>, report: &UnixStream) -> Result<Report, Failure> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .stage("tie the step to its helper")?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .stage("adopt the step's processes")?;
    match &spec.confinement {
        Confinement::Namespaces(own) => namespaces::enter(own, descriptors)?,
        Confinement::Chroot { .. } => chroot::enter(descriptors)?,
        Confinement::InPlace { .. } => rustix::process::chdir("/").stage("enter the root")?,
    }
    let Some(command) = sys::fork().stage("start the command's process")? else {
        let failure = match command::execute(spec) {
            Ok(code) => sys::exit_now(code),
            Err(failure) => failure,
        };
        spec::write_frame(&mut &*report, &Report::Failed(failure)).ok();
        sys::exit_now(125)
    };
    loop {
        let (pid, status) = wait(WaitOptions::empty()).stage("wait for the command")?;
        if pid == command {
            return Ok(ended(status));
        }
    }
}

fn ended(status: WaitStatus) -> Report {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Report::Exited(code),
        (None, signal) => Report::Killed(signal.unwrap_or_default()),
    }
}

/// Waits for any child.
fn wait(options: WaitOptions) -> rustix::io::Result<(Pid, WaitStatus)> {
    loop {
        match rustix::process::wait(options) {
            Ok(Some(child)) => return Ok(child),
            Ok(None) => return Err(Errno::AGAIN),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Kills all descendants, also those that are being started meanwhile, and waits for them.
///
/// In a pid namespace the death of the init is enough. Elsewhere what dies leaves its children
/// to this process, the subreaper: so what is not found in one round is found in the next, and
/// stopping each before looking at its children keeps a fork bomb from outrunning the search.
fn end_everything(init: Pid, own_pids: bool) -> io::Result<()> {
    // Not yet waited for, so the number is still its own.
    rustix::process::kill_process(init, Signal::KILL).ok();
    loop {
        let found = if own_pids { Vec::new() } else { stop_descendants()? };
        for pid in &found {
            // What is gone already needs no killing.
            rustix::process::kill_process(*pid, Signal::KILL).ok();
        }
        // A search that found nothing may have missed a process that was just being adopted:
        // then it must not wait for that one to end by itself.
        let patient = own_pids || !found.is_empty();
        let options = if patient { WaitOptions::empty() } else { WaitOptions::NOHANG };
        match wait(options) {
            Ok(_) => while wait(WaitOptions::NOHANG).is_ok() {},
            Err(Errno::AGAIN) => rustix::thread::sched_yield(),
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Stops every descendant and returns them, parents first.
fn stop_descendants() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    let mut pending = children(rustix::process::getpid())?;
    while let Some(pid) = pending.pop() {
        rustix::process::kill_process(pid, Signal::STOP).ok();
        found.push(pid);
        // A process that ended meanwhile has no children any more.
        pending.extend(children(pid).unwrap_or_default());
    }
    Ok(found)
}

/// The children of all threads of a process.
fn children(parent: Pid) -> io::Result<Vec<Pid>> {
    let tasks = format!("/proc/{}/task", parent.as_raw_nonzero());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::open(tasks, flags, Mode::empty())?;
    let mut found = Vec::new();
    for task in rootdir::names(tasks.as_fd())? {
        let path = Path::new(&task).join("children");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(&tasks, path, flags, Mode::empty()) else { continue };
        let mut text = String::new();
        if File::from(file).read_to_string(&mut text).is_ok() {
            let numbers = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
            found.extend(numbers.filter_map(Pid::from_raw));
        }
    }
    Ok(found)
}
