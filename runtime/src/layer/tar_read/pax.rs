//! PAX records: `LENGTH KEY=VALUE\n`, where the length alone says where a record ends.

use std::collections::BTreeMap;

use crate::layer::entry::Time;
use crate::layer::tar_read::TarProblem;
use crate::layer::tar_read::sparse::{Extent, SparseMap};

/// The records that count for an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The map of a sparse file in format 0.0, whose keys repeat: offsets and lengths by turns.
    sparse: Vec<u64>,
}

impl Records {
    pub(super) fn parse(mut body: &[u8]) -> Result<Self, TarProblem> {
        let mut records = Self::default();
        while !body.is_empty() {
            let (key, value, rest) = record(body).ok_or(TarProblem::Record)?;
            body = rest;
            match key {
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    let starts = records.sparse.len().is_multiple_of(2);
                    if starts != (key == b"GNU.sparse.offset") {
                        return Err(TarProblem::Sparse);
                    }
                    records.sparse.push(decimal(value).ok_or(TarProblem::Sparse)?);
                }
                // A name that other tools cut at the NUL would be another file to them.
                b"path" | b"linkpath" | b"GNU.sparse.name" if value.contains(&0) => {
                    return Err(TarProblem::Record);
                }
                _ => drop(records.values.insert(key.to_vec(), value.to_vec())),
            }
        }
        Ok(records)
    }

    /// Puts records over these ones.
    pub(super) fn update(&mut self, mut over: Self) {
        self.values.append(&mut over.values);
        if !over.sparse.is_empty() {
            self.sparse = over.sparse;
        }
    }

    /// Bytes of all keys and values.
    pub(super) fn size(&self) -> u64 {
        let values = self.values.iter().map(|(key, value)| key.len() + value.len());
        (values.sum::<usize>() + size_of_val(&*self.sparse)) as u64
    }

    /// A value; an empty one takes back what came before it.
    fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key.as_bytes()).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    pub(super) fn path(&self) -> Option<&[u8]> {
        self.get("GNU.sparse.name").or_else(|| self.get("path"))
    }

    pub(super) fn link(&self) -> Option<&[u8]> {
        self.get("linkpath")
    }

    pub(super) fn number(&self, key: &'static str) -> Result<Option<u64>, TarProblem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        // Beyond what an offset in a file can be.
        let number = decimal(value).filter(|number| i64::try_from(*number).is_ok());
        number.map(Some).ok_or(TarProblem::Number(key))
    }

    pub(super) fn mtime(&self) -> Result<Option<Time>, TarProblem> {
        let Some(value) = self.get("mtime") else { return Ok(None) };
        time(value).map(Some).ok_or(TarProblem::Number("mtime"))
    }

    pub(super) fn xattrs(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.values
            .iter()
            .filter_map(|(key, value)| {
                let name = key.strip_prefix(b"SCHILY.xattr.")?;
                Some((unquoted(name), value.clone()))
            })
            .collect()
    }

    /// What is said about the entry as a sparse file. None if it is not one.
    pub(super) fn sparse(&self) -> Result<Option<SparseMap>, TarProblem> {
        let major = self.get("GNU.sparse.major").unwrap_or_default();
        let minor = self.get("GNU.sparse.minor").unwrap_or_default();
        let map = self.get("GNU.sparse.map");
        let size = |key| self.number(key)?.ok_or(TarProblem::Sparse);
        match (major, minor) {
            (b"1", b"0") => {
                Ok(Some(SparseMap { size: size("GNU.sparse.realsize")?, extents: None }))
            }
            (b"" | b"0", b"" | b"0" | b"1") => {
                let numbers = match map {
                    None if self.sparse.is_empty() => return Ok(None),
                    None => self.sparse.clone(),
                    Some(map) => map
                        .split(|byte| *byte == b',')
                        .map(|number| decimal(number).ok_or(TarProblem::Sparse))
                        .collect::<Result<_, _>>()?,
                };
                let extents = Some(Extent::pairs(&numbers)?);
                Ok(Some(SparseMap { size: size("GNU.sparse.size")?, extents }))
            }
            _ => Err(TarProblem::Sparse),
        }
    }
}

/// The first record and what follows it.
fn record(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    // Twenty digits hold any length; not to look further keeps this linear.
    let space = body.iter().take(21).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&body[..space])?).ok()?;
    if length <= space || length > body.len() {
        return None;
    }
    let (record, rest) = body.split_at(length);
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at(equals);
    (!key.is_empty() && !key.contains(&0)).then_some((key, &value[1..], rest))
}

/// A decimal number without sign.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Seconds with decimals: `-6.876543211`. What is finer than a nanosecond is cut off.
fn time(text: &[u8]) -> Option<Time> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let decimals = parts.next().unwrap_or_default();
    if !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanoseconds = (0..9).fold(0, |number, place| {
        number * 10 + decimals.get(place).map_or(0, |digit| u32::from(digit - b'0'))
    });
    Some(match (negative, nanoseconds) {
        (false, nanoseconds) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds: 0 },
        (true, part) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - part },
    })
}

/// An attribute's name without the quoting of GNU tar.
fn unquoted(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let (byte, next) = match rest {
            [b'%', b'2', b'5', after @ ..] => (b'%', after),
            [b'%', b'3', b'D', after @ ..] => (b'=', after),
            _ => (*first, after),
        };
        plain.push(byte);
        rest = next;
    }
    plain
}

/// What records say, and what they say when they are written and read again: for fuzzing.
#[cfg(fuzzing)]
pub(crate) fn records_again(body: &[u8]) -> Option<(String, String)> {
    use crate::layer::tar_write::{decimal, put_record};

    let first = Records::parse(body).ok()?;
    let mut again = Vec::new();
    for (key, value) in &first.values {
        put_record(&mut again, key, value);
    }
    for (index, number) in first.sparse.iter().enumerate() {
        let key = ["GNU.sparse.offset", "GNU.sparse.numbytes"][index % 2];
        put_record(&mut again, key.as_bytes(), number.to_string().as_bytes());
    }
    let second = Records::parse(&again).expect("what we write are records");
    if let Ok(Some(mtime)) = first.mtime() {
        assert_eq!(time(decimal(mtime).as_bytes()), Some(mtime));
    }
    let said = |records: &Records| {
        let numbers = ["size", "uid", "gid"].map(|key| records.number(key).ok());
        let (path, link) = (records.path(), records.link());
        format!(
            "{records:?} {numbers:?} {path:?} {link:?} {:?} {:?}",
            records.xattrs(),
            records.sparse()
        )
    };
    Some((said(&first), said(&second)))
}
