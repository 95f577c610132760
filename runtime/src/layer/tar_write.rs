//! Writes entries as a tar archive: ustar headers, and PAX records where those cannot hold a
//! value (POSIX.1-2024, pax, "ustar Interchange Format" and "pax Header Block").
//!
//! The bytes are a function of the entries and their content alone: no user names, no access
//! times, no padding beyond the two final blocks, records in bytewise order.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use crate::layer::entry::{Entry, Kind, Time};

/// Size of a header, and what everything in an archive is padded to.
pub(crate) const BLOCK: usize = 512;
/// How a whiteout's file name starts (OCI image-spec, layer.md, "Whiteouts").
pub(crate) const WHITEOUT_PREFIX: &[u8] = b".wh.";
/// What a file's content is copied with.
const COPY_BUFFER: usize = 128 * 1024;
/// Greatest value of eleven octal digits.
const MAX_LONG_OCTAL: u64 = 0o777_7777_7777;
/// Greatest value of seven octal digits.
const MAX_SHORT_OCTAL: u64 = 0o777_7777;

/// Why an entry was not written.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// The archive's own file refused.
    Write(io::Error),
    /// The entry, or its content, is at fault.
    Entry(io::Error),
    /// The content is shorter or longer than the entry's size; a longer one counts as one byte
    /// more.
    Size {
        /// Bytes that were there.
        found: u64,
    },
}

/// An archive that is being written.
pub(crate) struct TarWriter<W> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> TarWriter<W> {
    /// Starts an archive.
    pub(crate) fn new(out: W) -> Self {
        Self { out, buffer: vec![0; COPY_BUFFER] }
    }

    /// Appends an entry. `content` is read to its end if the entry is a file, else left alone.
    pub(crate) fn append(
        &mut self,
        entry: &Entry,
        content: &mut dyn Read,
    ) -> Result<(), AppendError> {
        let block = header(entry).map_err(AppendError::Entry)?;
        self.out.write_all(&block).map_err(AppendError::Write)?;
        match entry.kind {
            Kind::File { size } => self.content(size, content),
            Kind::Hardlink { .. }
            | Kind::Directory
            | Kind::Symlink { .. }
            | Kind::CharDevice { .. }
            | Kind::BlockDevice { .. }
            | Kind::Fifo
            | Kind::Whiteout => Ok(()),
        }
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn content(&mut self, size: u64, content: &mut dyn Read) -> Result<(), AppendError> {
        let mut found = 0;
        loop {
            let count = match content.read(&mut self.buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(AppendError::Entry(error)),
            };
            if count == 0 {
                break;
            }
            found += count as u64;
            if found > size {
                return Err(AppendError::Size { found: size.saturating_add(1) });
            }
            self.out.write_all(&self.buffer[..count]).map_err(AppendError::Write)?;
        }
        if found < size {
            return Err(AppendError::Size { found });
        }
        self.out.write_all(padding(size)).map_err(AppendError::Write)
    }
}

/// The zeros after that many bytes.
fn padding(size: u64) -> &'static [u8] {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    let over = usize::try_from(size % BLOCK as u64).expect("less than a block");
    if over == 0 { &[] } else { &ZEROS[over..] }
}

/// An entry's header blocks, PAX records first.
fn header(entry: &Entry) -> io::Result<Vec<u8>> {
    let path = archived_path(entry)?;
    let mut records = Records::default();
    for (name, value) in &entry.xattrs {
        records.0.insert([b"SCHILY.xattr.", &*xattr_keyword(name)].concat(), value.clone());
    }
    let mut header = tar::Header::new_ustar();
    let fields = header.as_ustar_mut().expect("it was made as one");
    records.path(&path, fields);
    let (flag, link, device) = typed(&entry.kind);
    fields.typeflag = [flag];
    records.text("linkpath", link.as_os_str().as_bytes(), &mut fields.linkname);
    let size = if let Kind::File { size } = entry.kind { size } else { 0 };
    put_octal(&mut fields.mode, u64::from(entry.mode & 0o7777));
    records.number("uid", entry.uid.into(), &mut fields.uid);
    records.number("gid", entry.gid.into(), &mut fields.gid);
    records.number("size", size, &mut fields.size);
    records.mtime(entry.mtime, &mut fields.mtime);
    for (field, number) in [(&mut fields.dev_major, device.0), (&mut fields.dev_minor, device.1)] {
        if u64::from(number) > MAX_SHORT_OCTAL {
            return Err(invalid("its device number does not fit an archive"));
        }
        put_octal(field, number.into());
    }
    header.set_cksum();
    let mut blocks = records.into_blocks(&path);
    blocks.extend_from_slice(header.as_bytes());
    Ok(blocks)
}

