//! What the build checks say of a file, errors or not: mode `lint`.

use super::outcome::Outcome;
use super::setting::platforms;
use super::warnings::differing;
use super::{settled, source, table};

#[test]
fn checks() {
    table("checks", &["lint"]).check(&[], |row| {
        let (source, answer) = (source(row), &row["answer"]);
        let Outcome { graph, warnings, .. } = Outcome::of(row, &source, &platforms(row)[0]);
        let mut found = settled(&answer["buildError"], graph, &source, |_| Vec::new());
        found.extend(differing(&answer["warnings"], &warnings, &source));
        found
    });
}
