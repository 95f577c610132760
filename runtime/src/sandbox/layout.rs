//! What a step in a chroot sees beside its root: put in the root itself, taken away after it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::relay::Relay;
use super::stubs::{self, End, Stubs};
use super::{StepMount, copy, devices, prepare};
use crate::rootdir::RootDir;

/// Stand-ins for mounts in a root.
pub(super) struct Layout {
    stubs: Stubs,
    scratch: PathBuf,
    placed: usize,
}

impl Layout {
    /// For a root; what has to make way goes to `scratch`, on the same file system.
    pub(super) fn new(root: RootDir, scratch: PathBuf) -> Self {
        Self { stubs: Stubs::new(root), scratch, placed: 0 }
    }

    /// A `/dev` with the devices that work anywhere, or stand-ins for them if they are lent.
    pub(super) fn devices(&mut self, lent: bool) -> io::Result<()> {
        self.place("/dev", End::Remove, |parent, name| fresh_directory(parent, name, 0o755))?;
        for (name, major, minor) in devices::DEVICES {
            self.place(&format!("/dev/{name}"), End::Remove, |parent, name| {
                if lent { stand_in(parent, name) } else { device(parent, name, major, minor) }
            })?;
        }
        self.place("/dev/shm", End::Remove, |parent, name| fresh_directory(parent, name, 0o1777))
    }

    /// Stand-ins for what the step's supervisor answers for: `/proc`, and what is in `/dev` beside
    /// devices. Without it they are of no use.
    pub(super) fn proc(&mut self) -> io::Result<()> {
        let directory = |parent: BorrowedFd<'_>, name: &OsStr| fresh_directory(parent, name, 0o555);
        self.place("/proc", End::Remove, directory)?;
        let directory = |parent: BorrowedFd<'_>, name: &OsStr| fresh_directory(parent, name, 0o755);
        self.place("/dev/pts", End::Remove, directory)?;
        for path in ["/dev/ptmx", "/dev/pts/ptmx"] {
            self.place(path, End::Remove, stand_in)?;
        }
        for (name, target) in devices::STREAMS {
            self.place(&format!("/dev/{name}"), End::Remove, |parent, name| {
                Ok(rustix::fs::symlinkat(target, parent, name)?)
            })?;
        }
        Ok(())
    }

    /// A file, in place of what stands there.
    pub(super) fn file(
        &mut self,
        target: &str,
        content: &[u8],
        mode: u32,
        owner: (u32, u32),
    ) -> io::Result<()> {
        self.place(target, End::Remove, |parent, name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600))?;
            let mut file = File::from(fd);
            file.write_all(content)?;
            fchown(&file, Some(owner.0), Some(owner.1))?;
            stubs::set_mode(parent, name, mode)
        })
    }

    /// What stands for a mount of the step; and what has to run for it meanwhile.
    pub(super) fn mount(&mut self, mount: StepMount) -> io::Result<Option<Relay>> {
        match mount {
            StepMount::Bind { target, from, source, writable: _ } => {
                let from = RootDir::from_fd(from);
                let flags = OFlags::RDONLY | OFlags::NONBLOCK;
                let from = from.open_at(Path::new(&source), flags, Mode::empty())?;
                let kind = FileType::from_raw_mode(rustix::fs::fstat(&from)?.st_mode);
                self.stubs.check(Path::new(&target), kind == FileType::Directory)?;
                self.place(&target, End::Remove, |parent, name| copy::copy(from, parent, name))?;
            }
            StepMount::Cache { target, directory, readonly } => {
                self.stubs.check(Path::new(&target), true)?;
                self.cache(&target, &directory, readonly)?;
            }
            StepMount::Tmpfs { target, size: _, readonly: _ } => {
                self.stubs.check(Path::new(&target), true)?;
                let fill =
                    |parent: BorrowedFd<'_>, name: &OsStr| fresh_directory(parent, name, 0o1777);
                self.place(&target, End::Remove, fill)?;
            }
            StepMount::Secret { target, content, mode, uid, gid } => {
                self.stubs.check(Path::new(&target), false)?;
                self.file(&target, &content, mode, (uid, gid))?;
            }
            StepMount::Ssh { target, socket, mode, uid, gid } => {
                let mut listener = None;
                self.place(&target, End::Remove, |parent, name| {
                    let path = stubs::entry_path(parent, name);
                    listener = Some(prepare::listen(&path, mode, (uid, gid))?);
                    Ok(())
                })?;
                return Ok(listener.map(|listener| Relay { listener, agent: socket }));
            }
        }
        Ok(None)
    }

    /// Undoes everything.
    pub(super) fn take_away(self) -> io::Result<()> {
        self.stubs.undo()
    }

    /// Moves the directory in; between file systems, copies it in, and back if it was to change.
    fn cache(&mut self, target: &str, directory: &Path, readonly: bool) -> io::Result<()> {
        let probe = self.scratch.join("same-file-system");
        let same = match rustix::fs::renameat(CWD, directory, CWD, &probe) {
            Ok(()) => rustix::fs::renameat(CWD, &probe, CWD, directory).map(|()| true),
            Err(Errno::XDEV) => Ok(false),
            Err(error) => Err(error),
        }?;
        let end = if same || !readonly { End::Return(directory.to_owned()) } else { End::Remove };
        self.place(target, end, |parent, name| {
            if same {
                return Ok(rustix::fs::renameat(CWD, directory, parent, name)?);
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let from = rustix::fs::open(directory, flags, Mode::empty())?;
            copy::copy(from, parent, name)
        })
    }

    fn place(
        &mut self,
        target: &str,
        end: End,
        fill: impl FnOnce(BorrowedFd<'_>, &OsStr) -> io::Result<()>,
    ) -> io::Result<()> {
        self.placed += 1;
        let aside = self.scratch.join(format!("aside-{}", self.placed));
        self.stubs.place(Path::new(target), &aside, end, fill)
    }
}

fn stand_in(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    devices::stand_in(parent, name)?;
    stubs::set_mode(parent, name, 0o666)
}

fn device(parent: BorrowedFd<'_>, name: &OsStr, major: u32, minor: u32) -> io::Result<()> {
    let number = rustix::fs::makedev(major, minor);
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(parent, name, FileType::CharacterDevice, mode, number)?;
    stubs::set_mode(parent, name, 0o666)
}

fn fresh_directory(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<()> {
    rustix::fs::mkdirat(parent.as_fd(), name, Mode::from_raw_mode(0o700))?;
    stubs::set_mode(parent, name, mode)
}
