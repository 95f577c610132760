//! What a file system keeps about a name, read into an [`Entry`] and given back from one.
//!
//! Everything works on a directory's descriptor and one name in it; symbolic links are never
//! followed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid};
use rustix::fs::{UTIME_OMIT, XattrFlags};
use rustix::io::Errno;

use crate::layer::entry::{Entry, Kind, Time};
use crate::rootdir::stat_at;

/// Reads a name of a directory as the entry that `path` has in a layer. `.` reads the directory
/// itself. None for a socket, which no archive can hold.
///
/// Every regular file is a [`Kind::File`], whatever its number of links.
pub(crate) fn entry_at(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    path: PathBuf,
) -> io::Result<Option<Entry>> {
    let stat = stat_at(dir, name)?;
    let device = || (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File { size: u64::try_from(stat.st_size).unwrap_or(0) },
        FileType::Directory => Kind::Directory,
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(dir, name, Vec::new())?;
            Kind::Symlink { target: std::ffi::OsString::from_vec(target.into_bytes()).into() }
        }
        FileType::CharacterDevice => Kind::CharDevice { device: device() },
        FileType::BlockDevice => Kind::BlockDevice { device: device() },
        FileType::Fifo => Kind::Fifo,
        FileType::Socket | FileType::Unknown => return Ok(None),
    };
    let (uid, gid) = owner(&stat);
    Ok(Some(Entry {
        path,
        kind,
        mode: stat.st_mode & 0o7777,
        uid,
        gid,
        mtime: mtime(&stat),
        xattrs: xattrs_at(dir, name)?,
    }))
}

/// Whose a file is in an image. What a builder makes is root's: where that is not who the builder
/// is, it cannot give files to anyone, and they stay its own.
fn owner(stat: &Stat) -> (u32, u32) {
    let user = rustix::process::geteuid();
    if user.is_root() {
        return (stat.st_uid, stat.st_gid);
    }
    let (uid, gid) = (user.as_raw(), rustix::process::getegid().as_raw());
    let uid = if stat.st_uid == uid { 0 } else { stat.st_uid };
    (uid, if stat.st_gid == gid { 0 } else { stat.st_gid })
}

/// Whether something counts as absent: no layer can hold a socket, and a character device 0:0 is
/// how overlays, and with them the lower directories of other roots, write a deletion.
pub(crate) fn is_absent(stat: &Stat) -> bool {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket | FileType::Unknown => true,
        FileType::CharacterDevice => stat.st_rdev == 0,
        FileType::RegularFile
        | FileType::Directory
        | FileType::Symlink
        | FileType::BlockDevice
        | FileType::Fifo => false,
    }
}

/// When something's content changed last.
pub(crate) fn mtime(stat: &Stat) -> Time {
    Time { seconds: stat.st_mtime, nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) }
}

