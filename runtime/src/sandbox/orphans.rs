//! What a step leaves when its helper is killed: its processes, which the builder then inherits.

use std::io;

use rustix::process::{Pid, Signal, WaitOptions};

use super::processes::Processes;

/// Has this process, the builder, inherit what is left by those that it starts. Nobody else could
/// tell whose it was.
pub(super) fn inherit() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Ends what was inherited. Where this process inherits from strangers too, as the first of a
/// container does, theirs is no exception.
///
/// What this process itself has started, such as the helpers of other steps, is in its session; of
/// a step, nothing is.
pub(super) fn end() -> io::Result<()> {
    // While processes end, the kernel's list of children can miss one.
    const QUIET_LOOKS: u32 = 2;

    let processes = Processes::open()?;
    let builder = rustix::process::getpid();
    let session = processes.session(builder);
    let is_orphan = |child: &Pid| processes.session(*child).is_some_and(|its| Some(its) != session);
    let mut quiet = 0;
    while quiet < QUIET_LOOKS {
        let mut orphans = processes.children(builder)?;
        orphans.retain(is_orphan);
        quiet = if orphans.is_empty() { quiet + 1 } else { 0 };
        for orphan in &orphans {
            // What is gone already needs no killing, here and below.
            rustix::process::kill_process(*orphan, Signal::STOP).ok();
            for pid in processes.stop_descendants(*orphan).unwrap_or_default() {
                rustix::process::kill_process(pid, Signal::KILL).ok();
            }
            rustix::process::kill_process(*orphan, Signal::KILL).ok();
        }
        for orphan in orphans {
            // Another step that lost its helper may have waited for it.
            rustix::process::waitpid(Some(orphan), WaitOptions::empty()).ok();
        }
    }
    Ok(())
}
