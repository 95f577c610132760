//! What a build leaves behind on the machine: processes and mounts.
#![expect(clippy::disallowed_methods, reason = "the process table is a directory")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// Command lines of running processes that have a text in them, but for this one's.
pub fn with(text: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").expect("there is /proc");
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str() != Some(&own))
        // A process may end while it is looked at.
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

/// Kills the processes of a program that have a text in their command line.
pub fn kill(program: &str, text: &str) {
    let entries = fs::read_dir("/proc").expect("there is /proc");
    for entry in entries.flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let id = entry.file_name().to_str().and_then(|id| id.parse().ok());
        if line.starts_with(program) && line.contains(text) {
            let id = id.and_then(Pid::from_raw).expect("a process has a number");
            rustix::process::kill_process(id, Signal::KILL).expect("it runs");
        }
    }
}

/// Fails if processes with a text in their command line do not all end by themselves.
pub fn assert_gone(text: &str) {
    // After SIGKILL the kernel takes the children down, in its own time.
    for _ in 0..200 {
        if with(text).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("these still run: {:?}", with(text));
}

/// Fails if something is mounted below a directory, seen from this process.
pub fn assert_no_mount_below(directory: &Path) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("there is /proc");
    let directory = directory.display().to_string();
    let left: Vec<&str> = mounts.lines().filter(|line| line.contains(&directory)).collect();
    assert!(left.is_empty(), "these are still mounted: {left:?}");
}
