//! Brings the entries of an archive to a root, one after the other.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;

use crate::layer::LayerError;
use crate::layer::entry::{Entry, Kind};
use crate::layer::limits::Bounds;
use crate::layer::metadata::apply_what_is_allowed;
use crate::layer::path::{PathError, inside, resolve};
use crate::layer::tar_write::WHITEOUT_PREFIX;
use crate::layer::unpack::failure::Failure;
use crate::layer::unpack::files::NewFile;
use crate::layer::unpack::skipped::Skipped;
use crate::layer::unpack::source::Source;
use crate::layer::unpack::tree::{Parent, Tree};
use crate::rootdir::{RootDir, is_missing, stat_at};

/// The name that empties its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// How names start that AUFS kept its own things under.
const AUFS_PREFIX: &[u8] = b".wh..wh.";

/// What an archive's entries mean.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Whether `.wh.` names mean deletions, and the root's own entry counts.
    pub whiteouts: bool,
    /// Whom everything belongs to, instead of what the archive says.
    pub owner: Option<(u32, u32)>,
}

/// Brings entries to a root.
pub(super) struct Extractor<'a> {
    root: &'a RootDir,
    /// Where the archive's root is, without links.
    base: PathBuf,
    rules: Rules,
    bounds: Bounds<'a>,
    tree: Tree<'a>,
    /// How many entries there were.
    number: u64,
    skipped: Skipped,
}

/// What there is of something that has its name.
enum Made {
    /// A regular file without content and metadata.
    Empty(File),
    /// Everything of a regular file, now or before the end.
    Whole,
    /// Anything else, without its metadata.
    Bare,
}

/// What a name means in a layer.
enum Name {
    Plain,
    /// The rest of the name is gone.
    Whiteout(OsString),
    /// What the layers below have in the directory is gone.
    Opaque,
    /// Something of AUFS that is no part of the tree.
    Aufs,
}

impl Name {
    fn of(path: &Path) -> Result<Self, PathError> {
        let is_aufs = |name: &OsStr| name.as_bytes().starts_with(AUFS_PREFIX);
        let name = path.file_name().unwrap_or_default();
        if name.as_bytes() == OPAQUE && !path.parent().is_some_and(|dir| dir.iter().any(is_aufs)) {
            return Ok(Self::Opaque);
        }
        if path.iter().any(is_aufs) {
            return Ok(Self::Aufs);
        }
        match name.as_bytes().strip_prefix(WHITEOUT_PREFIX) {
            None => Ok(Self::Plain),
            // `.wh..` and `.wh...` would delete the directory itself, or the one above it.
            Some(b"" | b"." | b"..") => {
                Err(PathError::Escapes("it is a whiteout of no name".to_owned()))
            }
            Some(name) => Ok(Self::Whiteout(OsStr::from_bytes(name).to_owned())),
        }
    }
}

impl Rules {
    /// Those of a layer.
    pub(super) const LAYER: Self = Self { whiteouts: true, owner: None };
}

impl<'a> Extractor<'a> {
    /// Entries go beneath `into`, whose links are followed.
    pub(super) fn new(
        root: &'a RootDir,
        into: &Path,
        rules: Rules,
        bounds: Bounds<'a>,
    ) -> Result<Self, LayerError> {
        let base = inside(into)
            .and_then(|into| resolve(root, &into))
            .map_err(|error| Failure::from(error).named(into))?;
        let tree = Tree::new(root, rules.owner.unwrap_or_default());
        Ok(Self { root, base, rules, bounds, tree, number: 0, skipped: Skipped::default() })
    }

    /// Extracts everything. Returns what had to be left out.
    pub(super) fn run(mut self, mut source: impl Source) -> Result<Vec<String>, LayerError> {
        let read = self.entries(&mut source);
        let refused = ended(read, source.finish())?;
        let finished = self.tree.finish();
        finished.map_err(|(entry, source)| LayerError::Extract { entry, source })?;
        Ok(self.skipped.lines(refused))
    }

