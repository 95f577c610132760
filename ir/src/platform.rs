//! Operating system, architecture and variant, as images name them (Go's `GOOS` and `GOARCH`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::suggest::nearest;

/// What an image runs on. Written `os/arch[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …; lower case.
    pub os: String,
    /// `amd64`, `arm64`, …; lower case, normalised.
    pub architecture: String,
    /// `v7` of `arm/v7`; none where the architecture's default is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A platform that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// As written.
    pub text: String,
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no platform; expected `os/arch[/variant]`", self.text)
    }
}

impl std::error::Error for PlatformError {}

impl PlatformError {
    /// The platform that may have been meant.
    pub fn nearest(&self) -> Option<Platform> {
        nearest(&self.text, KNOWN_ARCHITECTURES.iter().copied())?.parse().ok()
    }
}

impl Platform {
    /// `linux` on an architecture as Rust names it (`x86_64`, `aarch64`, …).
    pub fn linux(rust_architecture: &str) -> Self {
        let (architecture, variant) = normalise(rust_architecture, None);
        Self { os: "linux".into(), architecture, variant }
    }

    /// Whether an image for `self` is what someone who asked for `wanted` should get.
    ///
    /// A variant that was not asked for may be any; containerd's rule that a lower `arm` variant
    /// runs on a higher one is left to the caller, who ranks the candidates.
    pub fn satisfies(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.effective_variant() == wanted.effective_variant())
    }

    /// The variant, or the architecture's default.
    pub fn effective_variant(&self) -> Option<&str> {
        self.variant.as_deref().or(match self.architecture.as_str() {
            "arm64" => Some("v8"),
            "arm" => Some("v7"),
            "amd64" => Some("v1"),
            _ => None,
        })
    }
}

/// Lower case, and the spellings of one architecture made one (containerd `platforms`).
fn normalise(architecture: &str, variant: Option<&str>) -> (String, Option<String>) {
    let architecture = architecture.to_ascii_lowercase();
    let variant = variant.map(str::to_ascii_lowercase).filter(|v| !v.is_empty());
    let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant.filter(|v| *v != "v1")),
        ("i386" | "i686" | "x86" | "386", _) => ("386", None),
        ("aarch64" | "arm64", Some("8" | "v8")) => ("arm64", None),
        ("aarch64" | "arm64", Some("9")) => ("arm64", Some("v9")),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", None | Some("7")) => ("arm", Some("v7")),
        ("armel", _) | ("arm", Some("6")) => ("arm", Some("v6")),
        ("arm", Some("5")) => ("arm", Some("v5")),
        ("arm", Some("8")) => ("arm", Some("v8")),
        (other, variant) => (other, variant),
    };
    let (architecture, variant) = (architecture.to_owned(), variant.map(str::to_owned));
    (architecture, variant)
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `os/arch[/variant]`, or one known architecture (on linux) or `linux` alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PlatformError { text: text.to_owned() };
        let valid = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(valid) {
            return Err(error());
        }
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            [one] if KNOWN_ARCHITECTURES.contains(&one.to_ascii_lowercase().as_str()) => {
                ("linux", one, None)
            }
            _ => return Err(error()),
        };
        let (architecture, variant) = normalise(architecture, variant);
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        Ok(Self { os, architecture, variant })
    }
}

const KNOWN_ARCHITECTURES: &[&str] = &[
    "386", "aarch64", "amd64", "arm", "arm64", "armel", "armhf", "i386", "loong64", "mips64le",
    "ppc64le", "riscv64", "s390x", "x86_64",
];

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_platform_are_one() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64/9", "linux/arm64/v9"),
            ("linux/arm64/v9", "linux/arm64/v9"),
            ("linux/arm64/vv8", "linux/arm64/vv8"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("arm64", "linux/arm64"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), expected, "{text}");
            assert_eq!(expected.parse::<Platform>().unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "linux/", "a/b/c/d", "/", "nonsense"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_misspelt_architecture_is_near_to_one() {
        let nearest = |text: &str| text.parse::<Platform>().unwrap_err().nearest();
        assert_eq!(nearest("amd46"), Some(Platform::linux("amd64")));
        assert_eq!(nearest("nonsense"), None);
    }
}
