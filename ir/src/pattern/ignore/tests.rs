//! What a `.dockerignore` leaves out, as moby/patternmatcher does it.

use proptest::prelude::*;

use super::*;

fn ignore(patterns: &[&str]) -> Ignore {
    let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    Ignore::new(&patterns).unwrap()
}

// rule: ignore.match, ignore.syntax
#[test]
fn patterns_decide_in_order() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&["*.md", "!README.md"], &["a.md"], &["README.md", "d/a.md"]),
        (&["**/*.md"], &["a.md", "d/a.md", "d/e/a.md"], &["md"]),
        (&["d"], &["d", "d/a", "d/a/b"], &["x/d", "dd", "da/d"]),
        (&["/d/"], &["d", "d/a"], &["x/d"]),
        (&["d/*", "!d/keep"], &["d/a"], &["d", "d/keep", "d/keep/x"]),
        (&["*", "!src"], &["a"], &["src", "src/x", "src/y/z"]),
        (&["**", "!a/b"], &["a", "a/c"], &["a/b", "a/b/c"]),
        (&["a?c"], &["abc"], &["a/c", "abbc"]),
        (&["[ab].c"], &["a.c"], &["c.c"]),
        (&["\\*.c"], &["*.c"], &["a.c"]),
        (&["!x", "x"], &["x"], &[]),
        (&["x", "!x", "x/y"], &["x/y"], &["x", "x/z"]),
        (&["./a/../b"], &["b"], &["a"]),
        (&["a**b"], &["a/x/b", "ab"], &["axxb"]),
        (&["**/d/**"], &["a/d/x", "d/x"], &["d", "a/d"]),
        (&["d/**/f"], &["d/f", "d/x/f", "d/x/y/f"], &["d", "f"]),
        (&["**/.git"], &[".git", "a/.git", "a/.git/x"], &["a/.gitx"]),
        (&["foo/**"], &["foo/x", "foo/x/y"], &["foo"]),
        (&["*.txt", "!d/*.txt"], &["a.txt"], &["d/a.txt"]),
        (&["**x"], &["ax", "d/ax", "x", "d/x"], &["xa"]),
        (&["**x*"], &["x", "xa", "d/xa"], &["ax"]),
        (&["**"], &["a", "a/b"], &[""]),
        (&["", "  "], &[], &["a"]),
        (&["a.b", "a+b", "a(b", "a^b", "a$"], &["a.b", "a+b", "a(b", "a^b", "a$"], &["axb", "aab"]),
    ];
    for (patterns, excluded, included) in cases {
        let ignore = ignore(patterns);
        for path in *excluded {
            assert!(ignore.excluded(Path::new(path)), "{patterns:?} includes {path}");
        }
        for path in *included {
            assert!(!ignore.excluded(Path::new(path)), "{patterns:?} excludes {path}");
        }
    }
}

#[test]
fn only_a_later_exception_keeps_a_directory_from_being_skipped() {
    for (patterns, directory, expected) in [
        (&["node_modules"][..], "node_modules", false),
        (&["d", "!d/keep"], "d", true),
        (&["d", "!d/keep/x"], "d/keep", true),
        (&["d", "!d/keep/x"], "d/other", false),
        (&["!d/keep", "d"], "d", false),
        (&["d", "!e/keep"], "d", false),
        (&["*", "!**/*.go"], "d", true),
        (&["d", "!d*/x"], "d", true),
        (&["d", "!d"], "d", false),
    ] {
        assert_eq!(
            ignore(patterns).may_hold_included(Path::new(directory)),
            expected,
            "{patterns:?}"
        );
    }
}

#[test]
fn a_malformed_pattern_is_named() {
    for pattern in ["!", "[", "! ", "a\\"] {
        let error = Ignore::new(&[pattern.to_owned()]).unwrap_err();
        assert_eq!(error.pattern, pattern);
    }
}

proptest! {
    #[test]
    fn a_skipped_directory_holds_nothing_included(
        patterns in proptest::collection::vec("!?[ab*?]{1,2}(/[ab*]{1,2}){0,2}", 1..5),
        directory in "[ab]{1,2}(/[ab])?",
        below in "[ab]{1,2}(/[ab]{1,2})?",
    ) {
        let ignore = Ignore::new(&patterns).unwrap();
        let directory = Path::new(&directory);
        if ignore.excluded(directory) && !ignore.may_hold_included(directory) {
            prop_assert!(ignore.excluded(&directory.join(below)));
        }
    }

    #[test]
    fn nothing_panics(
        patterns in proptest::collection::vec(any::<String>(), 0..4),
        path in any::<String>(),
    ) {
        if let Ok(ignore) = Ignore::new(&patterns) {
            ignore.excluded(Path::new(&path));
            ignore.may_hold_included(Path::new(&path));
        }
    }
}
