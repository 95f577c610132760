//! `lex.jsonl` in split mode, which only `EXPOSE` has: it is seen from nowhere else.

use kaniko_tests::conformance::{Table, differences};
use serde_json::{Value, json};

use super::Env;
use super::value::words;
use crate::budget::Budget;

#[test]
fn split_words() {
    let table = Table::open("lex", |row| row["id"].as_str().unwrap().to_owned());
    table.only("split", |_| true).check(&[], |row| {
        let template = grammar::template(row["in"].as_str().unwrap(), '\\', 0);
        let mut env = Env::default();
        for (name, value) in row["env"].as_object().unwrap() {
            env.set(name, value.as_str().unwrap());
        }
        let ours =
            words(&template, &env, &Budget::default()).map_or(Value::Null, |words| json!(words));
        differences(&row["words"], &ours)
    });
}
