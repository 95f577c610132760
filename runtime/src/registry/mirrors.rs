//! Mirrors: at which places an image is looked for, and in which order.

use std::collections::BTreeMap;

use ir::{ImageRef, ReferenceError, RegistryPath};

use super::error::{PassedOver, RegistryError};

/// Which registries are asked in place of others when an image is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// In the order in which they are asked, by the registry as images name it.
    targets: BTreeMap<String, Vec<RegistryPath>>,
    /// Whether a registry that has mirrors is not asked itself.
    no_fallback: bool,
}

/// A text that names no mirrors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorsError {
    /// It does not say what it stands for.
    #[error("`{0}` is not REGISTRY=MIRROR, such as `docker.io=mirror.example.com`")]
    Form(String),
    /// A side of it is no registry.
    #[error("`{}` is no registry with an optional path: {}", .0.text, .0.reason)]
    Registry(ReferenceError),
    /// Images are mapped by their registry, all of them.
    #[error("`{0}` has a path: only a whole registry can have a mirror")]
    Path(String),
}

impl Mirrors {
    /// Adds what `REGISTRY=MIRROR[;REGISTRY=MIRROR…]` says behind what is there. A mirror may have
    /// a path, below which it has the repositories; `index.docker.io` is `docker.io`.
    pub fn map(&mut self, text: &str) -> Result<(), MirrorsError> {
        for pair in pieces(text, &[';']) {
            let (from, to) =
                pair.split_once('=').ok_or_else(|| MirrorsError::Form(pair.to_owned()))?;
            self.add(&registry(from.trim())?, registry(to.trim())?)?;
        }
        Ok(())
    }

    /// Adds mirrors of Docker Hub behind what is there.
    pub fn mirror(&mut self, text: &str) -> Result<(), MirrorsError> {
        for mirror in pieces(text, &[';', ',']) {
            self.add(&registry("docker.io")?, registry(mirror)?)?;
        }
        Ok(())
    }

    /// A registry that has mirrors is not asked itself.
    pub fn refuse_fallback(&mut self) {
        self.no_fallback = true;
    }

    fn add(&mut self, from: &RegistryPath, to: RegistryPath) -> Result<(), MirrorsError> {
        if !from.path().is_empty() {
            return Err(MirrorsError::Path(from.to_string()));
        }
        let targets = self.targets.entry(from.registry().to_owned()).or_default();
        if !targets.contains(&to) {
            targets.push(to);
        }
        Ok(())
    }

    /// Where an image is looked for, in order; at one place at least. Mirrors have no mirrors.
    pub(super) fn places(&self, image: &ImageRef) -> Vec<ImageRef> {
        let targets = self.targets.get(image.registry()).map(Vec::as_slice).unwrap_or_default();
        let mut places: Vec<ImageRef> = targets.iter().map(|target| image.below(target)).collect();
        let itself = places.is_empty() || !self.no_fallback;
        if itself && !places.contains(image) {
            places.push(image.clone());
        }
        places
    }
}

fn registry(text: &str) -> Result<RegistryPath, MirrorsError> {
    text.parse().map_err(MirrorsError::Registry)
}

fn pieces<'a>(text: &'a str, separators: &'a [char]) -> impl Iterator<Item = &'a str> {
    text.split(separators).map(str::trim).filter(|piece| !piece.is_empty())
}

/// A walk through the places where something may be.
#[derive(Debug)]
pub(super) struct Search {
    /// What is looked for, and where it belongs.
    image: ImageRef,
    object: String,
    /// Where to look next, the nearest place last; never empty.
    left: Vec<ImageRef>,
    passed_over: Vec<PassedOver>,
    /// Whether it is looked for where it belongs and nowhere else.
    plain: bool,
    /// Whether it is not looked for where it belongs.
    no_fallback: bool,
}

impl Search {
    /// For an image, or a part of it that errors call `object`. There is at least one place.
    pub(super) fn new(image: ImageRef, object: String, mut places: Vec<ImageRef>) -> Self {
        let no_fallback = !places.contains(&image);
        let plain = places.len() == 1 && !no_fallback;
        places.reverse();
        Self { image, object, left: places, passed_over: Vec::new(), plain, no_fallback }
    }

    /// Where to look.
    pub(super) fn place(&self) -> &ImageRef {
        self.left.last().expect("a search without a place left has ended")
    }

    /// Whether there is somewhere else to look if it is not here.
    pub(super) fn hurried(&self) -> bool {
        self.left.len() > 1
    }

    /// After this place failed: goes on to the next one.
    ///
    /// # Errors
    ///
    /// If there is none, or if the place is not at fault.
    pub(super) fn next(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        if self.plain || !error.is_of_place() {
            return Err(error);
        }
        let place = self.place().clone();
        self.passed_over.push(PassedOver { place, error });
        if self.hurried() {
            self.left.pop();
            return Ok(());
        }
        let not_asked = self.no_fallback.then(|| self.image.registry().to_owned());
        let tried = std::mem::take(&mut self.passed_over);
        Err(RegistryError::Nowhere { object: self.object.clone(), tried, not_asked })
    }