/// The extended attributes of a name that belong into a layer. None where the file system has no
/// attributes.
pub(crate) fn xattrs_at(
    dir: BorrowedFd<'_>,
    name: &OsStr,
) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let (target, names) = Target::open(dir, name)?;
    let mut xattrs = BTreeMap::new();
    for name in names {
        match target.get(&name) {
            Ok(value) => drop(xattrs.insert(name, value)),
            // Gone since it was listed, or listed although its handler refuses it.
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(xattrs)
}

/// Gives a name an entry's owner, mode (not to symlinks, which have none), extended attributes and
/// last its modification time. Attributes that belong into a layer and are not the entry's are
/// taken away.
///
/// # Errors
///
/// The first thing that is refused; `EINVAL` for a whiteout and for the owner 4294967295, which
/// `chown(2)` takes for «leave it».
pub(crate) fn apply(dir: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> io::Result<()> {
    match apply_what_is_allowed(dir, name, entry)?.into_iter().next() {
        None => Ok(()),
        Some(refused) => Err(refused.reason.into()),
    }
}

/// As [`apply`], except that extended attributes which the file system or the kernel does not
/// take here (`ENOTSUP`, `EPERM`, `EACCES`) are returned instead of ending the work.
pub(crate) fn apply_what_is_allowed(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    entry: &Entry,
) -> io::Result<Vec<RefusedXattr>> {
    if entry.kind == Kind::Whiteout || entry.uid == u32::MAX || entry.gid == u32::MAX {
        return Err(Errno::INVAL.into());
    }
    let stat = stat_at(dir, name)?;
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    if (stat.st_uid, stat.st_gid) != (entry.uid, entry.gid) {
        rustix::fs::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    // After the owner: chown(2) takes setuid, setgid and capabilities away.
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        let mode = Mode::from_raw_mode(entry.mode & 0o7777);
        rustix::fs::chmodat(dir, name, mode, AtFlags::empty())?;
    }
    let (target, present) = Target::open(dir, name)?;
    let refused = target.apply(&present, &entry.xattrs)?;
    set_mtime(dir, name, entry.mtime)?;
    Ok(refused)
}

/// As [`apply_what_is_allowed`], to a regular file that is open for writing.
pub(crate) fn apply_to_new_file(
    file: BorrowedFd<'_>,
    entry: &Entry,
) -> io::Result<Vec<RefusedXattr>> {
    if entry.uid == u32::MAX || entry.gid == u32::MAX {
        return Err(Errno::INVAL.into());
    }
    let stat = rustix::fs::fstat(file)?;
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    if (stat.st_uid, stat.st_gid) != (entry.uid, entry.gid) {
        rustix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(entry.mode & 0o7777))?;
    let target = Target::Borrowed(file);
    let refused = target.apply(&target.list()?, &entry.xattrs)?;
    rustix::fs::futimens(file, &only_mtime(entry.mtime))?;
    Ok(refused)
}

/// Sets the modification time of a name; the access time stays.
pub(crate) fn set_mtime(dir: BorrowedFd<'_>, name: &OsStr, mtime: Time) -> io::Result<()> {
    Ok(rustix::fs::utimensat(dir, name, &only_mtime(mtime), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn only_mtime(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.seconds, tv_nsec: mtime.nanoseconds.into() },
    }
}

/// An extended attribute that could not be given.
#[derive(Debug)]
pub(crate) struct RefusedXattr {
    /// Its full name.
    pub name: Vec<u8>,
    /// What the kernel said.
    pub reason: Errno,
}

/// Whether an extended attribute belongs into a layer: what users, capabilities and POSIX ACLs
/// are kept in. Left out is what belongs to the machine or its file systems (`security.selinux`,
/// `security.ima`, `system.nfs4_acl`, `trusted.*`) and what overlays keep their own marks in.
pub(crate) fn belongs_in_layer(name: &[u8]) -> bool {
    if name.starts_with(b"user.overlay.") || name.starts_with(b"user.fuseoverlayfs.") {
        return false;
    }
    name.starts_with(b"user.")
        || matches!(
            name,
            b"security.capability" | b"system.posix_acl_access" | b"system.posix_acl_default"
        )
}

/// How the extended attributes of a name are reached. There is no `getxattrat(2)` before Linux
/// 6.13, and `O_PATH` descriptors have no attributes.
enum Target<'a> {
    /// Through the directory's magic link in /proc.
    Path(PathBuf),
    /// Somebody else has opened it.
    Borrowed(BorrowedFd<'a>),
    /// Where there is no /proc: through the opened file.
    Fd(OwnedFd),
    /// No /proc, and neither a file nor a directory: opening it could have effects.
    Unreachable,
}

/// Room for the list of attributes of nearly every file.
const USUAL_LIST: usize = 256;
/// Longest list and longest value (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const LONGEST: usize = 65536;

impl Target<'_> {
    /// Finds a way to a name's attributes, and the names of those that belong into a layer.
    fn open(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<(Self, Vec<Vec<u8>>)> {
        let mut path = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd()));
        path.push(name);
        let target = Self::Path(path);
        match target.list() {
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
            Ok(names) => return Ok((target, names)),
        }
        let target = match FileType::from_raw_mode(stat_at(dir, name)?.st_mode) {
            FileType::RegularFile | FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                Self::Fd(rustix::fs::openat(dir, name, flags, Mode::empty())?)
            }
            FileType::Symlink
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Fifo
            | FileType::Socket
            | FileType::Unknown => Self::Unreachable,
        };
        let names = target.list()?;
        Ok((target, names))
    }

    /// Gives it the attributes that are wanted, and takes away those `present` that are not.
    fn apply(
        &self,
        present: &[Vec<u8>],
        wanted: &BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> io::Result<Vec<RefusedXattr>> {
        for name in present.iter().filter(|name| !wanted.contains_key(*name)) {
            match self.remove(name) {
                Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut refused = Vec::new();
        for (name, value) in wanted {
            match self.set(name, value) {
                Ok(()) => {}
                Err(reason @ (Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS)) => {
                    refused.push(RefusedXattr { name: name.clone(), reason });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(refused)
    }

    fn list(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let list = |buffer: &mut Vec<u8>| {
            let buffer = rustix::buffer::spare_capacity(buffer);
            match self {
                Self::Path(path) => rustix::fs::llistxattr(path, buffer),
                Self::Borrowed(fd) => rustix::fs::flistxattr(fd, buffer),
                Self::Fd(fd) => rustix::fs::flistxattr(fd.as_fd(), buffer),
                Self::Unreachable => Ok(0),
            }
        };
        let names = match with_room(USUAL_LIST, list) {
            Err(Errno::OPNOTSUPP) => Vec::new(),
            other => other?,
        };
        Ok(names
            .split(|byte| *byte == 0)
            .filter(|name| belongs_in_layer(name))
            .map(<[u8]>::to_vec)
            .collect())
    }

    fn get(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        with_room(USUAL_LIST, |buffer| {
            let buffer = rustix::buffer::spare_capacity(buffer);
            match self {
                Self::Path(path) => rustix::fs::lgetxattr(path, name, buffer),
                Self::Borrowed(fd) => rustix::fs::fgetxattr(fd, name, buffer),
                Self::Fd(fd) => rustix::fs::fgetxattr(fd, name, buffer),
                Self::Unreachable => Err(Errno::OPNOTSUPP),
            }
        })
    }

    fn set(&self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        match self {
            Self::Path(path) => rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()),
            Self::Borrowed(fd) => rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()),
            Self::Fd(fd) => rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()),
            Self::Unreachable => Err(Errno::OPNOTSUPP),
        }
    }

    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        match self {
            Self::Path(path) => rustix::fs::lremovexattr(path, name),
            Self::Borrowed(fd) => rustix::fs::fremovexattr(fd, name),
            Self::Fd(fd) => rustix::fs::fremovexattr(fd, name),
            Self::Unreachable => Err(Errno::OPNOTSUPP),
        }
    }
}

/// Calls `read` with room for `usual` bytes, and again with room for any if that was too little.
fn with_room(
    usual: usize,
    read: impl Fn(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<Vec<u8>, Errno> {
    let mut buffer = Vec::with_capacity(usual);
    match read(&mut buffer) {
        Err(Errno::RANGE) => {
            buffer = Vec::with_capacity(LONGEST);
            read(&mut buffer)?;
        }
        other => drop(other?),
    }
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::rootdir::RootDir;

    fn read(root: &RootDir, name: &str) -> Option<Entry> {
        entry_at(root.fd(), OsStr::new(name), name.into()).unwrap()
    }

    #[test]
    fn what_is_applied_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        fs::write(dir.path().join("file"), "content").unwrap();
        fs::create_dir(dir.path().join("dir")).unwrap();
        symlink("some\nwhere", dir.path().join("link")).unwrap();
        rustix::fs::mkfifoat(root.fd(), "fifo", Mode::from_raw_mode(0o600)).unwrap();
        let _socket = UnixListener::bind(dir.path().join("socket")).unwrap();
        assert_eq!(read(&root, "socket"), None);
        for (name, mode) in [("file", 0o6755), ("dir", 0o3711), ("fifo", 0o640), ("link", 0o777)] {
            let mut entry = read(&root, name).unwrap();
            entry.mode = mode;
            entry.mtime = Time { seconds: -7, nanoseconds: 123_456_789 };
            if name == "file" || name == "dir" {
                entry.xattrs.insert(b"user.lines".to_vec(), b"one\ntwo\n\0".to_vec());
                entry.xattrs.insert(b"user.long".to_vec(), vec![b'x'; 1000]);
            }
            if rustix::process::geteuid().is_root() {
                (entry.uid, entry.gid) = (1234, 5678);
            }
            apply(root.fd(), OsStr::new(name), &entry).unwrap();
            assert_eq!(read(&root, name), Some(entry.clone()), "{name}");
            entry.xattrs.clear();
            apply(root.fd(), OsStr::new(name), &entry).unwrap();
            assert_eq!(read(&root, name), Some(entry), "{name}");
        }
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        fs::write(dir.path().join("file"), "content").unwrap();
        symlink("file", dir.path().join("link")).unwrap();
        let before = fs::metadata(dir.path().join("file")).unwrap();
        let mut entry = read(&root, "link").unwrap();
        entry.mode = 0o4777;
        entry.mtime = Time { seconds: 5, nanoseconds: 0 };
        apply(root.fd(), OsStr::new("link"), &entry).unwrap();
        let after = fs::metadata(dir.path().join("file")).unwrap();
        assert_eq!((before.mode(), before.mtime()), (after.mode(), after.mtime()));
        assert_eq!(read(&root, "link").unwrap().mtime, entry.mtime);
    }

    #[test]
    fn attributes_of_the_machine_stay_out() {
        for name in ["user.a", "security.capability", "system.posix_acl_default"] {
            assert!(belongs_in_layer(name.as_bytes()), "{name}");
        }
        for name in [
            "user.overlay.opaque",
            "trusted.overlay.opaque",
            "user.fuseoverlayfs.opaque",
            "security.selinux",
            "system.nfs4_acl",
            "",
        ] {
            assert!(!belongs_in_layer(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn an_owner_that_means_leave_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let mut entry = read(&root, "file").unwrap();
        entry.uid = u32::MAX;
        let error = apply(root.fd(), OsStr::new("file"), &entry).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn attributes_are_reached_without_proc() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = Target::Fd(rustix::fs::open(&path, flags, Mode::empty()).unwrap());
        let by_path = Target::Path(path);
        opened.set(b"user.long", &[7; 3000]).unwrap();
        for target in [&opened, &by_path] {
            assert_eq!(target.list().unwrap(), [b"user.long"]);
            assert_eq!(target.get(b"user.long").unwrap(), [7; 3000]);
        }
        opened.remove(b"user.long").unwrap();
        assert!(by_path.list().unwrap().is_empty());
        assert!(Target::Unreachable.list().unwrap().is_empty());
        assert_eq!(Target::Unreachable.set(b"user.a", b""), Err(Errno::OPNOTSUPP));
    }

    #[test]
    fn a_missing_name_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let error = xattrs_at(root.fd(), OsStr::new("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
