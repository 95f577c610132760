//! What is written for whoever comes after the build: which image went where.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ir::{Digest, ImageRef};
use reqwest::Url;
use serde::Serialize;

use super::{ExportError, partial};

/// Where an image's digest is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestTo {
    /// A file.
    File(PathBuf),
    /// A server, which takes it by an HTTP PUT.
    Server(Url),
}

/// Why a text is no place for a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestToError {
    /// It looks like an address and is none.
    #[error("this is no URL")]
    NoUrl,
    /// It would be sent in clear text, and could be changed on the way.
    #[error("a server is told by `https://` only")]
    NotSecure,
}

impl DigestTo {
    /// A path, or a URL with `https`.
    ///
    /// # Errors
    ///
    /// If it is another URL.
    pub fn parse(text: &str) -> Result<Self, DigestToError> {
        if text.starts_with("http://") {
            return Err(DigestToError::NotSecure);
        }
        if !text.starts_with("https://") {
            return Ok(Self::File(text.into()));
        }
        text.parse().map(Self::Server).map_err(|_| DigestToError::NoUrl)
    }
}

/// Which files tell of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// Has the digest alone.
    pub digest: Option<DigestTo>,
    /// Has a line for each destination: `registry/repository@sha256:…`.
    pub names: Option<PathBuf>,
    /// The same with tags: `registry/repository:tag@sha256:…`.
    pub tagged_names: Option<PathBuf>,
    /// Has a line of JSON for each destination that the image was pushed to, with its `name` and
    /// `digest`.
    pub pushed: Option<PathBuf>,
}

#[derive(Serialize)]
struct Pushed<'a> {
    name: String,
    digest: &'a Digest,
}

impl Receipts {
    /// Whether anybody is told.
    pub fn is_wanted(&self) -> bool {
        let Self { digest, names, tagged_names, pushed: _ } = self;
        digest.is_some() || names.is_some() || tagged_names.is_some()
    }

    /// Writes the files that do not depend on a push.
    pub fn write(&self, digest: &Digest, names: &[ImageRef]) -> Result<(), ExportError> {
        if let Some(DigestTo::File(path)) = &self.digest {
            write(path, &digest.to_string())?;
        }
        let lines = |tags: bool| {
            names.iter().fold(String::new(), |mut text, name| {
                let tag = name.tag().filter(|_| tags).map(|tag| format!(":{tag}"));
                let (name, tag) = (canonical(name), tag.unwrap_or_default());
                writeln!(text, "{name}{tag}@{digest}").expect("memory can be written");
                text
            })
        };
        for (path, tags) in [(&self.names, false), (&self.tagged_names, true)] {
            if let Some(path) = path {
                write(path, &lines(tags))?;
            }
        }
        Ok(())
    }

    /// Writes what tells of a push.
    pub fn write_pushed(&self, digest: &Digest, to: &[ImageRef]) -> Result<(), ExportError> {
        let Some(path) = &self.pushed else { return Ok(()) };
        let line = |name: &ImageRef| {
            let pushed = Pushed { name: name.to_string(), digest };
            serde_json::to_string(&pushed).expect("it has strings for keys") + "\n"
        };
        write(path, &to.iter().map(line).collect::<String>())
    }
}

/// The name by which scripts know an image that kaniko has pushed: Docker Hub has another one there.
fn canonical(name: &ImageRef) -> String {
    match name.registry() {
        "docker.io" => format!("index.docker.io/{}", name.repository()),
        registry => format!("{registry}/{}", name.repository()),
    }
}

/// Writes a file whole, and makes the directories above it.
fn write(to: &Path, text: &str) -> Result<(), ExportError> {
    let error = |source| ExportError::Write { to: to.to_owned(), source };
    if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(error)?;
    }
    partial::write(to, text.as_bytes()).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_to_a_file_or_over_tls() {
        assert_eq!(DigestTo::parse("a/b"), Ok(DigestTo::File("a/b".into())));
        assert!(matches!(DigestTo::parse("https://ci.io/a?b"), Ok(DigestTo::Server(_))));
        assert_eq!(DigestTo::parse("http://ci.io/a"), Err(DigestToError::NotSecure));
        assert_eq!(DigestTo::parse("https://"), Err(DigestToError::NoUrl));
    }

    #[test]
    fn names_are_kanikos() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let receipts = Receipts {
            digest: Some(DigestTo::File(path("new/digest"))),
            names: Some(path("names")),
            tagged_names: Some(path("tags")),
            pushed: Some(path("out/images")),
        };
        let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let to = ["app", "r.io:5000/x/y:1"].map(|name| name.parse().unwrap());
        receipts.write(&digest, &to).unwrap();
        assert!(!path("out").exists());
        receipts.write_pushed(&digest, &to[1..]).unwrap();
        let read = |name: &str| {
            fs::read_to_string(path(name)).unwrap().replace(&digest.to_string(), "DIGEST")
        };
        assert_eq!(read("new/digest"), "DIGEST");
        assert_eq!(read("names"), "index.docker.io/library/app@DIGEST\nr.io:5000/x/y@DIGEST\n");
        assert_eq!(
            read("tags"),
            "index.docker.io/library/app:latest@DIGEST\nr.io:5000/x/y:1@DIGEST\n"
        );
        assert_eq!(read("out/images"), "{\"name\":\"r.io:5000/x/y:1\",\"digest\":\"DIGEST\"}\n");
    }
}
