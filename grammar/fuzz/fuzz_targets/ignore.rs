//! An ignore file of any text: its patterns are read without a panic, and matched in time, here
//! with the lines of the file itself.

#![no_main]

use std::path::Path;

use ir::pattern::Ignore;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(patterns) = grammar::parse_ignore(text) else { return };
    assert!(patterns.len() <= text.split('\n').count());
    assert!(patterns.iter().all(|pattern| !pattern.is_empty() && !pattern.contains('\n')));
    let ignore = match Ignore::new(&patterns) {
        Ok(ignore) => ignore,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    for path in text.lines().take(8) {
        let excluded = ignore.excluded(path.as_ref());
        let clean = !path.split('/').any(|name| matches!(name, "" | "." | ".."));
        let below = Path::new(path).join("x");
        // What is in an excluded directory is excluded too, unless the directory says otherwise.
        if excluded && clean && !ignore.may_hold_included(path.as_ref()) {
            assert!(ignore.excluded(&below), "{patterns:?} {below:?}");
        }
    }
});
