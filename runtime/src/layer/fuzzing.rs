//! What fuzz targets ask of the reader of archives, and the laws it has to keep.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use crate::layer::entry::{Entry, Kind};
use crate::layer::path::inside;
use crate::layer::tar_read::{TarError, TarReader, records_again};
use crate::layer::tar_write::TarWriter;

/// Longest content that is kept; what is longer is only read.
const KEPT: u64 = 64 << 10;

/// Hands out at most `step` bytes at a time.
struct Steps<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Steps<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(buffer.len());
        self.rest.read(&mut buffer[..count])
    }
}

/// What is in an archive that comes `step` bytes at a time: a text for each entry and each part of
/// its content, and for the error it ends with.
///
/// # Panics
///
/// If parts of a content overlap, go beyond the file, or are together more than the archive.
pub fn read_in_steps(archive: &[u8], step: usize) -> Vec<String> {
    let mut reader = TarReader::new(Steps { rest: archive, step });
    let mut seen = Vec::new();
    let end = (|| -> Result<(), TarError> {
        while let Some(entry) = reader.next()? {
            seen.push(format!("{entry:?}"));
            let size = if let Kind::File { size } = entry.kind { size } else { 0 };
            let (mut buffer, mut parts, mut end, mut sum) = ([0; 700], Vec::new(), 0, 0);
            while let Some((offset, count)) = reader.read_content(&mut buffer)? {
                assert!(count > 0 && offset >= end && offset + count as u64 <= size);
                if parts.is_empty() || offset > end {
                    parts.push((offset, Vec::new()));
                }
                (end, sum) = (offset + count as u64, sum + count);
                if let Some((_, part)) = parts.last_mut() {
                    part.extend_from_slice(&buffer[..count]);
                }
            }
            assert!(sum <= archive.len());
            seen.push(format!("{parts:?}"));
        }
        Ok(())
    })();
    if let Err(error) = end {
        seen.push(format!("{error:?}"));
    }
    seen
}

/// The entries of an archive that a layer can hold, and those that come back when each is written
/// and read again.
pub fn rewritten(archive: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut reader = TarReader::new(archive);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    while let Ok(Some(mut entry)) = reader.next() {
        let Ok(content) = content(&mut reader, &entry) else { break };
        // Names are written in one way only.
        let (Some(content), Ok(path)) = (content, inside(&entry.path)) else { continue };
        if !has_names(&entry) {
            continue;
        }
        entry.path = path;
        let mut writer = TarWriter::new(Vec::new());
        if writer.append(&entry, &mut &*content).is_ok() {
            before.push(format!("{entry:?} {content:?}"));
            after.push(read_one(&writer.finish().expect("memory takes anything")));
        }
    }
    (before, after)
}

fn read_one(archive: &[u8]) -> String {
    let mut reader = TarReader::new(archive);
    let mut entry = reader.next().expect("what we write is an archive").expect("of one entry");
    entry.path = inside(&entry.path).expect("names were inside");
    let content = content(&mut reader, &entry).expect("what we write is whole");
    assert!(reader.next().expect("it ends").is_none());
    format!("{entry:?} {:?}", content.expect("only what is short was written"))
}

/// Whether a tree can hold an entry's name and target.
fn has_names(entry: &Entry) -> bool {
    let is_name = |text: &OsStr| !text.is_empty() && !text.as_bytes().contains(&0);
    let link = if let Kind::Hardlink { target } | Kind::Symlink { target } = &entry.kind {
        Some(target.as_os_str())
    } else {
        None
    };
    is_name(entry.path.as_os_str()) && link.is_none_or(is_name)
}

/// The content of an entry, holes filled. None if it is long.
fn content<R: Read>(reader: &mut TarReader<R>, entry: &Entry) -> Result<Option<Vec<u8>>, TarError> {
    let size = if let Kind::File { size } = entry.kind { size } else { 0 };
    if size > KEPT {
        return Ok(None);
    }
    let mut content = vec![0; usize::try_from(size).expect("it is short")];
    let mut buffer = [0; 4096];
    while let Some((offset, count)) = reader.read_content(&mut buffer)? {
        let offset = usize::try_from(offset).expect("it is short");
        content[offset..offset + count].copy_from_slice(&buffer[..count]);
    }
    Ok(Some(content))
}

/// What the body of an extended header says, and what it says when its records are written and
/// read again. None if it is malformed.
pub fn records(body: &[u8]) -> Option<(String, String)> {
    records_again(body)
}
