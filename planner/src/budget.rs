//! A bound on what a plan may grow to, and on the work of making it.
//!
//! A plan is not in proportion to its text: each `RUN` has a whole environment, each stage a whole
//! config, a variable can stand for many others, and a pattern is tried at every place of a value.
//! All of that is spent from one budget, so that no text of a few megabytes fills the memory.

use std::cell::Cell;

use ir::{Code, Diagnostic, Span};

/// Bytes that are copied, or steps of matching, in one plan. The largest plans of real files come
/// to a few megabytes.
pub(crate) const MOST: usize = 1 << 30;

/// What one entry of a list takes beside its text.
pub(crate) const ENTRY: usize = 64;

/// What of [`MOST`] is left, and who first asked for more.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
    exceeded: Cell<Option<Span>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: Cell::new(MOST), exceeded: Cell::new(None) }
    }
}

impl Budget {
    /// Takes an amount; an error at `span` where too little is left. Then nothing is.
    pub(crate) fn spend(&self, amount: usize, span: Span) -> Result<(), Diagnostic> {
        let left = self.left.get().checked_sub(amount);
        self.left.set(left.unwrap_or(0));
        if left.is_some() {
            return Ok(());
        }
        self.stop(span);
        Err(exceeded(span))
    }

    /// Ends planning for an error at `span` that would only come again and again.
    pub(crate) fn stop(&self, span: Span) {
        self.exceeded.set(self.exceeded.get().or(Some(span)));
    }

    /// Whether planning has ended.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded.get().is_some()
    }

    /// Sees to it that planning does not end without an error.
    pub(crate) fn tell(&self, errors: &mut Vec<Diagnostic>) {
        if let Some(span) = self.exceeded.get()
            && errors.is_empty()
        {
            errors.push(exceeded(span));
        }
    }
}

fn exceeded(span: Span) -> Diagnostic {
    let message = format!("up to here the plan takes more than {} MiB", MOST >> 20);
    Diagnostic::error(Code::PlanTooLarge, span, message).help(
        "use fewer or shorter variables: every command has all of them, and every stage those of \
         the one it continues",
    )
}
