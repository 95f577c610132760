//! What wildcards find in a directory.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::context::source::local;

fn find(ignore: &[&str], pattern: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for path in ["a/x.c", "a/.h", "b/x.c", "b/y/x.c", "[z]", "q\\w", "star*"] {
        fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
        fs::write(dir.path().join(path), "").unwrap();
    }
    symlink("b", dir.path().join("link")).unwrap();
    symlink("/b/y", dir.path().join("absolute")).unwrap();
    let ignore: Vec<String> = ignore.iter().map(|&pattern| pattern.to_owned()).collect();
    let tree = local(dir.path(), &ignore, Path::new("")).unwrap();
    let paths = match expand(&tree, pattern, &CancellationToken::new()).unwrap() {
        Selected::Plain(path) => vec![path],
        Selected::Matches { paths, .. } => paths,
    };
    paths.into_iter().map(|path| path.to_str().unwrap().to_owned()).collect()
}

#[test]
fn wildcards_find_what_go_finds() {
    for (pattern, expected) in [
        ("*/x.c", &["a/x.c", "b/x.c"][..]),
        ("a/*", &["a/.h", "a/x.c"]),
        ("./[ab]/../?/x*", &["a/x.c", "b/x.c"]),
        ("link/*", &["link/x.c", "link/y"]),
        ("l*k/y/*", &[]),
        ("link/*/*", &["link/y/x.c"]),
        ("l*", &["link"]),
        ("*/*/*", &["b/y/x.c"]),
        ("none/*", &[]),
        ("a/x.c/*", &[]),
        ("[[]z]", &["[z]"]),
        ("/a/../../a/x.c", &["a/x.c"]),
        ("no/such", &["no/such"]),
        ("q\\w", &["q\\w"]),
        ("star\\*", &["star*"]),
        ("", &[""]),
    ] {
        assert_eq!(find(&[], pattern), expected, "{pattern}");
    }
}

#[test]
fn what_is_ignored_is_not_found() {
    assert_eq!(find(&["a", "b/y", "link"], "*/x.c"), ["b/x.c"]);
    assert_eq!(find(&["b", "!b/x.c"], "b/*"), ["b/x.c"]);
}
