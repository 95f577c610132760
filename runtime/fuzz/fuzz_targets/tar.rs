//! An archive of any bytes is read without a panic and always in the same way, however many bytes
//! come at a time; and what a layer can hold of it comes back when it is written and read again.
//!
//! The first byte of an input says what the rest is: with bit 1 a list of entries, with bit 2
//! blocks whose checksums are made right first, else the archive itself.

#![no_main]

use kaniko_runtime_fuzz::{entries, with_checksums};
use runtime::fuzzing::{read_in_steps, rewritten};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let archive = match how {
        how if how & 1 != 0 => entries(rest),
        how if how & 2 != 0 => with_checksums(rest),
        _ => rest.to_vec(),
    };
    let whole = read_in_steps(&archive, usize::MAX);
    assert_eq!(whole, read_in_steps(&archive, 7));
    let (before, after) = rewritten(&archive);
    assert_eq!(before, after);
});
