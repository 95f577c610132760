//! What the builder tells its helper about a step, and what it hears back.
//!
//! The helper's standard input is a stream socket: a frame with the step's [`Spec`] comes over it
//! together with descriptors, and its end of file means "end the step now". A second socket,
//! the first of those descriptors, carries the [`Report`] back; nobody but the step's init holds
//! its other end, so its end of file means that the init is gone.

use std::io::{self, IoSlice, IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use ir::instruction::{Network, Security};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::{Deserialize, Serialize};

use super::enter::Answered;
use super::fence::Guard;
use super::limits::Ulimit;

/// Descriptors sent with one byte of the stream; the kernel's bound is 253.
const FDS_A_MESSAGE: usize = 128;

/// A step as its helper sees it. Descriptors are named by their place among those sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    /// How it is confined.
    pub confinement: Confinement,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Absolute path in the root.
    pub cwd: String,
    /// Who it runs as.
    pub ids: Ids,
    /// Which capabilities it keeps.
    pub security: Security,
    /// What it may use.
    pub limits: Vec<Ulimit>,
    /// What holds it back besides.
    pub guard: Guard,
}

/// Who a command runs as.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ids {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

/// The descriptor of the socket that reports go to.
pub(super) const REPORT: usize = 0;
/// The descriptor of the root: a detached mount, or for a chroot the directory.
pub(super) const ROOT: usize = 1;

/// The file that names hosts; in it a step finds itself.
pub(super) const HOSTS: &str = "/etc/hosts";

/// How a step is confined.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Confinement {
    /// In namespaces of its own.
    Namespaces(Namespaces),
    /// By `chroot(2)` alone; everything the step sees has been laid out in the root.
    Chroot {
        /// With [`Network::None`], sockets that reach a network are refused.
        network: Network,
        /// What the helper answers for.
        answered: Answered,
    },
    /// Not at all; the root's files are in `/`.
    InPlace {
        /// As in a chroot.
        network: Network,
    },
}

/// What is set up in a step's namespaces.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Namespaces {
    /// An empty directory of the builder's: a tmpfs is mounted on it for the duration.
    pub stage: PathBuf,
    /// An empty directory on disk, for what is written to writable binds.
    pub disk: PathBuf,
    /// Whether there is a pid namespace, and so a `/proc` of its own.
    pub own_pids: bool,
    /// With [`Network::None`] there is a network namespace with nothing but a loopback interface.
    pub network: Network,
    /// What is hidden in `/proc` and `/sys`.
    pub security: Security,
    /// Whether overlay keeps its marks in `user.*` attributes.
    pub overlay_user_xattrs: bool,
    /// Size of `/dev/shm` in bytes.
    pub shared_memory: u64,
    /// The host name.
    pub hostname: String,
    /// Files that every step has: absolute path and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// In order.
    pub mounts: Vec<Mount>,
    /// Scripts below `/dev/pipes`: name and content.
    pub scripts: Vec<(String, String)>,
}

/// One mount of a step. Targets are absolute paths in the root.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mount {
    pub target: String,
    pub kind: MountKind,
}

/// What is mounted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum MountKind {
    /// A detached mount.
    Attach { descriptor: usize, access: Access },
    /// A tmpfs of at most so many bytes.
    Tmpfs { size: Option<u64>, readonly: bool },
    /// A file in memory.
    File { content: Vec<u8>, mode: u32, uid: u32, gid: u32, readonly: bool },
}

/// What a step may do to what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Access {
    /// Read it.
    ReadOnly,
    /// Change it.
    Shared,
    /// Change it, and nobody will know.
    ThrowAway,
}

/// What the helper has to say.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// The step could not be set up.
    Failed(Failure),
    /// The command ended by itself.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

/// A stage of the set-up that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// Verb and object, as they follow "cannot".
    pub stage: String,
    /// The error's number.
    pub errno: i32,
}

impl Failure {
    pub(super) fn new(stage: impl Into<String>, error: &io::Error) -> Self {
        Self { stage: stage.into(), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }

    pub(super) fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.stage, self.error())
    }
}

/// Says what a step of the set-up was about.
pub(super) trait Stage<T> {
    fn stage(self, stage: &str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Stage<T> for Result<T, E> {
    fn stage(self, stage: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(stage, &error.into()))
    }
}

/// Sends a specification and its descriptors.
pub(super) fn send(
    mut socket: &UnixStream,
    spec: &Spec,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    send_descriptors(socket, descriptors)?;
    write_frame(&mut socket, spec)
}

/// Sends descriptors alone.
pub(super) fn send_descriptors(
    socket: &UnixStream,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    for chunk in descriptors.chunks(FDS_A_MESSAGE) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_A_MESSAGE))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(chunk));
        let data = [IoSlice::new(&[0])];
        rustix::net::sendmsg(socket, &data, &mut control, SendFlags::NOSIGNAL)?;
    }
    Ok(())
}

/// Receives what [`send`] sent; `descriptors` is known from the command line.
pub(super) fn receive(
    mut socket: &UnixStream,
    descriptors: usize,
) -> io::Result<(Spec, Vec<OwnedFd>)> {
    let received = receive_descriptors(socket, descriptors)?;
    Ok((read_frame(&mut socket)?, received))
}

/// Receives so many descriptors that [`send_descriptors`] sent.
pub(super) fn receive_descriptors(
    socket: &UnixStream,
    descriptors: usize,
) -> io::Result<Vec<OwnedFd>> {
    let mut received = Vec::new();
    while received.len() < descriptors {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_A_MESSAGE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut data = [IoSliceMut::new(&mut byte)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let message = rustix::net::recvmsg(socket.as_fd(), &mut data, &mut control, flags)?;
        if message.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                received.extend(fds);
            }
        }
    }
    Ok(received)
}

/// Writes a value with its length before it.
pub(super) fn write_frame<T: Serialize>(to: &mut impl io::Write, value: &T) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    to.write_all(&u64::try_from(bytes.len()).expect("lengths fit").to_le_bytes())?;
    to.write_all(&bytes)
}

/// Reads what [`write_frame`] wrote.
pub(super) fn read_frame<T: for<'a> Deserialize<'a>>(from: &mut impl io::Read) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let mut bytes = Vec::new();
    from.take(u64::from_le_bytes(length)).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
