//! Reads a tar archive of any of the usual dialects: v7, ustar, PAX, GNU and star.
//!
//! The archive is taken as hostile. Every length is checked before it is used, extensions are
//! bounded by [`MAX_EXTENSION`], and what an extension means is decided as Go's `archive/tar`
//! does, since a reader that disagrees with the registry's tools about where a header ends can be
//! made to see other files than they do.

mod error;
mod header;
mod pax;
mod sparse;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

pub(crate) use error::TooLong;
pub use error::{TarError, TarProblem};

use crate::layer::entry::{Entry, Kind};
use crate::layer::tar_write::BLOCK;
use header::Header;
pub(crate) use header::is_header;
use pax::Records;
#[cfg(fuzzing)]
pub(crate) use pax::records_again;
use sparse::Extent;

/// Most bytes that the extensions of one entry may have: attributes are at most 64 KiB each, and
/// paths 4 KiB.
const MAX_EXTENSION: u64 = 1 << 20;
/// Most bytes that `g` headers may have together. Every entry pays for them, so that a mebibyte of
/// attributes in front of a million empty files would take hours; writers put a comment there.
const MAX_GLOBAL: u64 = 4 << 10;

/// An archive that is being read.
pub(crate) struct TarReader<R> {
    input: R,
    /// Records of `g` headers, which count for all entries that follow.
    global: Records,
    /// Stored content of the current member that was not read yet, by its place in the file.
    extents: std::vec::IntoIter<Extent>,
    current: Extent,
    /// Zeros after the current member's content.
    padding: u64,
    /// Its name, for errors.
    name: Vec<u8>,
}

/// The extension headers before an entry.
#[derive(Default)]
struct Extensions {
    records: Option<Records>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.records.is_none() && self.long_name.is_none() && self.long_link.is_none()
    }
}

