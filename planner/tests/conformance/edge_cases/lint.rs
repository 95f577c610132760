//! What the checks say: mode `lint`.

use kaniko_tests::conformance::Known;

use super::setting::platforms;
use super::{plan, settled, source, table};

const KNOWN: &[Known] = &[];

#[test]
fn warnings() {
    table("warnings", &["lint"]).check(KNOWN, |row| {
        let source = source(row);
        let outcome = plan::planned(row, &source, &platforms(row)[0]);
        settled(&row["answer"]["buildError"], outcome, &source, |_| Vec::new())
    });
}
