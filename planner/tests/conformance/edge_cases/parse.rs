//! What is read of a Dockerfile: modes `parse` and `ast`.

use kaniko_tests::conformance::{Known, differences};

use super::{parsed, program, settled, source, syntax, table};

const KNOWN: &[Known] = &[(
    "directive/duplicate escape",
    "BuildKit counts from 0 here and names the line before the repeated one",
)];

#[test]
fn programs() {
    table("programs", &["parse", "ast"]).check(KNOWN, |row| {
        let (source, answer) = (source(row), &row["answer"]);
        settled(&answer["error"], parsed(&source), &source, |program| {
            let mut found = differences(&syntax::theirs(answer), &syntax::ours(&program, &source));
            // Mode `ast` ends before the instructions have their types.
            if row["mode"] == "parse" {
                found.extend(differences(
                    &program::theirs(answer),
                    &program::ours(&program, &source),
                ));
            }
            found
        })
    });
}