    fn entries(&mut self, source: &mut impl Source) -> Result<(), LayerError> {
        while let Some(mut entry) = source.next()? {
            self.number += 1;
            let limit = self.bounds.limits.entries;
            if self.number > limit {
                return Err(LayerError::TooManyEntries { entry: entry.path, limit });
            }
            if let Some((uid, gid)) = self.rules.owner {
                (entry.uid, entry.gid) = (uid, gid);
            }
            let path = entry.path.clone();
            self.entry(entry, source).map_err(|failure| failure.named(&path))?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: Entry, source: &mut impl Source) -> Result<(), Failure> {
        let path = inside(&entry.path)?;
        let Some(name) = path.file_name() else { return self.root_entry(&entry) };
        let named = self.base.join(path.parent().unwrap_or(Path::new("")));
        if self.rules.whiteouts && !self.names_something(&entry, &path, &named)? {
            return Ok(());
        }
        let parent = self.tree.parent(&named)?;
        if let Kind::Hardlink { target } = &entry.kind {
            return self.hard_link(target, &parent, name);
        }
        let Some(made) = self.make(&entry, &parent, name, source)? else { return Ok(()) };
        let path = parent.path.join(name);
        self.tree.wrote(&path);
        match made {
            Made::Empty(file) => source.fill(NewFile::new(file, entry, self.number)),
            Made::Whole => Ok(()),
            Made::Bare => {
                self.metadata(&entry, parent.dir(), name)?;
                if entry.kind == Kind::Directory {
                    self.tree.set_time(path, entry.mtime);
                }
                Ok(())
            }
        }
    }

    /// Carries out what a name in a layer means beside itself. False if that is all.
    fn names_something(
        &mut self,
        entry: &Entry,
        path: &Path,
        parent: &Path,
    ) -> Result<bool, Failure> {
        match Name::of(path)? {
            Name::Plain => return Ok(true),
            Name::Whiteout(gone) => {
                if let Some(parent) = self.tree.existing_parent(parent)? {
                    self.tree.remove_lower(parent.dir(), &parent.path.join(gone))?;
                }
            }
            Name::Opaque => {
                if let Some(parent) = self.tree.existing_parent(parent)? {
                    self.tree.clear_lower(&parent.path)?;
                }
            }
            Name::Aufs => self.skip(entry, "it belongs to AUFS"),
        }
        Ok(false)
    }

    /// The root itself. In an archive that is added, it says nothing about where it is added to.
    fn root_entry(&mut self, entry: &Entry) -> Result<(), Failure> {
        if !self.rules.whiteouts {
            return Ok(());
        }
        if entry.kind != Kind::Directory {
            return Err(PathError::Escapes("the root can only be a directory".to_owned()).into());
        }
        self.metadata(entry, self.root.fd(), OsStr::new("."))?;
        self.tree.set_time(PathBuf::new(), entry.mtime);
        Ok(())
    }

    /// Makes an entry's file, in place of what stands there. None if that cannot be done here.
    fn make(
        &mut self,
        entry: &Entry,
        parent: &Parent,
        name: &OsStr,
        source: &mut impl Source,
    ) -> Result<Option<Made>, Failure> {
        let dir = parent.dir();
        // Overlay takes such a device for a deletion.
        if entry.kind == (Kind::CharDevice { device: (0, 0) }) {
            self.skip(entry, "a device 0:0 stands for no device");
            return Ok(None);
        }
        match self.make_new(entry, dir, name, source) {
            Err(Failure::Path(PathError::Io(error)))
                if error.kind() == io::ErrorKind::AlreadyExists =>
            {
                let stat = stat_at(dir, name)?;
                let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
                if is_directory && entry.kind == Kind::Directory {
                    return Ok(Some(Made::Bare));
                }
                self.tree.remove(dir, name, &parent.path.join(name))?;
                self.make_new(entry, dir, name, source)
            }
            made => made,
        }
    }

    fn make_new(
        &mut self,
        entry: &Entry,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        source: &mut impl Source,
    ) -> Result<Option<Made>, Failure> {
        match &entry.kind {
            Kind::File { .. } => {
                let placed = source.place(self.number, dir, name)?;
                return Ok(Some(placed.map_or(Made::Whole, Made::Empty)));
            }
            Kind::Directory => rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o700))?,
            Kind::Symlink { target } => rustix::fs::symlinkat(target, dir, name)?,
            Kind::Fifo => rustix::fs::mkfifoat(dir, name, Mode::from_raw_mode(0o600))?,
            Kind::CharDevice { device } => {
                return self.device(entry, dir, name, (FileType::CharacterDevice, *device));
            }
            Kind::BlockDevice { device } => {
                return self.device(entry, dir, name, (FileType::BlockDevice, *device));
            }
            Kind::Hardlink { .. } | Kind::Whiteout => return Err(Errno::INVAL.into()),
        }
        Ok(Some(Made::Bare))
    }

    fn device(
        &mut self,
        entry: &Entry,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        (kind, (major, minor)): (FileType, (u32, u32)),
    ) -> Result<Option<Made>, Failure> {
        let device = rustix::fs::makedev(major, minor);
        match rustix::fs::mknodat(dir, name, kind, Mode::from_raw_mode(0o600), device) {
            Ok(()) => Ok(Some(Made::Bare)),
            // In a user namespace. An empty file in its place would be something else.
            Err(Errno::PERM) => {
                self.skip(entry, "devices cannot be made here");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file that is in the root already a second name.
    fn hard_link(&mut self, target: &Path, parent: &Parent, name: &OsStr) -> Result<(), Failure> {
        let inner = inside(target)?;
        let Some(target_name) = inner.file_name() else {
            return Err(PathError::Escapes("it is a hard link to the root".to_owned()).into());
        };
        let target_dir = self.base.join(inner.parent().unwrap_or(Path::new("")));
        let from = self.tree.existing_parent(&target_dir)?;
        let from =
            from.filter(|from| existing(from.dir(), target_name).is_ok_and(|it| it.is_some()));
        let Some(from) = from else {
            let reason = format!("there is no `{}` that it could link to", target.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, reason).into());
        };
        let path = parent.path.join(name);
        if from.path.join(target_name) != path {
            if existing(parent.dir(), name)?.is_some() {
                self.tree.remove(parent.dir(), name, &path)?;
            }
            let flags = AtFlags::empty();
            rustix::fs::linkat(from.dir(), target_name, parent.dir(), name, flags)?;
        }
        self.tree.wrote(&path);
        Ok(())
    }

    fn metadata(
        &mut self,
        entry: &Entry,
        dir: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), Failure> {
        for refused in apply_what_is_allowed(dir, name, entry)? {
            self.skipped.xattr(self.number, &entry.path, &refused);
        }
        Ok(())
    }

    fn skip(&mut self, entry: &Entry, reason: &str) {
        self.skipped.entry(self.number, &entry.path, reason);
    }
}

/// What became of an archive whose reading ended so, and whose files so. Files come before what
/// ended the reading, but for those that ended because of it.
pub(super) fn ended(
    read: Result<(), LayerError>,
    files: Result<Skipped, LayerError>,
) -> Result<Skipped, LayerError> {
    match (read, files) {
        (Err(error), Ok(_) | Err(LayerError::Cancelled)) => Err(error),
        (_, files) => files,
    }
}

fn existing(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<Stat>> {
    match stat_at(dir, name) {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
