//! Trees copied where mounts and renames are not to be had.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, Uid,
};
use tokio_util::sync::CancellationToken;

use crate::rootdir::RootDir;
use crate::snapshot::copy_what_is_allowed;

/// Copies what `from` is open on (for reading) to a name that is free: a file, or a directory with
/// all that a root may hold.
///
/// Contents are shared with the original where the file system can do that.
pub(super) fn copy(from: OwnedFd, to: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let stat = rustix::fs::fstat(&from)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(to, name, flags, Mode::empty())?;
        let (from, made) = (RootDir::from_fd(from), RootDir::from_fd(made));
        // To the end even when the build is stopped: it may be what brings a cache back.
        let never = CancellationToken::new();
        return copy_what_is_allowed(&from, &made, &never).map_err(io::Error::other);
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let made = rustix::fs::openat(to, name, flags, Mode::from_raw_mode(0o600))?;
    io::copy(&mut File::from(from), &mut File::from(made))?;
    finish(to, name, &stat)
}

/// Puts a copy of a directory where another one stands.
pub(super) fn replace_directory(from: OwnedFd, to: &Path) -> io::Result<()> {
    let parent = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(parent, flags, Mode::empty())?;
    let mut fresh = name.to_owned();
    fresh.push(".new");
    let path = parent.join(&fresh);
    if path.exists() {
        // Left by a builder that was killed here.
        fs::remove_dir_all(&path)?;
    }
    copy(from, directory.as_fd(), &fresh)?;
    let swap = RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(&directory, &fresh, &directory, name, swap)?;
    fs::remove_dir_all(&path)
}

/// Owner, mode and times, in the order in which none undoes another.
#[expect(clippy::useless_conversion, reason = "the types differ between machines")]
fn finish(to: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    let own = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(to, name, Some(uid), Some(gid), own)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        super::stubs::set_mode(to, name, stat.st_mode)?;
    }
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime.into(),
            tv_nsec: stat.st_atime_nsec.try_into().unwrap_or_default(),
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime.into(),
            tv_nsec: stat.st_mtime_nsec.try_into().unwrap_or_default(),
        },
    };
    Ok(rustix::fs::utimensat(to, name, &times, own)?)
}