/// Type flag, link target and device of a kind.
fn typed(kind: &Kind) -> (u8, &Path, (u32, u32)) {
    let nowhere = Path::new("");
    match kind {
        Kind::File { .. } | Kind::Whiteout => (b'0', nowhere, (0, 0)),
        Kind::Hardlink { target } => (b'1', target, (0, 0)),
        Kind::Symlink { target } => (b'2', target, (0, 0)),
        Kind::CharDevice { device } => (b'3', nowhere, *device),
        Kind::BlockDevice { device } => (b'4', nowhere, *device),
        Kind::Directory => (b'5', nowhere, (0, 0)),
        Kind::Fifo => (b'6', nowhere, (0, 0)),
    }
}

/// What an entry is called in the archive.
fn archived_path(entry: &Entry) -> io::Result<Vec<u8>> {
    let path = &entry.path;
    let Some(name) = path.file_name() else {
        return if entry.kind == Kind::Directory {
            Ok(b"./".to_vec())
        } else {
            Err(invalid("the root can only be a directory"))
        };
    };
    // Whoever unpacks the layer would take it for a deletion.
    if name.as_bytes().starts_with(WHITEOUT_PREFIX) {
        return Err(invalid("names that start with `.wh.` mean a deletion in a layer"));
    }
    match entry.kind {
        Kind::Whiteout => {
            let whiteout = OsString::from_vec([WHITEOUT_PREFIX, name.as_bytes()].concat());
            Ok(path.with_file_name(whiteout).into_os_string().into_vec())
        }
        Kind::Directory => Ok([path.as_os_str().as_bytes(), b"/"].concat()),
        Kind::File { .. }
        | Kind::Hardlink { .. }
        | Kind::Symlink { .. }
        | Kind::CharDevice { .. }
        | Kind::BlockDevice { .. }
        | Kind::Fifo => Ok(path.as_os_str().as_bytes().to_vec()),
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

/// An attribute's name as a PAX keyword, which cannot hold `=`: quoted as GNU tar does, if it must
/// be, or if it looks as if it were.
fn xattr_keyword(name: &[u8]) -> Vec<u8> {
    let looks_quoted = name.windows(3).any(|part| part == b"%25" || part == b"%3D");
    if !name.contains(&b'=') && !looks_quoted {
        return name.to_vec();
    }
    let mut keyword = Vec::with_capacity(name.len() + 2);
    for byte in name {
        match byte {
            b'%' => keyword.extend_from_slice(b"%25"),
            b'=' => keyword.extend_from_slice(b"%3D"),
            byte => keyword.push(*byte),
        }
    }
    keyword
}

/// The PAX records of an entry.
#[derive(Default)]
struct Records(BTreeMap<Vec<u8>, Vec<u8>>);

impl Records {
    fn path(&mut self, path: &[u8], fields: &mut tar::UstarHeader) {
        if path.is_ascii()
            && let Some(split) = split_path(path)
        {
            if split == 0 {
                put_text(&mut fields.name, path);
            } else {
                put_text(&mut fields.prefix, &path[..split]);
                put_text(&mut fields.name, &path[split + 1..]);
            }
        } else {
            self.0.insert(b"path".to_vec(), path.to_vec());
            put_text(&mut fields.name, path);
        }
    }

    fn text(&mut self, key: &str, value: &[u8], field: &mut [u8]) {
        if value.len() > field.len() || !value.is_ascii() {
            self.0.insert(key.into(), value.to_vec());
        }
        put_text(field, value);
    }

    fn number(&mut self, key: &str, value: u64, field: &mut [u8]) {
        let greatest = if field.len() == 12 { MAX_LONG_OCTAL } else { MAX_SHORT_OCTAL };
        if value <= greatest {
            put_octal(field, value);
        } else {
            self.0.insert(key.into(), value.to_string().into_bytes());
            put_octal(field, 0);
        }
    }

    fn mtime(&mut self, mtime: Time, field: &mut [u8]) {
        let seconds = u64::try_from(mtime.seconds).ok().filter(|s| *s <= MAX_LONG_OCTAL);
        put_octal(field, seconds.unwrap_or(0));
        if seconds.is_none() || mtime.nanoseconds != 0 {
            self.0.insert(b"mtime".to_vec(), decimal(mtime).into_bytes());
        }
    }

    fn into_blocks(self, path: &[u8]) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut body = Vec::new();
        for (key, value) in &self.0 {
            put_record(&mut body, key, value);
        }
        let mut header = tar::Header::new_ustar();
        let fields = header.as_ustar_mut().expect("it was made as one");
        put_text(&mut fields.name, &[b"PaxHeaders.0/", path].concat());
        fields.typeflag = [b'x'];
        put_octal(&mut fields.mode, 0o644);
        put_octal(&mut fields.uid, 0);
        put_octal(&mut fields.gid, 0);
        put_octal(&mut fields.size, body.len() as u64);
        put_octal(&mut fields.mtime, 0);
        header.set_cksum();
        let mut blocks = header.as_bytes().to_vec();
        let padding = padding(body.len() as u64);
        blocks.append(&mut body);
        blocks.extend_from_slice(padding);
        blocks
    }
}

/// Where a path divides into prefix and name of a header: the position of a `/`, or 0 if the name
/// holds it all. None if it does not fit.
fn split_path(path: &[u8]) -> Option<usize> {
    const NAME: usize = 100;
    const PREFIX: usize = 155;
    if path.len() <= NAME {
        return Some(0);
    }
    // A directory's final slash stays with the name.
    let end = path.len().min(PREFIX + 1).min(path.len() - 1);
    let split = path[..end].iter().rposition(|byte| *byte == b'/')?;
    (split > 0 && path.len() - split - 1 <= NAME).then_some(split)
}

/// As much of a text as the field holds, without what is not ASCII.
fn put_text(field: &mut [u8], text: &[u8]) {
    let ascii = text.iter().filter(|byte| byte.is_ascii());
    for (place, byte) in field.iter_mut().zip(ascii) {
        *place = *byte;
    }
}

/// A number that fits, with leading zeros and a final NUL.
fn put_octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    let text = format!("{number:0digits$o}");
    field[..digits].copy_from_slice(text.as_bytes());
    field[digits] = 0;
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
pub(crate) fn put_record(body: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() + rest > length {
        length += 1;
    }
    body.extend_from_slice(format!("{length} ").as_bytes());
    body.extend_from_slice(key);
    body.push(b'=');
    body.extend_from_slice(value);
    body.push(b'\n');
}

/// Seconds with as many decimals as needed: `-6.876543211`.
pub(crate) fn decimal(time: Time) -> String {
    let (sign, seconds, nanoseconds) = match (time.seconds, time.nanoseconds) {
        (seconds @ ..0, 0) => ("-", seconds.unsigned_abs(), 0),
        (seconds @ ..0, part) => ("-", (seconds + 1).unsigned_abs(), 1_000_000_000 - part),
        (seconds, part) => ("", seconds.unsigned_abs(), part),
    };
    if nanoseconds == 0 {
        return format!("{sign}{seconds}");
    }
    let text = format!("{sign}{seconds}.{nanoseconds:09}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests;
