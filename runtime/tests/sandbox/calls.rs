//! System calls that busybox does not make, for a program in a root of the tests.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::{AsFd, AsRawFd as _, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use rustix::process::{Gid, Uid};

/// Makes calls of a kind, and prints what came of them.
pub(crate) fn make(kind: &str, argument: Option<&str>) {
    match kind {
        "way-out" => way_out(),
        "attributes" => attributes(),
        "mode" => mode(),
        "unreadable" => unreadable(),
        "signal" => signal(),
        "many" => many(),
        "programs" => programs(),
        "as-web" => as_web(argument.unwrap()),
        "replaced" => replaced(),
        "nothing" => println!("nothing"),
        other => panic!("{other}"),
    }
}

fn open(base: impl AsFd, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(base, path, flags, Mode::empty())
}

fn told(result: rustix::io::Result<()>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "this is a command of a step")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// A file that is made through `/proc`, while another thread puts a named pipe at its name that
/// nobody writes to.
fn replaced() {
    const NAME: &str = "/tmp/replaced";
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                rustix::fs::mknodat(CWD, NAME, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).ok();
                rustix::fs::unlink(NAME).ok();
            }
        });
        for _ in 0..1000 {
            let flags = OFlags::CREATE | OFlags::RDONLY;
            rustix::fs::open("/proc/self/cwd/tmp/replaced", flags, Mode::RUSR).ok();
        }
        ended.store(true, Ordering::Relaxed);
    });
    println!("done");
}

/// From every directory that can be opened below `/proc`, and by its links.
fn way_out() {
    let parent = std::os::unix::process::parent_id();
    let up = "../".repeat(12);
    for from in ["/proc", "/proc/self", "/proc/self/fd", "/proc/self/task", "/proc/self/ns"] {
        for flags in [OFlags::RDONLY, OFlags::PATH] {
            let directory = open(CWD, from, flags | OFlags::DIRECTORY).unwrap();
            for to in [
                format!("{up}marker"),
                format!("1/root/{up}marker"),
                format!("{up}proc/1/environ"),
                format!("../{parent}/root"),
                "1/root".to_owned(),
                "../1/status".to_owned(),
                format!("{parent}"),
                format!("{parent}/mem"),
            ] {
                assert!(open(&directory, &to, OFlags::PATH).is_err(), "{from} {to}");
                assert!(open(&directory, &to, OFlags::RDONLY).is_err(), "{from} {to}");
            }
        }
    }
    for link in ["/proc/self/root", "/proc/self/cwd", "/proc/thread-self/root"] {
        let link = open(CWD, link, OFlags::PATH).unwrap();
        let top = open(&link, &up, OFlags::PATH).unwrap();
        assert!(open(&top, "bin/busybox", OFlags::PATH).is_ok());
        assert!(open(&top, "marker", OFlags::PATH).is_err());
    }
    println!("none");
}

fn attributes() {
    let file = open(CWD, "/tmp/file", OFlags::RDONLY).unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    println!("{}", told(rustix::fs::setxattr(&path, "user.a", b"value", XattrFlags::empty())));
    let mut value = [0; 16];
    let length = rustix::fs::getxattr("/tmp/file", "user.a", &mut value).unwrap();
    println!("{}", String::from_utf8_lossy(&value[..length]));
    println!("{:?}", rustix::fs::getxattr_query(&path, "user.a"));
    println!("{}", told(rustix::fs::removexattr(&path, "user.a")));
    println!("{:?}", rustix::fs::listxattr(&path, &mut value));
}

fn mode() {
    let file = open(CWD, "/tmp/file", OFlags::PATH).unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mode = Mode::from_raw_mode(0o640);
    println!("{}", told(rustix::fs::chmodat(CWD, &path, mode, AtFlags::empty())));
    let (user, group) = (Some(Uid::from_raw(7)), Some(Gid::from_raw(8)));
    println!("{}", told(rustix::fs::chown(&path, user, group)));
    let time = Timespec { tv_sec: 1_000_000, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    println!("{}", told(rustix::fs::utimensat(CWD, &path, &times, AtFlags::empty())));
}

/// As a process that may not be looked into any more, not even by itself.
fn unreadable() {
    let web = Uid::from_raw(101);
    rustix::thread::set_thread_res_uid(web, web, web).unwrap();
    println!("{}", open(CWD, "/etc/passwd", OFlags::RDONLY).is_ok());
    println!("{}", open(CWD, "/proc/self/maps", OFlags::RDONLY).is_ok());
}

/// A directory of `/proc` can stand for its process; what does not is passed over for its number.
fn signal() {
    let own = open(CWD, "/proc/self", OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
    let sent = rustix::process::pidfd_send_signal(own, rustix::process::Signal::CONT);
    println!("{:?}", sent.unwrap_err());
    let file = open(CWD, "/etc/passwd", OFlags::RDONLY).unwrap();
    let sent = rustix::process::pidfd_send_signal(file, rustix::process::Signal::CONT);
    println!("{:?}", sent.unwrap_err());
}

fn many() {
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(repeatedly)).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    println!("done");
}

fn repeatedly() {
    let tid = rustix::thread::gettid().as_raw_nonzero().to_string();
    for _ in 0..50 {
        let own = fs::read_link("/proc/thread-self").unwrap();
        assert_eq!(own.file_name().unwrap().to_str().unwrap(), tid);
        fs::read_to_string("/proc/thread-self/comm").unwrap();
        fs::metadata("/bin/busybox").unwrap();
        fs::metadata("/missing").unwrap_err();
    }
}

fn programs() {
    let busybox = open(CWD, "/bin/busybox", OFlags::RDONLY).unwrap();
    for path in ["/proc/self/fd", "/dev/fd"] {
        let path = format!("{path}/{}", busybox.as_raw_fd());
        command(&path).arg0("echo").arg("done").status().unwrap();
    }
    command("/proc/self/exe").args(["--calls", "nothing"]).status().unwrap();
    println!("{:?}", command("/proc/self/comm").status().unwrap_err().kind());
}

fn as_web(script: &str) {
    let error = command("sh").args(["-c", script]).uid(101).gid(102).exec();
    panic!("{error}");
}
