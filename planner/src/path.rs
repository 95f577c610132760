//! Slash-separated paths as Go's `path` package treats them, which is what BuildKit plans with.

/// The shortest equal path: no `.`, no inner `..`, no doubled or trailing `/` (Go `path.Clean`).
pub(crate) fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if absolute => {}
            other => kept.push(other),
        }
    }
    let joined = kept.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// The path below `/`, cleaned: `..` cannot leave it.
pub(crate) fn rooted(path: &str) -> String {
    clean(&format!("/{path}"))
}

/// The path below `/` of one name, as a pattern that matches nothing else.
pub(crate) fn rooted_name(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '\\' | '*' | '?' | '[') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    rooted(&pattern)
}

/// `path` seen from `directory`, cleaned.
pub(crate) fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') { clean(path) } else { rooted(&format!("{directory}/{path}")) }
}

/// As [`join`], but a trailing `/` or `/.` stays: it says that the path is a directory's.
pub(crate) fn join_directory(directory: &str, path: &str) -> String {
    let mut joined = join(directory, path);
    if path.ends_with("/.") || path == "." {
        if !joined.ends_with('/') {
            joined.push('/');
        }
        if path != "." {
            joined.push('.');
        }
    } else if path.ends_with('/') && !joined.ends_with('/') {
        joined.push('/');
    }
    joined
}

/// A working directory: relative ones are joined to the current one, absolute ones kept as
/// written.
pub(crate) fn workdir(current: &str, path: &str) -> String {
    match path {
        "" if current.is_empty() => "/".to_owned(),
        "" => current.to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => join(current, relative),
    }
}

/// The last element, trailing slashes aside (Go `path.Base`).
pub(crate) fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some((_, last)) => last,
        None if trimmed.is_empty() && !path.is_empty() => "/",
        None if trimmed.is_empty() => ".",
        None => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in [
            ("", "."),
            (".", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/../a/./b/..", "/a"),
            ("a/../../b", "../b"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
        assert_eq!(rooted("../x"), "/x");
        assert_eq!(rooted_name("a[1]*\\?"), "/a\\[1]\\*\\\\\\?");
    }

    #[test]
    fn destinations_keep_the_mark_of_a_directory() {
        for (directory, path, expected) in [
            ("/", "x", "/x"),
            ("/w", "x/", "/w/x/"),
            ("/w", ".", "/w/"),
            ("/w", "./", "/w/"),
            ("/w", "x/.", "/w/x/."),
            ("/w", "/a/../b/", "/b/"),
            ("/w", "..", "/"),
            ("/", "/", "/"),
        ] {
            assert_eq!(join_directory(directory, path), expected, "{directory} {path}");
        }
    }

    #[test]
    fn working_directories_stay_as_written_where_absolute() {
        assert_eq!(workdir("", "x"), "/x");
        assert_eq!(workdir("/x", "/y/"), "/y/");
        assert_eq!(workdir("/y/", "z/../w"), "/y/w");
        assert_eq!(workdir("/y/", ""), "/y/");
        assert_eq!(workdir("", ""), "/");
    }

    #[test]
    fn the_base_is_the_last_element() {
        for (path, expected) in [("/a/b/", "b"), ("/", "/"), ("", "."), ("x", "x")] {
            assert_eq!(base(path), expected, "{path}");
        }
    }
}
