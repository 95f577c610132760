//! URLs that name a git repository, and what their fragment and query say
//! (BuildKit `util/gitutil` and `dfgitutil`).

use ir::op::GitOp;
use ir::suggest::{self, shown};

/// A git source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a URL, any of which may be set")]
pub(crate) struct GitUrl {
    /// Without fragment and query.
    pub(crate) remote: String,
    /// Branch, tag or commit; empty for the default branch.
    pub(crate) reference: String,
    /// Empty for all of the repository.
    pub(crate) subdirectory: String,
    /// `checksum` or `commit` of the query.
    pub(crate) checksum: Option<String>,
    /// `keep-git-dir` of the query.
    pub(crate) keep_git_dir: Option<bool>,
    /// `submodules` of the query.
    pub(crate) submodules: Option<bool>,
    /// Whether the query asks for files with the time of their commit, which an `ADD` cannot give.
    pub(crate) commit_time: bool,
    /// `fetch-by-commit`.
    fetch_by_commit: bool,
    /// Whether it could as well be a path (`github.com/…` without a scheme).
    pub(crate) like_path: bool,
}

/// Why a text is no git source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GitUrlError {
    /// It names something else.
    NotGit,
    /// It names a repository in a way that cannot be meant.
    Bad(BadGitUrl),
}

/// What is wrong with a URL of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadGitUrl {
    /// To be put behind a colon.
    pub reason: String,
    /// What to do about it, a full instruction.
    pub help: String,
}

/// What a query may say.
const KEYS: [&str; 10] = [
    "branch",
    "checksum",
    "commit",
    "fetch-by-commit",
    "keep-git-dir",
    "mtime",
    "ref",
    "subdir",
    "submodules",
    "tag",
];

fn bad<T>(reason: String, help: impl Into<String>) -> Result<T, BadGitUrl> {
    Err(BadGitUrl { reason, help: help.into() })
}

impl GitUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, GitUrlError> {
        let (front, fragment) = match text.split_once('#') {
            Some((front, fragment)) => (front, fragment),
            None => (text, ""),
        };
        // A `?` without a query is part of the remote.
        let (remote, query) = match front.split_once('?') {
            Some((remote, query)) if !query.is_empty() => (remote, query),
            Some(_) | None => (front, ""),
        };
        let mut url = Self { remote: remote.to_owned(), ..Self::default() };
        if remote.starts_with("github.com/") {
            url.like_path = true;
        } else if !is_remote(remote.trim_end_matches('?')) {
            return Err(GitUrlError::NotGit);
        }
        let (reference, subdirectory) = fragment.split_once(':').unwrap_or((fragment, ""));
        reference.clone_into(&mut url.reference);
        subdirectory.clone_into(&mut url.subdirectory);
        url.query(query).map_err(GitUrlError::Bad)?;
        Ok(url)
    }

    /// The operation that fetches it.
    pub(crate) fn into_op(self) -> GitOp {
        // Without a scheme it would be a path.
        let url = if self.like_path { format!("https://{}", self.remote) } else { self.remote };
        GitOp {
            url,
            reference: Some(self.reference).filter(|reference| !reference.is_empty()),
            subdirectory: self.subdirectory,
            keep_git_dir: self.keep_git_dir.unwrap_or(false),
            checksum: self.checksum,
            submodules: self.submodules.unwrap_or(true),
            commit_time: self.commit_time,
            fetch_by_commit: self.fetch_by_commit,
        }
    }

    fn query(&mut self, query: &str) -> Result<(), BadGitUrl> {
        let mut names: Vec<&str> = Vec::new();
        let (mut tag, mut branch) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if names.contains(&name) {
                return bad(format!("`{}` is given twice", shown(name)), "remove one of the two");
            }
            if !KEYS.contains(&name) {
                return unknown(name);
            }
            names.push(name);
            match name {
                "ref" => self.set_reference(given(name, value)?)?,
                "tag" => tag = Some(prefixed(given(name, value)?, "refs/tags/")),
                "branch" => branch = Some(prefixed(given(name, value)?, "refs/heads/")),
                "subdir" => self.set_subdirectory(given(name, value)?)?,
                "checksum" | "commit" => self.set_checksum(given(name, value)?)?,
                "keep-git-dir" => self.keep_git_dir = Some(boolean(name, value)?),
                "submodules" => self.submodules = Some(boolean(name, value)?),
                "mtime" => self.commit_time = commit_time(value)?,
                // The last one of the keys: `fetch-by-commit`.
                _ => self.fetch_by_commit = boolean(name, value)?,
            }
        }
        match (tag, branch) {
            (Some(_), Some(_)) => {
                bad("it names both a tag and a branch".to_owned(), "remove one of the two")
            }
            (Some(reference), None) | (None, Some(reference)) => self.set_reference(&reference),
            (None, None) => Ok(()),
        }
    }

    fn set_reference(&mut self, reference: &str) -> Result<(), BadGitUrl> {
        let known = std::mem::replace(&mut self.reference, reference.to_owned());
        same(Some(known).filter(|known| !known.is_empty()), reference)
    }

    fn set_subdirectory(&mut self, subdirectory: &str) -> Result<(), BadGitUrl> {
        let known = std::mem::replace(&mut self.subdirectory, subdirectory.to_owned());
        same(Some(known).filter(|known| !known.is_empty()), subdirectory)
    }

    fn set_checksum(&mut self, checksum: &str) -> Result<(), BadGitUrl> {
        same(self.checksum.replace(checksum.to_owned()), checksum)
    }
}

