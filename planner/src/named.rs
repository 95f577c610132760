//! What a name in `FROM` and `--from` may be made to stand for: `--build-context`.

use ir::ImageRef;
use ir::op::GitOp;

use crate::giturl::{BadGitUrl, GitUrl, GitUrlError};

/// What a `--build-context` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    /// A directory of the builder's.
    Local {
        /// Cleaned patterns of its own `.dockerignore`.
        ignore: Vec<String>,
    },
    /// An image.
    Image(ImageRef),
    /// Nothing: an empty file system.
    Scratch,
    /// A tree of a git repository.
    Git(GitOp),
    /// An `http` or `https` URL: what is in it if it is an archive, else it as a file named
    /// `context`.
    Http(String),
}

impl NamedContext {
    /// Reads a URL, a git one as `ADD` takes it or `github.com/…`. None for what is no URL of
    /// something that can be fetched; an error for a git URL that cannot be meant.
    pub fn remote(text: &str) -> Result<Option<Self>, BadGitUrl> {
        match GitUrl::parse(text) {
            Ok(url) => Ok(Some(Self::Git(url.into_op()))),
            Err(GitUrlError::Bad(reason)) => Err(reason),
            Err(GitUrlError::NotGit) => {
                let http = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
                Ok(http.then(|| Self::Http(text.to_owned())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_git_repositories_or_downloads() {
        for (text, remote, reference, subdirectory) in [
            ("https://example.com/r.git#main:sub", "https://example.com/r.git", "main", "sub"),
            ("git@example.com:o/r.git", "git@example.com:o/r.git", "", ""),
            ("ssh://git@example.com/r", "ssh://git@example.com/r", "", ""),
            ("git://example.com/r?tag=v1", "git://example.com/r", "refs/tags/v1", ""),
            ("github.com/o/r", "https://github.com/o/r", "", ""),
        ] {
            let Ok(Some(NamedContext::Git(git))) = NamedContext::remote(text) else {
                panic!("{text} is no git context")
            };
            assert_eq!(git.url, remote);
            assert_eq!(git.reference.unwrap_or_default(), reference);
            assert_eq!(git.subdirectory, subdirectory);
        }
        let http = "https://example.com/a.tar.gz?x=1".to_owned();
        assert_eq!(NamedContext::remote(&http), Ok(Some(NamedContext::Http(http))));
        for text in ["dir", "./dir.git", "s3://bucket/x", "docker-image://a"] {
            assert_eq!(NamedContext::remote(text), Ok(None), "{text}");
        }
        assert!(NamedContext::remote("https://example.com/r.git?ref=a#b").is_err());
    }
}
