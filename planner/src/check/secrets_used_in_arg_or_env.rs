//! `SecretsUsedInArgOrEnv`: what `ARG` and `ENV` set can be read in the image.

use ir::instruction::Instruction;
use ir::{Code, Diagnostic, Span};

use super::{Find, Kind, Plan, Rule};
use crate::step::{Action, Place};

pub(super) const RULE: Rule = Rule {
    code: Code::SecretsUsedInArgOrEnv,
    summary: "Sensitive data should not be used in the ARG or ENV commands",
    kind: Kind::Standard,
    find: Find::Plan(find),
};

/// Words between `_` that make a name a secret's.
const SECRET: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "passwd",
    "password",
    "pword",
    "secret",
    "token",
];

/// Words that say that it is none after all.
const HARMLESS: [&str; 3] = ["file", "public", "version"];

fn find(plan: &Plan<'_>, found: &mut Vec<Diagnostic>) {
    let mut tell =
        |keyword: &str, name: &str, span: Span, place: Place| {
            if is_secret(name) {
                let message = format!(
                    "do not use `ARG` or `ENV` instructions for sensitive data (`{keyword} {name}`)"
                );
                found.push(place.at(Diagnostic::warning(RULE.code, span, message)).help(
                    "show it to the `RUN` that needs it with `--mount=type=secret,id=…,env=…`",
                ));
            }
        };
    for (_, step) in plan.steps() {
        match (&step.action, &step.statement.instruction) {
            (Action::Env(values), Instruction::Env(env)) => {
                for ((name, _), pair) in values.iter().zip(&env.pairs) {
                    tell("ENV", name, pair.key.span, step.place);
                }
            }
            (Action::Arg(_), Instruction::Arg(arg)) => {
                for declaration in &arg.declarations {
                    let name = &declaration.name;
                    tell("ARG", &name.value, name.span, step.place);
                }
            }
            _ => {}
        }
    }
}

fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |words: &[&str]| lower.split('_').any(|word| words.contains(&word));
    has(&SECRET) && !has(&HARMLESS)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::RULE;

    #[test]
    fn names_of_secrets() {
        check(
            RULE,
            "ARG GLOBAL_TOKEN\nFROM a\nARG api_key PASSWORD=x\nENV GIT_AUTH_HEADER=1 a=2\n",
            &["api_key", "PASSWORD", "GIT_AUTH_HEADER"],
        );
        check(RULE, "FROM a\nARG PUBLIC_KEY KEYS TOKEN_FILE\nENV MONKEY=x KEY_VERSION=1\n", &[]);
    }
}
