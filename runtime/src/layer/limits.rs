//! How much a layer, or an archive that is added, may come to.

use tokio_util::sync::CancellationToken;

/// Bytes that any archive may have, however small it is compressed.
const ALWAYS: u64 = 16 << 30;
/// How many times as long as its compressed form an archive may be that is longer than that. What
/// programs are made of comes to 2 to 20; gzip reaches 1,032 with zeros, the others much more.
const EXPANSION: u64 = 200;

/// How much a layer, or an archive that is added, may come to. Images that are meant well stay far
/// below; without a bound, a small download could fill a disk or keep a builder busy for days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Most entries.
    pub entries: u64,
    /// Most bytes when it is decompressed. None: 16 GiB, or 200 times what it is compressed,
    /// whichever is more.
    pub size: Option<u64>,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { entries: 4_000_000, size: None }
    }
}

impl UnpackLimits {
    /// Most bytes that may have come out of so many compressed ones.
    pub(crate) fn bytes(self, compressed: u64) -> u64 {
        self.size.unwrap_or_else(|| compressed.saturating_mul(EXPANSION).max(ALWAYS))
    }
}

/// What ends an unpacking early.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// How much it may come to.
    pub limits: UnpackLimits,
    /// Stops it from outside.
    pub cancel: &'a CancellationToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_already_may_be_longer() {
        let usual = UnpackLimits::default();
        assert_eq!((usual.bytes(0), usual.bytes(1 << 20)), (16 << 30, 16 << 30));
        assert_eq!(usual.bytes(10 << 30), 2000 << 30);
        assert_eq!(usual.bytes(u64::MAX), u64::MAX);
        assert_eq!(UnpackLimits { size: Some(5), ..usual }.bytes(1 << 30), 5);
    }
}
