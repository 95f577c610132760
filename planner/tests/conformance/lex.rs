//! `lex.jsonl` without its splitting: the value of one word, and the variables met in it.

use std::collections::BTreeSet;

use ir::instruction::{Env, Pair};
use ir::{Instruction, Span, Template};
use kaniko_tests::conformance::{Table, differences};
use serde_json::{Value, json};

use crate::tiny::planned;

/// A name that no row has.
const RESULT: &str = "CONFORMANCE_RESULT";

#[test]
fn one_word() {
    let table = Table::open("lex", |row| row["id"].as_str().unwrap().to_owned());
    table.only("one word", |_| true).check(&[], |row| {
        let template = grammar::template(row["in"].as_str().unwrap(), '\\', 0);
        let environment = row["env"].as_object().unwrap();
        let pair = |(name, value): (&String, &Value)| Pair {
            key: literal(name),
            value: literal(value.as_str().unwrap()),
        };
        let pairs: Vec<Pair> = environment.iter().map(pair).collect();
        let ours = match value(pairs, template.clone()) {
            Some(word) => {
                let names = template.variables().into_iter().map(|(name, _)| name);
                let (matched, unmatched): (BTreeSet<_>, BTreeSet<_>) =
                    names.partition(|name| environment.contains_key(*name));
                json!({"word": word, "matched": matched, "unmatched": unmatched})
            }
            None => json!("an error"),
        };
        let theirs = match row["word"].as_str() {
            Some(word) => {
                json!({"word": word, "matched": row["matched"], "unmatched": row["unmatched"]})
            }
            None => json!("an error"),
        };
        differences(&theirs, &ours)
    });
}

/// The value that `ENV` gives a variable in an environment.
fn value(environment: Vec<Pair>, template: Template) -> Option<String> {
    let result = Pair { key: literal(RESULT), value: template };
    let instructions = [environment, vec![result]].into_iter().filter(|pairs| !pairs.is_empty());
    let instructions = instructions.map(|pairs| Instruction::Env(Env { pairs, legacy: false }));
    let graph = planned(instructions.collect()).ok()?;
    Some(graph.target().config.config.env(RESULT).unwrap().to_owned())
}

/// A text that stands for itself.
fn literal(text: &str) -> Template {
    Template::literal(text, Span::default())
}
