//! Variables that are used and that nothing sets, noted while templates get their values.

use std::collections::BTreeSet;

use ir::{Span, Template};

use super::{Expander, HIDDEN};
use crate::step::Place;

/// A variable that neither the base image nor an instruction above sets, nor an `ARG` declares.
#[derive(Debug)]
pub(crate) struct Unset {
    pub(crate) name: String,
    /// The use.
    pub(crate) span: Span,
    /// The statement.
    pub(crate) place: Place,
    /// A variable of a similar name.
    pub(crate) similar: Option<String>,
}

impl Expander<'_> {
    /// Notes what of the template is unset, each name once. Below a base that is not known nothing
    /// can be said.
    pub(super) fn note_unset(&mut self, template: &Template) {
        if self.scope.open {
            return;
        }
        let scope = &self.scope;
        let mut met = BTreeSet::new();
        for (name, span) in template.variables() {
            let known = scope.env.get(name).is_some()
                || scope.args.known.contains(name)
                || HIDDEN.contains(&name);
            if known || !met.insert(name) {
                continue;
            }
            let names = scope.env.iter().map(|(known, _)| known);
            let similar = self.similar.nearest(name, names).map(str::to_owned);
            let place = Place { span, foreign: false };
            self.unset.push(Unset { name: name.to_owned(), span, place, similar });
        }
    }
}
