//! The helper process of a step: it starts the step's init, and ends whatever the step leaves.
//!
//! Three processes stand between the builder and a command, all of one thread:
//!
//! ```text
//! builder --exec--> helper --fork--> init (sets the namespaces up) --fork--> command
//! ```
//!
//! The helper stays where the builder is, or, where it answers for `/proc` (see
//! [`shim`]), takes the step's root for its own. It waits for the end of its standard input (the
//! builder has heard how the command ended, or does not want to, or is dead) and then kills
//! everything below itself until nothing is left. If a command manages to kill it, which takes the
//! right to send signals to it, the builder does that in its place (see [`orphans`](super::orphans)).

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;

use ir::instruction::Security;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus};
use rustix::thread::{CapabilitySet, UnshareFlags};

use super::processes::Processes;
use super::spec::{self, Confinement, Failure, Report, Spec, Stage as _};
use super::{chroot, command, namespaces, shim, sys};

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
    // Opened while this process has the builder's root.
    let processes = if own_pids { None } else { Some(Processes::open()?) };
    let shim = matches!(&spec.confinement, Confinement::Chroot { answered, .. } if answered.proc());
    let watch = if shim { Some(UnixStream::pair()?) } else { None };
    let helper = (!own_pids).then(rustix::process::getpid);
    let Some(init) = sys::fork()? else {
        drop(control);
        let supervisor = watch.as_ref().map(|(_, theirs)| theirs);
        let run = || {
            tie_to(helper)?;
            run(&spec, descriptors, &report, supervisor)
        };
        let done = match run() {
            Ok(end) => spec::write_frame(&mut &report, &end),
            Err(failure) => spec::write_frame(&mut &report, &Report::Failed(failure)),
        };
        sys::exit_now(i32::from(done.is_err()));
    };
    drop(report);
    let supervisor =
        watch.and_then(|(commands, _)| supervise(&spec, &descriptors, init, &control, commands));
    drop(descriptors);
    // Nothing more is ever sent: this returns when the builder closes its end.
    (&control).read_to_end(&mut Vec::new()).ok();
    let ended = end_everything(init, processes.as_ref());
    drop(supervisor);
    ended
}

/// Answers the command's system calls until the builder closes its end. Until what this returns is
/// dropped, those that were not answered wait.
///
/// If it fails, nobody answers the command: its calls fail.
fn supervise(
    spec: &Spec,
    descriptors: &[OwnedFd],
    init: Pid,
    control: &UnixStream,
    commands: UnixStream,
) -> Option<shim::Supervisor> {
    let kept = match spec.security {
        Security::Sandbox => command::DEFAULT_CAPABILITIES,
        Security::Insecure => CapabilitySet::all(),
    };
    let root = chroot::root(descriptors).ok()?;
    let mut supervisor = shim::Supervisor::new(root, init, kept).ok()?;
    supervisor.run(control, commands).ok();
    Some(supervisor)
}

/// Has this process, the init, end with its helper, whose number it is told unless it sees none of
/// its processes.
fn tie_to(helper: Option<Pid>) -> Result<(), Failure> {
    let stage = "tie the step to its helper";
    // Nothing of a step is in the builder's session: by that it is told from what the builder has
    // started, if the helper is killed.
    rustix::process::setsid().stage(stage)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).stage(stage)?;
    if helper.is_some() && rustix::process::getppid() != helper {
        // It was killed before.
        return Err(Errno::SRCH).stage(stage);
    }
    Ok(())
}

/// The init: sets up, starts the command, and reaps until that ends.
fn run(
    spec: &Spec,
    descriptors: Vec<OwnedFd>,
    report: &UnixStream,
    supervisor: Option<&UnixStream>,
) -> Result<Report, Failure> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .stage("adopt the step's processes")?;
    // In the root, what stands for it can only be opened by who is answered already.
    let lent =
        matches!(&spec.confinement, Confinement::Chroot { answered, .. } if answered.devices());
    let lent = lent.then(command::no_input).transpose()?;
    match &spec.confinement {
        Confinement::Namespaces(own) => namespaces::enter(own, descriptors)?,
        Confinement::Chroot { .. } => chroot::enter(&descriptors)?,
        Confinement::InPlace { .. } => rustix::process::chdir("/").stage("enter the root")?,
    }
    let Some(command) = sys::fork().stage("start the command's process")? else {
        let input = lent.map_or_else(command::no_input, Ok);
        let failure = match input.and_then(|input| command::execute(spec, &input, supervisor)) {
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
/// In a pid namespace the death of the init is enough, and there are no `processes` to look at.
/// Elsewhere what dies leaves its children to this process, the subreaper: so what is not found in
/// one round is found in the next.
fn end_everything(init: Pid, processes: Option<&Processes>) -> io::Result<()> {
    // Not yet waited for, so the number is still its own.
    rustix::process::kill_process(init, Signal::KILL).ok();
    loop {
        let stop = |processes: &Processes| processes.stop_descendants(rustix::process::getpid());
        let found = processes.map(stop).transpose()?.unwrap_or_default();
        for pid in &found {
            // What is gone already needs no killing.
            rustix::process::kill_process(*pid, Signal::KILL).ok();
        }
        // A search that found nothing may have missed a process that was just being adopted:
        // then it must not wait for that one to end by itself.
        let patient = processes.is_none() || !found.is_empty();
        let options = if patient { WaitOptions::empty() } else { WaitOptions::NOHANG };
        match wait(options) {
            Ok(_) => while wait(WaitOptions::NOHANG).is_ok() {},
            Err(Errno::AGAIN) => rustix::thread::sched_yield(),
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
