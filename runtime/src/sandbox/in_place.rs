//! Steps in the builder's own root: for as long as a step takes, its files are moved into `/`.
//!
//! A root is renamed into `/` in milliseconds, and commands then have everything that the container
//! has: `/proc`, `/dev`, `/sys`, pseudo terminals. And they have everything of the builder's as well:
//! nothing confines them.
//!
//! That is for an image that was made for it (see [`MARKER`]), whose root holds nothing but the
//! builder; of any other image the files would be shuffled. While files are moved in, a journal
//! says so: a builder that finds one, and no other builder at work, moves them back.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::AsRawFd as _;
use rustix::fs::{CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::rootdir::RootDir;

mod swap;

use swap::Own;

/// Holds the builder and all that it keeps; nothing in it is ever moved.
const BUILDER: &str = "/kaniko";

/// A file that an image has whose root may be used so: the executor image's.
pub(super) const MARKER: &str = "/kaniko/.executor-image";

/// What has to be moved back, and where to.
const JOURNAL: &str = "/kaniko/.swapped";

/// Files that container engines put into a root, if they do not mount them.
const OF_ENGINES: [&str; 9] = [
    ".dockerenv",
    "etc/group",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/nsswitch.conf",
    "etc/passwd",
    "etc/resolv.conf",
    "run/.containerenv",
];

#[derive(Serialize, Deserialize)]
struct Journal {
    stage: PathBuf,
    own: Own,
}

/// The right to move files into `/`, of one builder at a time.
#[derive(Debug)]
pub(super) struct Claim(#[expect(dead_code, reason = "its lock is what counts")] File);

/// Finds out whether steps can be run so, with roots below a directory.
///
/// # Errors
///
/// The reason why not, for people.
pub(super) fn claim(work: &Path) -> Result<Claim, String> {
    let marker = File::open(MARKER)
        .map_err(|_| format!("this is not the executor image: it has no `{MARKER}`"))?;
    rustix::fs::flock(&marker, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| "another builder is at work in this container".to_owned())?;
    let because = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("cannot {what}: {error}")
    };
    let work = work.canonicalize().map_err(because("find the work directory"))?;
    let mounts = mounts().map_err(because("read the list of mounts"))?;
    let relative = work.strip_prefix("/").unwrap_or(&work);
    let mounted = relative.ancestors().find(|path| mounts.contains(*path));
    if let Some(mounted) = mounted {
        return Err(format!(
            "`/{}` is a mount: what is in it cannot be moved into the root",
            mounted.display()
        ));
    }
    if !work.starts_with(BUILDER) {
        return Err(format!("the work directory `{}` is not in `{BUILDER}`", work.display()));
    }
    let closed = closed(mounts);
    let own = RootDir::open(Path::new("/")).and_then(|root| Own::of(&root, &closed));
    let own = own.map_err(because("read the root"))?;
    let known = |path: &Path| OF_ENGINES.iter().any(|known| path == Path::new(known));
    let stranger = own.leaves().find(|path| !closed.contains(*path) && !known(path));
    if let Some(stranger) = stranger {
        return Err(format!(
            "`/{}` is neither the builder's nor the container engine's",
            stranger.display()
        ));
    }
    rename_there_and_back(&work).map_err(because("move a directory into the root"))?;
    Ok(Claim(marker))
}

fn rename_there_and_back(work: &Path) -> io::Result<()> {
    let (here, there) = (work.join(".probe"), Path::new("/.probe"));
    fs::create_dir(&here)?;
    let moved = rustix::fs::renameat_with(CWD, &here, CWD, there, RenameFlags::NOREPLACE);
    fs::remove_dir(if moved.is_ok() { there } else { &here })?;
    Ok(moved?)
}

/// Moves back what a builder that was killed had moved into `/`. Does nothing elsewhere than in the
/// executor image, and nothing while another builder is at work.
///
/// # Errors
///
/// If there is something to move back, and that fails.
pub fn swap_back() -> io::Result<()> {
    let marker = match File::open(MARKER) {
        Ok(marker) => marker,
        Err(error) if crate::rootdir::is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    let text = match fs::read(JOURNAL) {
        Ok(text) => text,
        Err(error) if crate::rootdir::is_missing(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    match rustix::fs::flock(&marker, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    // Cut off, it was written by a builder that had not moved anything yet.
    if let Ok(Journal { stage, mut own }) = serde_json::from_slice(&text) {
        let root = RootDir::open(Path::new("/"))?;
        own.add_mounts(&root, &mounts()?)?;
        fs::create_dir_all(&stage)?;
        own.swap_out(&RootDir::open(&stage)?, &root)?;
    }
    fs::remove_file(JOURNAL)
}

/// A root whose files are in `/`; dropping this moves them back.
pub(super) struct Swap {
    stage: RootDir,
    root: RootDir,
    own: Own,
    swapped: bool,
}

impl Swap {
    /// Moves them there.
    pub(super) fn begin(stage: &RootDir) -> io::Result<Self> {
        let root = RootDir::open(Path::new("/"))?;
        let own = Own::of(&root, &closed(mounts()?))?;
        let link = format!("/proc/self/fd/{}", stage.fd().as_raw_fd());
        let journal = Journal { stage: fs::read_link(link)?, own: own.clone() };
        let mut file = File::create(JOURNAL)?;
        file.write_all(&serde_json::to_vec(&journal)?)?;
        file.sync_all()?;
        let swap = Self { stage: stage.try_clone()?, root, own, swapped: true };
        swap.own.swap_in(&swap.stage, &swap.root)?;
        Ok(swap)
    }

    /// Whether something is mounted at a path of the builder's root.
    pub(super) fn is_mounted(path: &Path) -> io::Result<bool> {
        Ok(mounts()?.contains(path.strip_prefix("/").unwrap_or(path)))
    }

    /// Moves them back.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.back()
    }

    fn back(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.swapped) {
            self.own.swap_out(&self.stage, &self.root)?;
            fs::remove_file(JOURNAL)?;
        }
        Ok(())
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // What fails here is tried again by the next builder.
        self.back().ok();
    }
}

/// Paths in the root that are not looked behind.
fn closed(mut mounts: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    mounts.extend(Path::new(BUILDER).strip_prefix("/").map(Path::to_owned));
    mounts
}

/// Where something is mounted, relative to the root; the root itself is left out.
fn mounts() -> io::Result<BTreeSet<PathBuf>> {
    Ok(mount_points(&fs::read("/proc/self/mountinfo")?))
}

/// The mount points in the text of `/proc/self/mountinfo`.
fn mount_points(text: &[u8]) -> BTreeSet<PathBuf> {
    let points = text.split(|byte| *byte == b'\n').filter_map(|line| {
        let point = unescape(line.split(|byte| *byte == b' ').nth(4)?);
        let point = Path::new(&point).strip_prefix("/").ok()?.to_owned();
        (point != Path::new("")).then_some(point)
    });
    points.collect()
}

/// Bytes that would end a field are written `\ooo` by the kernel.
fn unescape(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = byte.filter(|_| first == b'\\') {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_from_mountinfo() {
        let text = b"21 1 0:19 / / rw - overlay overlay rw\n\
            22 21 0:20 / /proc rw,nosuid shared:1 - proc proc rw\n\
            23 21 0:21 /x /etc/a\\040b\\134 rw - ext4 /dev/x rw\n\n";
        let expected = [PathBuf::from("etc/a b\\"), PathBuf::from("proc")];
        assert_eq!(mount_points(text), expected.into_iter().collect());
    }
}
