//! Names of images in registries, made canonical as Docker does it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// `registry/repository[:tag][@digest]`, canonical: `alpine` is
/// `docker.io/library/alpine:latest`.
///
/// Grammar: distribution `reference/reference.go`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ImageRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A reference that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    /// As written.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no image reference: {}", self.text, self.reason)
    }
}

impl std::error::Error for ReferenceError {}

impl ImageRef {
    /// Host and optional port; `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Path within the registry, e.g. `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; none only where there is a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that the reference is pinned to.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same repository, without tag and digest: `registry/repository`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same reference, pinned to a digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// The same image as another registry has it: the whole repository, `library/` included, below
    /// a path of that registry.
    #[must_use]
    pub fn below(&self, place: &RegistryPath) -> Self {
        let repository = match place.path() {
            "" => official(&place.registry, &self.repository),
            path => format!("{path}/{}", self.repository),
        };
        Self { registry: place.registry.clone(), repository, ..self.clone() }
    }

    /// What stands behind `manifests/` in a request: the digest if there is one, else the tag.
    pub fn manifest_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }
}

/// A registry, or a path within one, below which repositories lie: `registry[/path]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryPath {
    registry: String,
    /// Without a slash at either end; empty for the registry itself.
    path: String,
}

impl RegistryPath {
    /// Host and optional port; `docker.io` for Docker Hub, as in [`ImageRef::registry`].
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path within the registry; empty for the registry itself.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for RegistryPath {
    type Err = ReferenceError;

    /// Other than in an image's name, the first component is a registry whatever it looks like.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ReferenceError { text: text.to_owned(), reason };
        if text.contains("://") {
            return Err(error("a registry is named without `https://` or `http://`"));
        }
        let (registry, path) = text.split_once('/').unwrap_or((text, ""));
        if !is_registry(registry) {
            return Err(error("the registry is no host name"));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.is_empty() && !path.split('/').all(is_path_component) {
            return Err(error("the path is not words of a-z and 0-9 with single separators"));
        }
        Ok(Self { registry: canonical(registry).to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for RegistryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.registry)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, "/{}", self.path) }
    }
}

/// Docker Hub has two names.
fn canonical(registry: &str) -> &str {
    if registry == "index.docker.io" { "docker.io" } else { registry }
}

/// Where Docker Hub keeps the repositories that are named by one word.
fn official(registry: &str, repository: &str) -> String {
    if registry == "docker.io" && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    }
}

/// Splits off the registry: the first component is one if it has a dot, a colon or an upper-case
/// letter, or is `localhost`.
fn split_registry(name: &str) -> (String, String) {
    match name.split_once('/') {
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            let registry = canonical(first);
            (registry.to_owned(), official(registry, rest))
        }
        Some(_) => ("docker.io".to_owned(), name.to_owned()),
        None => ("docker.io".to_owned(), official("docker.io", name)),
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let hex = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
                return !address.is_empty()
                    && address.bytes().all(hex)
                    && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Lower-case letters and digits, with single separators `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !bytes.first().is_some_and(word) || !bytes.last().is_some_and(word) {
        return false;
    }
    bytes.split(word).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

impl FromStr for ImageRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ReferenceError { text: text.to_owned(), reason };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                let digest = digest.parse().map_err(|_| {
                    error("behind the `@` stands no `sha256:` digest of 64 hex digits")
                })?;
                (name, Some(digest))
            }
            None => (text, None),
        };
        let last_component = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[last_component..].split_once(':') {
            Some((component, tag)) => {
                (&name[..last_component + component.len()], Some(tag.to_owned()))
            }
            None => (name, None),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(error("the tag is not letters, digits, `_`, `.` and `-`"));
        }
        if name.is_empty() {
            return Err(error("it is empty"));
        }
        let (registry, repository) = split_registry(name);
        if !is_registry(&registry) {
            return Err(error("the registry is no host name"));
        }
        if repository.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(error("the repository must be in lower case"));
        }
        if !repository.split('/').all(is_path_component) {
            return Err(error("the repository is not words of a-z and 0-9 with single separators"));
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { registry, repository, tag, digest })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl From<ImageRef> for String {
    fn from(reference: ImageRef) -> Self {
        reference.to_string()
    }
}

impl TryFrom<String> for ImageRef {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_canonical() {
        for (text, expected) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3", "docker.io/library/alpine:3"),
            ("a/b", "docker.io/a/b:latest"),
            ("index.docker.io/x", "docker.io/library/x:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("127.0.0.1:5000/x/y:t", "127.0.0.1:5000/x/y:t"),
            ("[::1]:5000/x", "[::1]:5000/x:latest"),
            ("r.io/a__b/c--d.e:T_1", "r.io/a__b/c--d.e:T_1"),
        ] {
            assert_eq!(text.parse::<ImageRef>().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn an_image_lies_below_a_path_of_another_registry() {
        for (image, place, expected) in [
            ("alpine", "r.io", "r.io/library/alpine:latest"),
            ("alpine:3", "mirror:5000/a/b/", "mirror:5000/a/b/library/alpine:3"),
            ("r.io/x", "hub", "hub/x:latest"),
            ("r.io/x", "index.docker.io", "docker.io/library/x:latest"),
            ("r.io/x", "docker.io/y", "docker.io/y/x:latest"),
        ] {
            let image: ImageRef = image.parse().unwrap();
            let below = image.below(&place.parse().unwrap());
            assert_eq!(below.to_string(), expected);
            assert_eq!(expected.split('/').next(), Some(below.registry()));
        }
        for text in
            ["", "/", "/a", "r.io//a", "https://r.io", "r.io/A", "r.io/a:1", "a b", "r.io,b"]
        {
            assert!(text.parse::<RegistryPath>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            ":x",
            "a:",
            "UPPER",
            "a/../b",
            "a//b",
            "a b",
            "-a",
            "a@sha256:12",
            "r.io:99999/a",
            "r.io:+80/a",
            "a:é",
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