impl<R: Read> TarReader<R> {
    /// Starts at the first header.
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            global: Records::default(),
            extents: Vec::new().into_iter(),
            current: Extent::default(),
            padding: 0,
            name: Vec::new(),
        }
    }

    /// The next entry; what was not read of the last one is skipped. None at the end of the
    /// archive.
    ///
    /// Its path and the target of a hard link are as the archive has them: they may be absolute,
    /// have `..`, or a final slash. A sparse file has its whole size.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        self.skip_content()?;
        self.name.clear();
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.header()? else {
                return if extensions.is_empty() {
                    Ok(None)
                } else {
                    Err(self.error(TarProblem::Truncated))
                };
            };
            match header.flag() {
                b'x' | b'X' => {
                    let body = self.extension(&header)?;
                    let records = Records::parse(&body).map_err(|problem| self.error(problem))?;
                    extensions.records = Some(records);
                }
                b'g' => {
                    let body = self.extension(&header)?;
                    let records = Records::parse(&body).map_err(|problem| self.error(problem))?;
                    self.global.update(records);
                    let size = self.global.size();
                    if size > MAX_GLOBAL {
                        return Err(self.error(TarProblem::GlobalTooLong(size)));
                    }
                }
                b'L' => extensions.long_name = Some(c_string(self.extension(&header)?)),
                b'K' => extensions.long_link = Some(c_string(self.extension(&header)?)),
                // A volume's label.
                b'V' => {}
                _ => return self.member(&header, extensions).map(Some),
            }
        }
    }

    /// The next part of the current member's content, and its place in the file. What lies
    /// between the parts are zeros. None after the last one.
    pub(crate) fn read_content(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<Option<(u64, usize)>, TarError> {
        while self.current.length == 0 {
            match self.extents.next() {
                Some(extent) => self.current = extent,
                None => return Ok(None),
            }
        }
        let most = usize::try_from(self.current.length).unwrap_or(usize::MAX).min(buffer.len());
        let count = loop {
            match self.input.read(&mut buffer[..most]) {
                Ok(0) => return Err(self.error(TarProblem::Truncated)),
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error.into())),
            }
        };
        let offset = self.current.offset;
        self.current.offset += count as u64;
        self.current.length -= count as u64;
        Ok(Some((offset, count)))
    }

    /// Whether the current member has no content, or no more of it.
    pub(crate) fn is_at_end(&self) -> bool {
        self.current.length == 0 && self.extents.as_slice().iter().all(|part| part.length == 0)
    }

    /// What follows what was read.
    pub(crate) fn into_inner(self) -> R {
        self.input
    }

    fn member(&mut self, header: &Header, extensions: Extensions) -> Result<Entry, TarError> {
        let mut records = self.global.clone();
        records.update(extensions.records.unwrap_or_default());
        let path = (extensions.long_name)
            .or_else(|| records.path().map(<[u8]>::to_vec))
            .unwrap_or_else(|| header.path());
        self.name.clone_from(&path);
        let link = (extensions.long_link)
            .or_else(|| records.link().map(<[u8]>::to_vec))
            .unwrap_or_else(|| header.link().to_vec());
        self.fields(header, &records, path, link).map_err(|problem| self.error(problem))
    }

    fn fields(
        &mut self,
        header: &Header,
        records: &Records,
        path: Vec<u8>,
        link: Vec<u8>,
    ) -> Result<Entry, TarProblem> {
        let stored = records.number("size")?.map_or_else(|| header.size(), Ok)?;
        let link = PathBuf::from(OsString::from_vec(link));
        let kind = match header.flag() {
            // v7 has no directories, but files whose names end in a slash.
            b'\0' if path.ends_with(b"/") => Kind::Directory,
            b'0' | b'\0' | b'7' => Kind::File { size: self.plan_content(stored, records)? },
            b'S' => Kind::File { size: self.plan_old_sparse(stored, header)? },
            b'1' => Kind::Hardlink { target: link },
            b'2' => Kind::Symlink { target: link },
            b'3' => Kind::CharDevice { device: header.device()? },
            b'4' => Kind::BlockDevice { device: header.device()? },
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            flag => return Err(TarProblem::UnknownType(flag)),
        };
        let id = |key: &'static str, field: Result<u32, TarProblem>| match records.number(key)? {
            None => field,
            Some(number) => u32::try_from(number).map_err(|_| TarProblem::Number(key)),
        };
        Ok(Entry {
            path: OsString::from_vec(path).into(),
            kind,
            mode: header.mode()?,
            uid: id("uid", header.uid())?,
            gid: id("gid", header.gid())?,
            mtime: records.mtime()?.map_or_else(|| header.mtime(), Ok)?,
            xattrs: records.xattrs(),
        })
    }

    /// Prepares to read a file's content. Returns the file's size.
    fn plan_content(&mut self, stored: u64, records: &Records) -> Result<u64, TarProblem> {
        let mut map_size = 0;
        let (extents, size) = match records.sparse()? {
            None => (vec![Extent { offset: 0, length: stored }], stored),
            Some(map) => {
                let extents = match map.extents {
                    Some(extents) => extents,
                    None => sparse::read_map(&mut self.input, stored, &mut map_size)?,
                };
                (extents, map.size)
            }
        };
        sparse::check(&extents, size, stored.checked_sub(map_size))?;
        self.set_content(extents, stored);
        Ok(size)
    }

    fn plan_old_sparse(&mut self, stored: u64, header: &Header) -> Result<u64, TarProblem> {
        let (extents, size) = sparse::read_old(&mut self.input, header)?;
        sparse::check(&extents, size, Some(stored))?;
        self.set_content(extents, stored);
        Ok(size)
    }

    fn set_content(&mut self, extents: Vec<Extent>, stored: u64) {
        self.extents = extents.into_iter();
        self.current = Extent::default();
        self.padding = padding(stored);
    }

    /// The next header; None at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().any(|byte| *byte != 0) {
            return Header::parse(&block).map(Some).map_err(|problem| self.error(problem));
        }
        // The end are two blocks of zeros; some writers leave them out, or the second one. One
        // alone in the middle is where readers disagree.
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => {
                Err(self.error(TarProblem::LoneZeros))
            }
            Some(_) | None => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(self.error(TarProblem::Truncated)),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error.into())),
            }
        }
        Ok(Some(block))
    }

    /// The content of an extension header. Its size is the one in its own header, never that of a
    /// PAX record before it.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        if self.name.is_empty() {
            self.name = header.path();
        }
        let size = header.size().map_err(|problem| self.error(problem))?;
        if size > MAX_EXTENSION {
            return Err(self.error(TarProblem::ExtensionTooLong(size)));
        }
        let mut body = vec![0; usize::try_from(size).expect("at most a mebibyte")];
        self.input.read_exact(&mut body).map_err(|error| self.error(error.into()))?;
        self.skip(padding(size))?;
        Ok(body)
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let rest: u64 = self.extents.by_ref().map(|extent| extent.length).sum();
        let skipped = self.current.length + rest + self.padding;
        self.current = Extent::default();
        self.padding = 0;
        self.skip(skipped)
    }

    fn skip(&mut self, count: u64) -> Result<(), TarError> {
        let skipped = io::copy(&mut self.input.by_ref().take(count), &mut io::sink())
            .map_err(|error| self.error(error.into()))?;
        if skipped < count {
            return Err(self.error(TarProblem::Truncated));
        }
        Ok(())
    }

    fn error(&self, problem: TarProblem) -> TarError {
        TarError::new(&self.name, problem)
    }
}

/// The zeros after that many bytes of content.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// A text up to its first NUL.
fn c_string(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

#[cfg(test)]
mod tests;
