//! The bytes do not depend on threads, and every gzip reads them.

use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::layer::testing::run;

fn compress(data: &[u8], level: u32, writes: usize) -> Vec<u8> {
    let mut gzip = ParallelGzip::new(Vec::new(), level).unwrap();
    for part in data.chunks(writes) {
        gzip.write_all(part).unwrap();
    }
    gzip.finish().unwrap()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Text-like, noisy and empty stretches by turns.
fn data(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..length)
        .map(|at| match (at / 300_000) % 3 {
            0 => b"the quick brown fox "[(at + (next() % 3) as usize) % 20],
            1 => next().to_le_bytes()[0],
            _ => 0,
        })
        .collect()
}

#[test]
fn threads_do_not_show() {
    let data = data(5 * BLOCK + 12_345);
    for level in [0, 1, 6] {
        let one = pool(1).install(|| compress(&data, level, 100_000));
        for (threads, writes) in [(4, 77_777), (2, 10 * BLOCK)] {
            let many = pool(threads).install(|| compress(&data, level, writes));
            assert!(one == many, "level {level}, {threads} threads");
        }
        assert!(one == compress(&data, level, 4096), "level {level}, from outside of a pool");
    }
}

#[test]
fn gzip_takes_it_as_one_member() {
    for length in [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK, 3 * BLOCK + 1] {
        let data = data(length);
        for level in [0, 6, 9] {
            let packed = compress(&data, level, 1 << 16);
            assert!(run("gzip", &["-dc"], Path::new("/"), &packed) == data, "{length}");
            let mut single = Vec::new();
            flate2::read::GzDecoder::new(&*packed).read_to_end(&mut single).unwrap();
            assert!(single == data, "{length} at {level}");
        }
        run("gzip", &["-t"], Path::new("/"), &compress(&data, 6, 1 << 16));
    }
}

#[test]
fn an_error_of_the_file_is_passed_on() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            if data.len() == HEADER.len() {
                Ok(data.len())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut gzip = ParallelGzip::new(Full, 6).unwrap();
    gzip.write_all(&data(BLOCK)).unwrap();
    let error = gzip.finish().err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn what_goes_in_comes_out(start in 0_usize..400_000, length in 0..3 * BLOCK, level in 0_u32..10) {
        let data = &data(start + length)[start..];
        let mut back = Vec::new();
        flate2::read::MultiGzDecoder::new(&*compress(data, level, 50_000)).read_to_end(&mut back).unwrap();
        prop_assert!(back == data);
    }
}