/// What is named twice must be the same.
fn same(known: Option<String>, again: &str) -> Result<(), BadGitUrl> {
    match known.filter(|known| known != again) {
        None => Ok(()),
        Some(known) => bad(
            format!("it names both `{}` and `{}`", shown(&known), shown(again)),
            "remove one of the two",
        ),
    }
}

fn unknown<T>(name: &str) -> Result<T, BadGitUrl> {
    let help = match suggest::nearest(name, KEYS) {
        Some(known) => format!("write `{known}`"),
        None => format!("use one of `{}`", KEYS.join("`, `")),
    };
    bad(format!("`{}` is not known in the query", shown(name)), help)
}

fn given<'a>(name: &str, value: &'a str) -> Result<&'a str, BadGitUrl> {
    if value.is_empty() {
        return bad(format!("`{name}` has no value"), format!("write `{name}=…`, or remove it"));
    }
    Ok(value)
}

fn prefixed(name: &str, prefix: &str) -> String {
    if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name}") }
}

/// A name alone means yes.
fn boolean(name: &str, value: &str) -> Result<bool, BadGitUrl> {
    match ir::parse_bool(value) {
        _ if value.is_empty() => Ok(true),
        Some(known) => Ok(known),
        None => bad(
            format!("`{name}` is `{}`, which is no truth value", shown(value)),
            format!("write `{name}=true` or `{name}=false`"),
        ),
    }
}

/// Whether the files are to have the time of their commit.
fn commit_time(value: &str) -> Result<bool, BadGitUrl> {
    match value {
        "checkout" => Ok(false),
        "commit" => Ok(true),
        other => {
            let message = format!("`mtime` is `{}`, neither `checkout` nor `commit`", shown(other));
            bad(message, "write `mtime=checkout` or `mtime=commit`")
        }
    }
}

/// `git` and `ssh` URLs, `http` and `https` ones that end in `.git`, and `user@host:path`.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "BuildKit takes `.git` in lower case alone; the rest are files"
)]
fn is_remote(remote: &str) -> bool {
    if let Some((scheme, rest)) = remote.split_once("://") {
        let letters = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
        return letters
            && match scheme.to_ascii_lowercase().as_str() {
                "git" | "ssh" => true,
                "http" | "https" => {
                    rest.find('/').is_some_and(|slash| rest[slash..].ends_with(".git"))
                }
                _ => false,
            };
    }
    let Some((user, rest)) = remote.split_once('@') else { return false };
    let Some((host, _)) = rest.split_once(':') else { return false };
    let word = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    word(user, b"-_") && word(host, b"-.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> GitUrl {
        GitUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn fragment_and_query_name_what_to_check_out() {
        let url = parsed("https://h/r.git?keep-git-dir&submodules=0&commit=ab#main:docs");
        assert_eq!(url.remote, "https://h/r.git");
        assert_eq!((url.reference.as_str(), url.subdirectory.as_str()), ("main", "docs"));
        assert_eq!((url.keep_git_dir, url.submodules), (Some(true), Some(false)));
        assert_eq!(url.checksum.as_deref(), Some("ab"));
        assert_eq!(parsed("git@h:o/r?tag=v1").reference, "refs/tags/v1");
        assert_eq!(parsed("ssh://git@h:22/r?branch=refs/heads/b").reference, "refs/heads/b");
        assert!(parsed("github.com/o/r").like_path);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for query in [
            "ref=a#b",
            "ref=a&tag=b",
            "tag=a&branch=b",
            "ref=",
            "ref=a&ref=a",
            "unknown=1",
            "mtime=never",
            "submodules=no",
            "subdir=a#:b",
        ] {
            let url = format!("https://h/r.git?{query}");
            assert!(matches!(GitUrl::parse(&url), Err(GitUrlError::Bad(_))), "{url}");
        }
    }

    #[test]
    fn everything_else_is_no_git_source() {
        for text in [
            "x",
            "./x.git",
            "https://h/r",
            "https://h/r.git/",
            "https://h.git",
            "file:///r.git",
            "a@b",
        ] {
            assert_eq!(GitUrl::parse(text), Err(GitUrlError::NotGit), "{text}");
        }
    }
}
