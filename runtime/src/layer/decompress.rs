//! Finds out how a stream is compressed, and undoes it.

use std::io::{self, BufReader, Cursor, Read};

use crate::layer::tar_read::is_header;
use crate::layer::tar_write::BLOCK;

/// How much of a file [`is_archive`] should see: the first block of any compression.
pub(crate) const ARCHIVE_HEAD: usize = 1 << 20;
/// Most memory for an xz dictionary, in KiB: what `xz -9` needs, and some. A header can ask for
/// 4 GiB.
const XZ_MEMORY: u32 = 128 << 10;
/// Bytes that tell the compressions apart.
const MAGIC: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or one that is to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::Plain,
        }
    }
}

/// What a stream of gzip, zstd, bzip2 or xz holds (also several of them joined), or the stream
/// itself if it is none of these.
pub(crate) fn decompress<'a>(
    mut reader: impl Read + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut head = Vec::with_capacity(MAGIC);
    reader.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
    let format = Format::of(&head);
    let whole = Cursor::new(head).chain(reader);
    Ok(match format {
        Format::Plain => Box::new(whole),
        Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))),
        Format::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(buffered(whole))?),
        Format::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(whole))),
        Format::Xz => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(buffered(whole), true, XZ_MEMORY))
        }
    })
}

fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(64 << 10, reader)
}

/// Whether a file that starts like this ([`ARCHIVE_HEAD`] bytes of it, or all) is a tar archive,
/// compressed or not: what `ADD` unpacks.
pub(crate) fn is_archive(head: &[u8]) -> bool {
    let mut block = [0; BLOCK];
    let Ok(mut reader) = decompress(head) else { return false };
    reader.read_exact(&mut block).is_ok() && is_header(&block)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::layer::testing::run;

    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        builder.append_data(&mut header, "name", &b"abc"[..]).unwrap();
        builder.into_inner().unwrap()
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut encoder, data).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::read::BzEncoder::new(data, bzip2::Compression::fast());
        let mut out = Vec::new();
        encoder.read_to_end(&mut out).unwrap();
        out
    }

    fn xz(data: &[u8]) -> Vec<u8> {
        run("xz", &["-9c"], Path::new("/"), data)
    }

    fn unpacked(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        decompress(data).unwrap().read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn every_format_is_recognised_and_undone() {
        let plain = archive();
        let zstd = zstd::encode_all(&*plain, 3).unwrap();
        let skipped = [&[0x52, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9], &*zstd].concat();
        for packed in [plain.clone(), gzip(&plain), zstd, skipped, bzip2(&plain), xz(&plain)] {
            assert!(is_archive(&packed));
            assert_eq!(unpacked(&packed), plain);
        }
    }

    #[test]
    fn members_may_follow_each_other() {
        for pack in [gzip, bzip2, xz, |data: &[u8]| zstd::encode_all(data, 1).unwrap()] {
            assert_eq!(unpacked(&[pack(b"one"), pack(b"two")].concat()), b"onetwo");
        }
    }

    #[test]
    fn what_is_to_be_skipped_may_stand_anywhere() {
        let skipped = [&[0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let empty = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
        let frame = |data: &[u8]| zstd::encode_all(data, 1).unwrap();
        let (one, two) = (frame(b"one"), frame(b"two"));
        let frames = [&skipped[..], &one, &skipped, &empty, &two, &empty, &skipped];
        assert_eq!(unpacked(&frames.concat()), b"onetwo");
        assert_eq!(unpacked(&[&skipped[..], &empty].concat()), b"");
        let cut = [&one[..], &skipped[..skipped.len() - 1]].concat();
        assert!(decompress(&*cut).unwrap().read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn what_is_no_archive_is_not_taken_for_one() {
        let text = vec![b'a'; 2000];
        for head in [&*text, &gzip(&text), &[0; 2048], b"", b"\x1f\x8b\x08", &archive()[..511]] {
            assert!(!is_archive(head));
        }
    }
}
