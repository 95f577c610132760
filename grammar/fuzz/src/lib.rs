//! What several targets share: places in a value, and the options of a plan.

use ir::{Platform, Span};
use planner::Options;
use serde_json::Value;

/// Whether a test holds for every span in a JSON form, however deep.
pub fn all_spans(value: &Value, holds: &impl Fn(Span) -> bool) -> bool {
    match value {
        Value::Object(fields) => {
            let offset = |name| usize::try_from(fields.get(name)?.as_u64()?).ok();
            let itself = match (offset("start"), offset("end"), fields.len()) {
                (Some(start), Some(end), 2) => start <= end && holds(Span::new(start, end)),
                _ => true,
            };
            itself && fields.values().all(|field| all_spans(field, holds))
        }
        Value::Array(elements) => elements.iter().all(|element| all_spans(element, holds)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// A plan's options when nothing was asked for.
pub fn options() -> Options {
    Options::new(Platform::linux("x86_64"))
}
