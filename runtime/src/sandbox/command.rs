//! The command itself: identity, capabilities, environment, and the program behind its name.

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use ir::instruction::{Network, Security};
use rustix::fd::AsFd as _;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::spec::{Confinement, Failure, Ids, Spec, Stage as _};
use super::{limits, seccomp, shim};
use crate::rootdir;

/// Where programs are looked for if the environment does not say, as with BuildKit.
pub(super) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What Docker leaves to a container.
pub(super) const DEFAULT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// What a command reads from: nothing.
pub(super) fn no_input() -> Result<File, Failure> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open("/dev/null", flags, Mode::empty()).map(File::from).stage("open /dev/null")
}

/// Becomes the command. Comes back only with the exit code a shell gives to a program that could
/// not be started (its reason is on standard error), or because the process could not be prepared.
///
/// `supervisor` is whom the command asks about paths, if anyone.
pub(super) fn execute(
    spec: &Spec,
    input: &File,
    supervisor: Option<&UnixStream>,
) -> Result<i32, Failure> {
    rustix::process::setsid().stage("start a session")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    if let Confinement::Chroot { network: Network::None, .. }
    | Confinement::InPlace { network: Network::None } = spec.confinement
    {
        seccomp::refuse_networks().stage("refuse network sockets")?;
    }
    limits::apply(&spec.limits)?;
    if let Some(supervisor) = supervisor {
        shim::install(supervisor)?;
    }
    spec.guard.enter()?;
    if spec.security == Security::Sandbox {
        drop_capabilities(kept(spec)).stage("drop capabilities")?;
    }
    // As runc does: root may enter what the user may not, such as another user's home, and the
    // user what root may not, such as a directory that a server shows to its owner only.
    let entered = rustix::process::chdir(spec.cwd.as_str());
    become_user(&spec.ids)?;
    entered
        .or_else(|_| rustix::process::chdir(spec.cwd.as_str()))
        .stage(&format!("enter the working directory `{}`", spec.cwd))?;
    Ok(start(spec, input))
}

/// The capabilities that a command has if it is root.
fn kept(spec: &Spec) -> CapabilitySet {
    let mut kept = DEFAULT_CAPABILITIES;
    if matches!(spec.confinement, Confinement::Chroot { .. }) {
        // A second chroot is the way out of the first.
        kept.remove(CapabilitySet::SYS_CHROOT);
    }
    if !spec.guard.makes_devices {
        kept.remove(CapabilitySet::MKNOD);
    }
    kept
}

/// Lowers the bounding set: what this process still has, the program loses by being executed.
///
/// Capabilities that this process does not even have are not worth an error: then nobody can
/// drop anything, and nobody needs to.
fn drop_capabilities(kept: CapabilitySet) -> io::Result<()> {
    rustix::thread::clear_ambient_capability_set().ok();
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        match rustix::thread::capability_is_in_bounding_set(capability) {
            Ok(true) if !kept.contains(capability) => {
                rustix::thread::remove_capability_from_bounding_set(capability)?;
            }
            Ok(_) => {}
            // The first number that the kernel does not know.
            Err(_) => break,
        }
    }
    let had = rustix::thread::capabilities(None)?;
    let left = CapabilitySets {
        effective: had.effective & kept,
        permitted: had.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, left)?;
    Ok(())
}

fn become_user(ids: &Ids) -> Result<(), Failure> {
    let uid = Uid::from_raw(ids.uid);
    let gid = Gid::from_raw(ids.gid);
    // The pipes are root's: without this, /dev/stdout could not be opened by anyone else.
    for stream in [io::stdout().as_fd(), io::stderr().as_fd()] {
        rustix::fs::fchown(stream, Some(uid), None).ok();
    }
    let groups: Vec<_> = ids.groups.iter().copied().map(Gid::from_raw).collect();
    match rustix::thread::set_thread_groups(&groups) {
        // With a single id in the user namespace there are no other groups to leave or join.
        Err(rustix::io::Errno::PERM) if groups.is_empty() => Ok(()),
        other => other,
    }
    .stage("set the supplementary groups")?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)
        .stage(&format!("become group {}", ids.gid))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).stage(&format!("become user {}", ids.uid))
}

/// Executes the program that the first argument names, as a shell would look for it.
fn start(spec: &Spec, input: &File) -> i32 {
    let Some((program, arguments)) = spec.argv.split_first() else {
        return complain("no command given", 127);
    };
    let path = spec.env.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or(DEFAULT_PATH, |(_, value)| value);
    let candidates: Vec<String> = if program.contains('/') {
        vec![program.clone()]
    } else {
        let directories = path.split(':');
        directories
            .map(|directory| match directory {
                "" => format!("./{program}"),
                _ => format!("{directory}/{program}"),
            })
            .collect()
    };
    let mut reason = None;
    for candidate in candidates {
        let Ok(input) = input.try_clone() else { continue };
        #[expect(clippy::disallowed_methods, reason = "the sandbox starts the commands")]
        let error = Command::new(candidate)
            .arg0(program)
            .args(arguments)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(input))
            .exec();
        // As execvp(3): a directory that does not have it is passed over, and one that may not
        // be used is remembered.
        if rootdir::is_missing(&error) {
            continue;
        }
        let passed_over = error.kind() == io::ErrorKind::PermissionDenied;
        reason = Some(error);
        if !passed_over {
            break;
        }
    }
    match reason {
        Some(error) => complain(&format!("cannot execute `{program}`: {error}"), 126),
        None if program.contains('/') => {
            let advice = "no such file, or its interpreter is missing";
            complain(&format!("cannot execute `{program}`: {advice}"), 127)
        }
        None => complain(&format!("cannot find `{program}` in PATH `{path}`"), 127),
    }
}

/// Tells the reader of the command's output why there is none.
fn complain(message: &str, code: i32) -> i32 {
    rustix::io::write(io::stderr(), format!("{message}\n").as_bytes()).ok();
    code
}
