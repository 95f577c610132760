//! An ignore file of any text: its patterns are read without a panic, and matched in time, here
//! with the lines of the file itself.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(patterns) = grammar::parse_ignore(text) else { return };
    assert!(patterns.len() <= text.split('\n').count());
    assert!(patterns.iter().all(|pattern| !pattern.is_empty() && !pattern.contains('\n')));
    for path in text.lines().take(8) {
        let _refused = runtime::fuzzing::excluded(&patterns, path.as_ref());
    }
});
