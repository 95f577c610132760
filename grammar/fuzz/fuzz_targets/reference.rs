//! Names of images, platforms and digests: what is read is canonical, so that what is shown of it
//! reads as the same again, and can stand in an address.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use ir::{Digest, ImageRef, Platform};

libfuzzer_sys::fuzz_target!(|text: &str| {
    check::<ImageRef>(text, ".:/@_-[]");
    check::<Platform>(text, "/_.-");
    check::<Digest>(text, ":");
    if let Ok(reference) = text.parse::<ImageRef>() {
        assert!(!reference.repository().is_empty() && !reference.registry().contains('/'));
        assert!(reference.tag().is_some() || reference.digest().is_some());
        let pinned = reference.with_digest(Digest::from_bytes([7; 32]));
        assert_eq!(pinned.to_string().parse::<ImageRef>(), Ok(pinned));
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert!(platform.satisfies(&platform));
    }
});

fn check<T: FromStr<Err: Debug + Display> + Display + Debug + PartialEq>(text: &str, marks: &str) {
    match text.parse::<T>() {
        Ok(value) => {
            let shown = value.to_string();
            assert!(shown.chars().all(|char| char.is_ascii_alphanumeric() || marks.contains(char)));
            assert_eq!(shown.parse::<T>().expect("what is shown can be read"), value);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
