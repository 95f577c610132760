//! The maps of sparse files: the old GNU one in headers, and the PAX ones.

use std::io::Read;

use crate::layer::tar_read::header::{Header, wide};
use crate::layer::tar_read::pax::decimal;
use crate::layer::tar_read::{MAX_EXTENSION, TarProblem};
use crate::layer::tar_write::BLOCK;

/// A part of a file that is stored in the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its place in the file.
    pub offset: u64,
    /// Its length.
    pub length: u64,
}

/// What PAX records say about a sparse file.
#[derive(Debug)]
pub(super) struct SparseMap {
    /// Of the whole file.
    pub size: u64,
    /// None where the map stands before the content (format 1.0).
    pub extents: Option<Vec<Extent>>,
}

impl Extent {
    /// From offsets and lengths by turns.
    pub(super) fn pairs(numbers: &[u64]) -> Result<Vec<Self>, TarProblem> {
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(TarProblem::Sparse);
        }
        Ok(pairs.iter().map(|[offset, length]| Self { offset: *offset, length: *length }).collect())
    }
}

/// Checks that extents are in order, apart, within the file, and together what is stored. A map
/// that is not could make a reader take content for headers.
pub(super) fn check(extents: &[Extent], size: u64, stored: Option<u64>) -> Result<(), TarProblem> {
    let mut end = 0;
    let mut sum = 0_u64;
    for extent in extents {
        let next = extent.offset.checked_add(extent.length).ok_or(TarProblem::Sparse)?;
        if extent.offset < end || next > size {
            return Err(TarProblem::Sparse);
        }
        end = next;
        sum += extent.length;
    }
    // The bound keeps sums of a length and its padding from overflowing.
    if stored == Some(sum) && i64::try_from(size).is_ok() {
        Ok(())
    } else {
        Err(TarProblem::Sparse)
    }
}

/// Reads the map of an old GNU sparse file: four entries in the header, and blocks of 21 more.
pub(super) fn read_old(
    input: &mut impl Read,
    header: &Header,
) -> Result<(Vec<Extent>, u64), TarProblem> {
    let (entries, mut more, size) = header.old_sparse()?;
    let mut extents = Vec::new();
    old_entries(entries, &mut extents)?;
    let mut read = 0;
    while more {
        read += BLOCK as u64;
        if read > MAX_EXTENSION {
            return Err(TarProblem::ExtensionTooLong(read));
        }
        let mut block = [0; BLOCK];
        input.read_exact(&mut block)?;
        old_entries(&block[..504], &mut extents)?;
        more = block[504] != 0;
    }
    Ok((extents, size))
}

fn old_entries(entries: &[u8], extents: &mut Vec<Extent>) -> Result<(), TarProblem> {
    let (entries, _) = entries.as_chunks::<24>();
    for entry in entries {
        // The first unused entry is the last one.
        if entry[0] == 0 {
            break;
        }
        let offset = wide(&entry[..12], "sparse offset")?;
        extents.push(Extent { offset, length: wide(&entry[12..], "sparse length")? });
    }
    Ok(())
}

/// Reads the map before the content of a PAX sparse file (format 1.0): the number of extents and
/// their offsets and lengths, each on a line, padded to a block. `map_size` becomes its length.
pub(super) fn read_map(
    input: &mut impl Read,
    stored: u64,
    map_size: &mut u64,
) -> Result<Vec<Extent>, TarProblem> {
    let mut text = Vec::new();
    let mut wanted = None;
    let mut lines = 0;
    loop {
        if wanted.is_none() && lines > 0 {
            let count = text.split(|byte| *byte == b'\n').next().and_then(decimal);
            let count = count.and_then(|count| usize::try_from(count).ok());
            let lines = count.and_then(|count| count.checked_mul(2)?.checked_add(1));
            wanted = Some(lines.ok_or(TarProblem::Sparse)?);
        }
        if wanted.is_some_and(|wanted| lines >= wanted) {
            break;
        }
        *map_size += BLOCK as u64;
        if *map_size > MAX_EXTENSION.min(stored) {
            return Err(TarProblem::Sparse);
        }
        let mut block = [0; BLOCK];
        input.read_exact(&mut block)?;
        text.extend_from_slice(&block);
        lines += block.split(|byte| *byte == b'\n').count() - 1;
    }
    let numbers: Vec<u64> = text
        .split(|byte| *byte == b'\n')
        .take(wanted.unwrap_or_default())
        .skip(1)
        .map(|line| decimal(line).ok_or(TarProblem::Sparse))
        .collect::<Result<_, _>>()?;
    Extent::pairs(&numbers)
}
