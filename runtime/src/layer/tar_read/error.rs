//! What can be wrong with an archive.

use std::io;

/// An archive that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", describe(entry.as_deref()))]
pub struct TarError {
    /// The entry at which reading ended, if one had begun.
    pub entry: Option<String>,
    /// What is wrong.
    #[source]
    pub problem: TarProblem,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum TarProblem {
    /// It cannot be read, or not be decompressed.
    #[error(transparent)]
    Io(io::Error),
    /// It is longer than it may be.
    #[error(
        "the archive has more than {0} bytes when it is decompressed; allow more with \
         `--unpack-limit size=SIZE`"
    )]
    TooLong(u64),
    /// It ends in the middle of an entry.
    #[error("the archive ends in the middle of an entry")]
    Truncated,
    /// A header's checksum is not that of its bytes.
    #[error("the checksum of the header is wrong")]
    Checksum,
    /// A single block of zeros in the middle.
    #[error("a block of zeros stands between entries")]
    LoneZeros,
    /// A number that is none, is negative, or does not fit.
    #[error("`{0}` is no number that fits")]
    Number(&'static str),
    /// A PAX record that does not follow the format.
    #[error("a PAX record is malformed")]
    Record,
    /// An extension header of unreasonable size.
    #[error("an extension header has {0} bytes; at most 1048576 are read")]
    ExtensionTooLong(u64),
    /// Global headers of unreasonable size.
    #[error("the global headers have {0} bytes; at most 4096 are read")]
    GlobalTooLong(u64),
    /// A sparse file whose map contradicts itself.
    #[error("the map of the sparse file is malformed")]
    Sparse,
    /// A type of entry that has no meaning in a layer.
    #[error("entries of type `{}` are not supported", char::from(*.0).escape_default())]
    UnknownType(u8),
}

impl TarError {
    pub(super) fn new(name: &[u8], problem: TarProblem) -> Self {
        let entry = (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned());
        Self { entry, problem }
    }
}

impl From<io::Error> for TarProblem {
    fn from(error: io::Error) -> Self {
        match error.downcast::<TooLong>() {
            Ok(TooLong(limit)) => Self::TooLong(limit),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Truncated,
            Err(error) => Self::Io(error),
        }
    }
}

/// As what it comes from an input that is longer than it may be.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
pub(crate) struct TooLong(pub u64);

fn describe(entry: Option<&str>) -> String {
    entry.map_or_else(|| "archive".to_owned(), |entry| format!("archive entry `{entry}`"))
}