    /// The place where it was, and those that failed before.
    pub(super) fn finish(mut self) -> (ImageRef, Vec<PassedOver>) {
        let place = self.left.pop().expect("a search without a place left has ended");
        (place, self.passed_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(maps: &[&str], hub: &[&str]) -> Mirrors {
        let mut mirrors = Mirrors::default();
        for text in maps {
            mirrors.map(text).unwrap();
        }
        for text in hub {
            mirrors.mirror(text).unwrap();
        }
        mirrors
    }

    fn places(mirrors: &Mirrors, image: &str) -> Vec<String> {
        let image = image.parse().unwrap();
        mirrors.places(&image).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mirrors_come_in_their_order_and_then_the_registry_itself() {
        let mirrors = mirrors(
            &["index.docker.io=a.io/hub; ghcr.io=b.io ;", "docker.io=c:5000", "ghcr.io=a.io/gh/"],
            &["d.io", "e.io, a.io/hub"],
        );
        let hub = ["a.io/hub", "c:5000", "d.io", "e.io", "docker.io"];
        let expected = hub.map(|place| format!("{place}/library/alpine:3"));
        assert_eq!(places(&mirrors, "alpine:3"), expected);
        assert_eq!(places(&mirrors, "index.docker.io/alpine:3"), expected);
        assert_eq!(
            places(&mirrors, "ghcr.io/x/y"),
            ["b.io/x/y:latest", "a.io/gh/x/y:latest", "ghcr.io/x/y:latest"]
        );
        assert_eq!(places(&mirrors, "a.io/x"), ["a.io/x:latest"], "mirrors have no mirrors");
    }

    #[test]
    fn without_fallback_only_what_has_mirrors_is_kept_from_its_registry() {
        let mut mirrors = mirrors(&[], &["m.io"]);
        mirrors.refuse_fallback();
        assert_eq!(places(&mirrors, "x/y"), ["m.io/x/y:latest"]);
        assert_eq!(places(&mirrors, "ghcr.io/x"), ["ghcr.io/x:latest"]);
    }

    #[test]
    fn a_place_is_tried_once_and_keeps_the_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let mirrors = mirrors(&["r.io=r.io;r.io=r.io/proxy"], &[]);
        let image = format!("r.io/x:1@{digest}");
        assert_eq!(places(&mirrors, &image), [image.clone(), format!("r.io/proxy/x:1@{digest}")]);
    }

    #[test]
    fn what_names_no_mirrors_is_refused() {
        for text in ["m.io", "=m.io", "r.io=", "r.io/path=m.io", "r.io=https://m.io", "r.io=m.io/A"]
        {
            assert!(Mirrors::default().map(text).is_err(), "{text}");
        }
        let error = Mirrors::default().mirror("http://m.io").unwrap_err().to_string();
        assert!(error.contains("without `https://`"), "{error}");
        let mut none = Mirrors::default();
        none.map("").unwrap();
        none.mirror(" ; ").unwrap();
        assert_eq!(none, Mirrors::default());
    }

    fn missing() -> RegistryError {
        RegistryError::NotFound { object: "it".to_owned(), message: "gone".to_owned() }
    }

    fn search(mirrors: &Mirrors) -> Search {
        let image: ImageRef = "x".parse().unwrap();
        let places = mirrors.places(&image);
        Search::new(image, "`x`".to_owned(), places)
    }

    #[test]
    fn a_search_ends_with_every_reason() {
        let mut two = mirrors(&[], &["m.io,n.io"]);
        two.refuse_fallback();
        let mut search = search(&two);
        assert!(search.hurried());
        search.next(missing()).unwrap();
        assert_eq!(search.place().registry(), "n.io");
        assert!(!search.hurried());
        let error = search.next(missing()).unwrap_err();
        let text = error.to_string();
        for part in ["`m.io/library/x:latest`", "`n.io/library/x:latest`", "gone", "docker.io"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let RegistryError::Nowhere { tried, not_asked, .. } = error else { panic!("{error:?}") };
        assert_eq!((tried.len(), not_asked.as_deref()), (2, Some("docker.io")));
    }

    #[test]
    fn a_search_without_mirrors_fails_as_the_registry_does() {
        let error = search(&Mirrors::default()).next(missing()).unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }));
    }

    #[test]
    fn a_full_disk_is_no_reason_to_look_elsewhere() {
        let source = std::io::Error::other("full");
        let error = RegistryError::Read { path: "x".into(), source };
        let error = search(&mirrors(&[], &["m.io"])).next(error).unwrap_err();
        assert!(matches!(error, RegistryError::Read { .. }));
    }
}
