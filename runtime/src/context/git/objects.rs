//! The objects that were fetched: one pack on the disk, which was indexed, and so checked, when it
//! came.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use gix_hash::{Kind as HashKind, ObjectId, oid};
use gix_object::{CommitRef, Kind, TagRef};
use gix_pack::Bundle;
use gix_pack::cache::lru::MemoryCappedHashmap;
use gix_zlib::Inflate;

use super::error::{GitError, shown};

/// The most memory, in bytes, that one object may take. A larger one that is not written as a
/// difference to another is streamed when it is checked out, but has to be indexed before.
pub(super) const OBJECT_LIMIT: usize = 2 << 30;
/// Files from this size on are streamed where that is possible, in bytes.
const STREAMED: u64 = 16 << 20;
/// Bytes of objects that are kept, as others are differences to them.
const CACHE: usize = 32 << 20;
/// How many tags may stand before a commit.
const TAGS: usize = 8;

/// The objects of one repository.
pub(crate) struct Objects {
    bundle: Bundle,
    path: PathBuf,
    /// For errors.
    url: String,
    decoder: RefCell<(Inflate, MemoryCappedHashmap)>,
}

/// What a commit says.
pub(super) struct Commit {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    /// When it was made, in seconds since 1970.
    pub(super) time: i64,
}

impl Objects {
    /// The objects of the pack whose index is at a path.
    pub(super) fn open(index: &Path, url: &str) -> Result<Self, GitError> {
        let Bundle { pack, index: file } = Bundle::at(index, HashKind::Sha1).map_err(|error| {
            let reason = shown(&error.to_string());
            GitError::CheckOut { url: url.to_owned(), path: String::new(), reason }
        })?;
        let pack = pack.with_alloc_limit_bytes(Some(OBJECT_LIMIT));
        Ok(Self {
            bundle: Bundle { pack, index: file },
            path: index.with_extension("pack"),
            url: url.to_owned(),
            decoder: RefCell::new((Inflate::default(), MemoryCappedHashmap::new(CACHE))),
        })
    }

    /// The pack; its index is beside it.
    pub(super) fn pack(&self) -> &Path {
        &self.path
    }

    /// Whether there is an object.
    pub(super) fn has(&self, id: &oid) -> bool {
        self.bundle.index.lookup(id).is_some()
    }

    /// Reads an object. The error is for people.
    pub(super) fn read(&self, id: &oid, into: &mut Vec<u8>) -> Result<Kind, String> {
        let (inflate, cache) = &mut *self.decoder.borrow_mut();
        match self.bundle.find(id, into, inflate, cache) {
            Ok(Some((data, _))) => Ok(data.kind),
            Ok(None) => Err(format!("the server did not send the object {id}")),
            Err(error) => Err(format!("the object {id} is damaged: {}", shown(&error.to_string()))),
        }
    }

    /// Reads an object that must be of a kind.
    pub(super) fn expect(&self, id: &oid, kind: Kind, into: &mut Vec<u8>) -> Result<(), String> {
        match self.read(id, into)? {
            found if found == kind => Ok(()),
            found => Err(format!("the object {id} is a {found}, not a {kind}")),
        }
    }

    /// The content of a large file that can be had without holding it.
    pub(super) fn stream(&self, id: &oid) -> io::Result<Option<impl io::Read>> {
        let Some(index) = self.bundle.index.lookup(id) else { return Ok(None) };
        let offset = self.bundle.index.pack_offset_at_index(index);
        let Ok(entry) = self.bundle.pack.entry(offset) else { return Ok(None) };
        if entry.header.as_kind() != Some(Kind::Blob) || entry.decompressed_size < STREAMED {
            return Ok(None);
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.data_offset))?;
        let content = flate2::bufread::ZlibDecoder::new(io::BufReader::new(file));
        Ok(Some(content.take(entry.decompressed_size)))
    }

    /// The commit that an object is, or is a tag of.
    pub(super) fn commit(&self, id: ObjectId) -> Result<Commit, GitError> {
        let mut buffer = Vec::new();
        let read = self.peel(id, &mut buffer);
        read.map_err(|message| GitError::Protocol { url: self.url.clone(), message })
    }

    fn peel(&self, mut id: ObjectId, buffer: &mut Vec<u8>) -> Result<Commit, String> {
        for _ in 0..TAGS {
            let kind = self.read(&id, buffer)?;
            let damaged = |_| format!("the {kind} {id} is damaged");
            match kind {
                Kind::Tag => {
                    let tag = TagRef::from_bytes(buffer, HashKind::Sha1).map_err(damaged)?;
                    id = tag.target();
                }
                Kind::Commit => {
                    let commit = CommitRef::from_bytes(buffer, HashKind::Sha1).map_err(damaged)?;
                    let time = commit.committer().map_or(0, |committer| committer.seconds());
                    return Ok(Commit { id, tree: commit.tree(), time });
                }
                Kind::Tree | Kind::Blob => break,
            }
        }
        Err(format!("{id} is no commit"))
    }
}

impl gix_object::Find for Objects {
    fn try_find<'a>(
        &self,
        id: &oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix_error::Result<Option<gix_object::Data<'a>>> {
        if !self.has(id) {
            return Ok(None);
        }
        let kind = self.read(id, buffer);
        let kind = kind.map_err(|text| gix_error::Error::from_error(io::Error::other(text)))?;
        Ok(Some(gix_object::Data { kind, object_hash: HashKind::Sha1, data: buffer }))
    }
}
