//! What the name of a branch or tag stands for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gix_hash::ObjectId;
use gix_protocol::handshake::Ref;
use gix_transport::bstr::{BString, ByteSlice as _};

/// A branch, a tag or another reference of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// In full: `refs/heads/main`.
    pub(crate) name: String,
    /// A commit, or an annotated tag.
    pub(crate) id: ObjectId,
    /// The commit of an annotated tag.
    pub(crate) tagged: Option<ObjectId>,
}

/// What the references of repositories are at, as far as a build has asked: each is asked for once,
/// so that it is the same commit wherever the build names it.
#[derive(Debug, Default)]
pub(crate) struct References(Mutex<BTreeMap<Named, Arc<Place>>>);

/// A repository's URL, and the name of the reference; none for the default branch.
type Named = (String, Option<String>);

/// Where one reference of one repository is kept.
#[derive(Debug, Default)]
pub(super) struct Place(Mutex<Option<Reference>>);

impl References {
    /// The place of a repository's reference, or of its default branch.
    pub(super) fn place(&self, url: &str, reference: Option<&str>) -> Arc<Place> {
        let name = (url.to_owned(), reference.map(str::to_owned));
        let mut places = self.0.lock().expect("nobody panics while holding the lock");
        Arc::clone(places.entry(name).or_default())
    }
}

impl Place {
    /// What is known, or else what `resolve` finds; whoever else wants to know waits for that.
    pub(super) fn or_resolve<E>(
        &self,
        resolve: impl FnOnce() -> Result<Reference, E>,
    ) -> Result<Reference, E> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(reference) => Ok(reference.clone()),
            None => Ok(known.insert(resolve()?).clone()),
        }
    }
}

/// The beginnings of all names that a reference, or the default branch, may have.
pub(super) fn prefixes(reference: Option<&str>) -> Vec<BString> {
    match reference {
        None => vec![b"HEAD".as_slice().into()],
        Some(name) => candidates(name).into_iter().map(BString::from).collect(),
    }
}

/// The beginnings of the names of everything that is no matter of the server's own.
pub(super) fn all_prefixes() -> Vec<BString> {
    [b"HEAD".as_slice(), b"refs/heads/", b"refs/tags/"].into_iter().map(BString::from).collect()
}

/// Which reference is meant. As BuildKit: a name below `refs/` that is given in full, a branch, a
/// tag, in this order.
pub(super) fn choose(refs: &[Ref], reference: Option<&str>) -> Option<Reference> {
    match reference {
        None => find(refs, "HEAD"),
        Some(name) => candidates(name).iter().find_map(|name| find(refs, name)),
    }
}

/// Every commit and tag that the server names.
pub(super) fn ids(refs: &[Ref]) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = refs.iter().filter_map(|r| read(r).map(|(_, r)| r.id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn candidates(name: &str) -> [String; 3] {
    let below = |prefix: &str| format!("{prefix}{}", name.strip_prefix(prefix).unwrap_or(name));
    [below("refs/"), below("refs/heads/"), below("refs/tags/")]
}

fn find(refs: &[Ref], name: &str) -> Option<Reference> {
    let read = refs.iter().filter_map(read);
    read.filter(|(known, _)| known.as_slice() == name.as_bytes()).map(|(_, found)| found).next()
}

/// A reference by the name that it was listed as. `HEAD` is called what it leads to.
fn read(reference: &Ref) -> Option<(&BString, Reference)> {
    let (listed, name, tag, object) = match reference {
        Ref::Direct { full_ref_name, object } => (full_ref_name, full_ref_name, None, *object),
        Ref::Peeled { full_ref_name, tag, object } => {
            (full_ref_name, full_ref_name, Some(*tag), *object)
        }
        Ref::Symbolic { full_ref_name, target, tag, object } => {
            (full_ref_name, target, *tag, *object)
        }
        Ref::Unborn { .. } => return None,
    };
    let name = name.to_str_lossy().into_owned();
    let tagged = tag.map(|_| object);
    Some((listed, Reference { name, id: tag.unwrap_or(object), tagged }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[digit; 20])
    }

    #[test]
    fn branches_go_before_tags() {
        let direct =
            |name: &str, digit| Ref::Direct { full_ref_name: name.into(), object: id(digit) };
        let refs = [
            Ref::Symbolic {
                full_ref_name: "HEAD".into(),
                target: "refs/heads/main".into(),
                tag: None,
                object: id(1),
            },
            direct("refs/heads/main", 1),
            direct("refs/heads/both", 2),
            direct("refs/tags/both", 3),
            Ref::Peeled { full_ref_name: "refs/tags/v1".into(), tag: id(4), object: id(1) },
            direct("refs/pull/7/head", 5),
            direct("refs/heads/pull/7/head", 6),
            direct("refs/x/heads/main", 7),
        ];
        for (name, found) in [
            (None, Some(("refs/heads/main", 1))),
            (Some("main"), Some(("refs/heads/main", 1))),
            (Some("heads/main"), Some(("refs/heads/main", 1))),
            (Some("both"), Some(("refs/heads/both", 2))),
            (Some("refs/tags/both"), Some(("refs/tags/both", 3))),
            (Some("tags/both"), Some(("refs/tags/both", 3))),
            (Some("v1"), Some(("refs/tags/v1", 4))),
            (Some("pull/7/head"), Some(("refs/pull/7/head", 5))),
            (Some("refs/heads/pull/7/head"), Some(("refs/heads/pull/7/head", 6))),
            (Some("mai"), None),
            (Some("0101010"), None),
            (Some("x/heads/main"), Some(("refs/x/heads/main", 7))),
            (Some("HEAD"), None),
        ] {
            let chosen = choose(&refs, name);
            let chosen = chosen.as_ref().map(|chosen| (chosen.name.as_str(), chosen.id));
            assert_eq!(chosen, found.map(|(name, digit)| (name, id(digit))), "{name:?}");
        }
        assert_eq!(choose(&refs, Some("v1")).unwrap().tagged, Some(id(1)));
        assert_eq!(ids(&refs).len(), 7);
    }
}
