//! What a pattern matches, by Go's own documentation and tables, and laws of the matcher.

use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    Wildcard::parse(pattern, DoubleStar::Stars).unwrap().matches(text.as_bytes())
}

#[test]
fn go_filepath_match() {
    for (pattern, text, expected) in [
        ("abc", "abc", true),
        ("*", "abc", true),
        ("*c", "abc", true),
        ("a*", "a", true),
        ("a*", "abc", true),
        ("a*", "ab/c", false),
        ("a*/b", "abc/b", true),
        ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false),
        ("ab[c]", "abc", true),
        ("ab[b-d]", "abc", true),
        ("ab[e-g]", "abc", false),
        ("ab[^c]", "abc", false),
        ("ab[^b-d]", "abc", false),
        ("ab[^e-g]", "abc", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "ab", false),
        ("a?b", "a☺b", true),
        ("a[^a]b", "a☺b", true),
        ("a???b", "a☺b", false),
        ("a[^a][^a][^a]b", "a☺b", false),
        ("[a-ζ]*", "α", true),
        ("*[a-ζ]", "A", false),
        ("a?b", "a/b", false),
        ("a*b", "a/b", false),
        ("[\\]a]", "]", true),
        ("[\\-]", "-", true),
        ("[x\\-]", "x", true),
        ("[x\\-]", "z", false),
        ("[\\-x]", "a", false),
        ("*x", "xxx", true),
        ("**", "abc", true),
        ("[!a]", "!", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn malformed_patterns_are_refused() {
    for pattern in ["[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[^", "[^bc", "a[", "a\\", "[]"]
    {
        let error = Wildcard::parse(pattern, DoubleStar::Stars).unwrap_err();
        assert!(error.to_string().contains(pattern), "{error}");
    }
}

#[test]
fn bytes_that_are_no_text_count_as_one_character_each() {
    let one = Wildcard::parse("a?b", DoubleStar::Stars).unwrap();
    assert!(one.matches(b"a\xffb"));
    assert!(!one.matches(b"a\xff\xffb"));
}

#[test]
fn escapes_are_no_wildcards() {
    assert!(is_pattern("a*") && is_pattern("a?") && is_pattern("[a]"));
    assert!(!is_pattern("a\\*") && !is_pattern("a") && !is_pattern("\\["));
    assert_eq!(unescape("a\\*\\\\b\\"), "a*\\b\\");
}

#[test]
fn stars_upon_stars_take_time_in_proportion() {
    let pattern = Wildcard::parse(&"*".repeat(10_000), DoubleStar::Stars).unwrap();
    assert!(pattern.matches(&[b'a'; 1_000]));
}

/// A pattern tried in the most obvious way.
fn slow(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => {
            slow(rest, text)
                || text.split_first().is_some_and(|(c, text)| *c != '/' && slow(pattern, text))
        }
        Some(('?', rest)) => {
            text.split_first().is_some_and(|(c, text)| *c != '/' && slow(rest, text))
        }
        Some((char, rest)) => {
            text.split_first().is_some_and(|(c, text)| c == char && slow(rest, text))
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_the_obvious_way(pattern in "[ab/*?]{0,8}", text in "[ab/]{0,10}") {
        let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(matches(&pattern, &text), slow(&p, &t));
    }

    #[test]
    fn nothing_panics(pattern in any::<String>(), text in any::<Vec<u8>>()) {
        for double_star in [DoubleStar::Stars, DoubleStar::Directories] {
            if let Ok(wildcard) = Wildcard::parse(&pattern, double_star) {
                wildcard.matches(&text);
            }
        }
    }

    #[test]
    fn what_matches_below_could(
        pattern in "[ab*?/]{1,8}",
        directory in "[ab]{1,2}(/[ab]{1,2})?",
        name in "[ab]{1,2}(/[ab]{1,2})?",
    ) {
        let wildcard = Wildcard::parse(&pattern, DoubleStar::Directories).unwrap();
        let path = format!("{directory}/{name}");
        if wildcard.matches_with_parents(path.as_bytes()) {
            prop_assert!(
                wildcard.may_match_below(directory.as_bytes())
                    || wildcard.matches_with_parents(directory.as_bytes())
            );
        }
    }
}
