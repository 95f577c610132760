//! What the checks say: mode `lint`.

use super::setting::platforms;
use super::{plan, settled, source, table};

#[test]
fn warnings() {
    table("warnings", &["lint"]).check(&[], |row| {
        let source = source(row);
        let outcome = plan::planned(row, &source, &platforms(row)[0]);
        settled(&row["answer"]["buildError"], outcome, &source, |_| Vec::new())
    });
}
