//! The fields of one 512-byte header.

use crate::layer::entry::Time;
use crate::layer::tar_read::TarProblem;
use crate::layer::tar_write::BLOCK;

/// A header whose checksum is right.
pub(crate) struct Header {
    block: [u8; BLOCK],
}

/// Where the checksum stands.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Whether a block is the header of an entry.
pub(crate) fn is_header(block: &[u8; BLOCK]) -> bool {
    block.iter().any(|byte| *byte != 0) && Header::parse(block).is_ok()
}

impl Header {
    pub(crate) fn parse(block: &[u8; BLOCK]) -> Result<Self, TarProblem> {
        let found = number(&block[CHECKSUM], "checksum").map_err(|_| TarProblem::Checksum)?;
        let fields = block.iter().enumerate();
        let bytes = fields.map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte });
        // Old writers add up signed bytes.
        let (unsigned, signed) = bytes.fold((0, 0), |(unsigned, signed), byte| {
            (unsigned + i64::from(byte), signed + i64::from(byte.cast_signed()))
        });
        if found != unsigned && found != signed {
            return Err(TarProblem::Checksum);
        }
        Ok(Self { block: *block })
    }

    pub(crate) fn flag(&self) -> u8 {
        self.block[156]
    }

    /// With the prefix of ustar and star; GNU keeps other things in its place.
    pub(crate) fn path(&self) -> Vec<u8> {
        let name = text(&self.block[..100]);
        let prefix = match (&self.block[257..265], &self.block[508..512]) {
            (b"ustar\x0000", b"tar\0") => text(&self.block[345..476]),
            (magic, _) if magic.starts_with(b"ustar\0") => text(&self.block[345..500]),
            _ => b"",
        };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    pub(crate) fn link(&self) -> &[u8] {
        text(&self.block[157..257])
    }

    pub(crate) fn mode(&self) -> Result<u32, TarProblem> {
        // Some writers put more than 32 bits in it; only the permissions matter.
        let mode = number(&self.block[100..108], "mode")?;
        Ok(u32::try_from(mode & 0o7777).expect("twelve bits"))
    }

    pub(crate) fn uid(&self) -> Result<u32, TarProblem> {
        narrow(&self.block[108..116], "uid")
    }

    pub(crate) fn gid(&self) -> Result<u32, TarProblem> {
        narrow(&self.block[116..124], "gid")
    }

    pub(crate) fn size(&self) -> Result<u64, TarProblem> {
        wide(&self.block[124..136], "size")
    }

    pub(crate) fn mtime(&self) -> Result<Time, TarProblem> {
        Ok(Time { seconds: number(&self.block[136..148], "mtime")?, nanoseconds: 0 })
    }

    pub(crate) fn device(&self) -> Result<(u32, u32), TarProblem> {
        if !self.block[257..].starts_with(b"ustar") {
            return Ok((0, 0));
        }
        Ok((narrow(&self.block[329..337], "devmajor")?, narrow(&self.block[337..345], "devminor")?))
    }

    /// The map of an old GNU sparse file in the header: entries, whether more follow in the next
    /// block, and the file's size.
    pub(crate) fn old_sparse(&self) -> Result<(&[u8], bool, u64), TarProblem> {
        let size = wide(&self.block[483..495], "realsize")?;
        Ok((&self.block[386..482], self.block[482] != 0, size))
    }
}

fn narrow(field: &[u8], name: &'static str) -> Result<u32, TarProblem> {
    u32::try_from(number(field, name)?).map_err(|_| TarProblem::Number(name))
}

pub(super) fn wide(field: &[u8], name: &'static str) -> Result<u64, TarProblem> {
    u64::try_from(number(field, name)?).map_err(|_| TarProblem::Number(name))
}

/// A field's number: octal digits between spaces and NULs, or (first bit set) a big-endian
/// two's complement one of the remaining bits.
fn number(field: &[u8], name: &'static str) -> Result<i64, TarProblem> {
    let error = || TarProblem::Number(name);
    match field.first() {
        Some(first) if first & 0x80 != 0 => {
            let negative = first & 0x40 != 0;
            let start = i64::from(first & 0x3f) - if negative { 0x40 } else { 0 };
            field[1..]
                .iter()
                .try_fold(start, |number, byte| {
                    number.checked_mul(256)?.checked_add(i64::from(*byte))
                })
                .ok_or_else(error)
        }
        _ => {
            let blank = |byte: &u8| matches!(byte, b' ' | 0);
            let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
            let digits = field[start..].split(|byte| blank(byte)).next().unwrap_or_default();
            digits.iter().try_fold(0_i64, |number, byte| match byte {
                b'0'..=b'7' => number
                    .checked_mul(8)
                    .and_then(|number| number.checked_add(i64::from(byte - b'0')))
                    .ok_or_else(error),
                _ => Err(error()),
            })
        }
    }
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}
