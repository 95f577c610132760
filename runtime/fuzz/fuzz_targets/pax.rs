//! The body of an extended header of any bytes is read without a panic, and its records mean the
//! same when they are written and read again. An archive with it either has an entry or an error.
//!
//! With bit 1 of the first byte, the rest are records on lines of their own, whose lengths are put
//! before them; with bit 2, the header counts for all entries of the archive.

#![no_main]

use kaniko_runtime_fuzz::with_lengths;
use runtime::fuzzing::{read_in_steps, records};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [how, rest @ ..] = data else { return };
    let body = if how & 1 == 0 { rest.to_vec() } else { with_lengths(rest) };
    if let Some((first, second)) = records(&body) {
        assert_eq!(first, second);
    }
    let mut archive = Vec::new();
    member(&mut archive, if how & 2 == 0 { b'x' } else { b'g' }, &body);
    member(&mut archive, b'0', &[b'0'; 1024]);
    archive.resize(archive.len() + 1024, 0);
    assert!(!read_in_steps(&archive, usize::MAX).is_empty());
});

fn member(archive: &mut Vec<u8>, flag: u8, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[0] = b'n';
    header.as_mut_bytes()[156] = flag;
    header.set_size(content.len() as u64);
    header.set_cksum();
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}
