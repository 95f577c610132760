//! Templates → values, as a table.

use ir::{Code, Diagnostic};

use super::Env;
use super::value::LIMIT;
use crate::budget::Budget;

fn env() -> Env {
    let mut env = Env::default();
    for (name, text) in [("s", "abcabc"), ("e", ""), ("path", "/a/b.tar.gz"), ("two", "x  y")] {
        env.set(name, text);
    }
    env
}

fn value(template: &str, env: &Env) -> Result<String, Diagnostic> {
    super::value(&grammar::template(template, '\\', 0), env, &Budget::default())
}

#[test]
fn templates_have_the_values_that_buildkit_gives_them() {
    for (template, expected) in [
        ("plain", "plain"),
        ("$s-${s}", "abcabc-abcabc"),
        ("'$s' \"$s\" \\$s", "$s abcabc $s"),
        ("[$unset][$e]", "[][]"),
        ("${s:-w}${e:-w}${u:-w}", "abcabcww"),
        ("${s-w}${e-w}${u-w}", "abcabcw"),
        ("${s:+w}${e:+w}${u:+w}", "w"),
        ("${s+w}${e+w}${u+w}", "ww"),
        ("${s?no}${e?no}", "abcabc"),
        ("${path##*/}", "b.tar.gz"),
        ("${path#*/}", "a/b.tar.gz"),
        ("${path%.*}", "/a/b.tar"),
        ("${path%%.*}", "/a/b"),
        ("${s/b/X}", "aXcabc"),
        ("${s//b/X}", "aXcaXc"),
        ("${s//b*/X}", "aX"),
        ("${s/?/[&]}", "[&]bcabc"),
        ("${u:-${v:-$s}}", "abcabc"),
        ("${s#${u:-a}}", "bcabc"),
        ("${two}", "x  y"),
    ] {
        assert_eq!(value(template, &env()).unwrap(), expected, "{template}");
    }
}

#[test]
fn words_are_split_at_blanks_that_are_not_quoted() {
    for (template, expected) in [
        ("$two", vec!["x", "y"]),
        ("\"$two\"", vec!["x  y"]),
        ("a$two", vec!["ax", "y"]),
        ("$e", vec![]),
        // A word of nothing is none, even in quotes.
        ("\"\" ''$e a\"\"b ''", vec!["ab"]),
        // BuildKit loses what stands before a modifier.
        ("80${u:-90}", vec!["90"]),
        ("\"80\"${u:-90}", vec!["90"]),
        ("\"80${u:-90}\"", vec!["8090"]),
        ("a${e}70\"80${u:-90}${u:-91}\"92", vec!["80909192"]),
    ] {
        let parsed = grammar::template(template, '\\', 0);
        assert_eq!(
            super::value::words(&parsed, &env(), &Budget::default()).unwrap(),
            expected,
            "{template}"
        );
    }
}

#[test]
fn what_cannot_be_expanded_says_why_and_where() {
    for (template, code, start) in [
        ("a${u:?gone}", Code::RequiredVariable, 1),
        ("${e:?}", Code::RequiredVariable, 0),
        ("x${s,,}", Code::BadExpansion, 1),
        ("${s#\\n}", Code::BadExpansion, 0),
        ("${s:-${u:?inner}}", Code::RequiredVariable, 5),
        ("'open", Code::BadExpansion, 0),
    ] {
        let error = value(template, &env()).unwrap_err();
        assert_eq!((error.code, error.span.start()), (code, start), "{template}: {error}");
    }
}

#[test]
fn the_last_setting_decides_the_place_in_the_environment() {
    let mut env = Env::default();
    env.set("a", "1");
    env.set("b", "2");
    env.put_last("a", "3");
    assert_eq!(env.iter().collect::<Vec<_>>(), [("b", "2"), ("a", "3")]);
    env.set("b", "4");
    assert_eq!(env.iter().collect::<Vec<_>>(), [("b", "4"), ("a", "3")]);
}

#[test]
fn values_that_double_each_other_end_in_an_error() {
    let mut env = env();
    env.set("x", &"x".repeat(LIMIT / 2));
    for template in ["$x$x$x", "${s//?/$x}${s//?/$x}", "${x#$x}"] {
        assert_eq!(value(template, &env).unwrap_err().code, Code::PlanTooLarge, "{template}");
    }
}

#[test]
fn setting_a_variable_again_and_again_leaves_no_holes_behind() {
    let mut env = Env::default();
    for round in 0..1000 {
        for name in ["a", "b", "c"] {
            env.put_last(name, &round.to_string());
        }
    }
    assert_eq!(env.iter().collect::<Vec<_>>(), [("a", "999"), ("b", "999"), ("c", "999")]);
    assert!(env.entries.len() <= 6, "{}", env.entries.len());
    let mut same = Env::default();
    for name in ["a", "b", "c"] {
        same.set(name, "999");
    }
    assert_eq!(env.size(), same.size());
}
