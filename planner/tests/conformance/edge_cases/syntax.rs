//! The comparable form of a file's instructions before they have types: keyword, arguments,
//! heredocs and lines.
//!
//! Flags are compared where they have types.

use ir::instruction::{Command, Healthcheck, Instruction, Paths};
use ir::{Program, Source, Span, Stage, Statement, Template};
use serde_json::{Map, Value, json};

use super::lines;
use crate::heredoc;

/// The form of `answer.ast`, `answer.directives` and `answer.escape`.
pub(super) fn theirs(answer: &Value) -> Value {
    let instructions = answer["ast"].as_array().unwrap().iter().map(their_instruction);
    let directives = answer["directives"].as_object().cloned().unwrap_or_default();
    let directives = directives.iter().map(|(name, directive)| {
        // The whole value; `value` may be a part of it.
        let value = directive.get("cmdline").unwrap_or(&directive["value"]);
        let (line, _) = lines(&directive["lines"]).unwrap();
        (name.clone(), json!({"value": value, "line": line}))
    });
    let mut directives: Map<_, _> = directives.collect();
    json!({
        "front end": directives.remove("syntax"),
        "directives": directives,
        "escape": answer["escape"],
        "instructions": instructions.collect::<Vec<_>>(),
    })
}

fn their_instruction(node: &Value) -> Value {
    let keyword = node["cmd"].as_str().unwrap();
    let heredocs = node["heredocs"].as_array().cloned().unwrap_or_default();
    let words = node["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    match keyword {
        // `AS` and `CMD` are words like any others there, in any case.
        "FROM" if words.len() == 3 => words[1].make_ascii_uppercase(),
        "HEALTHCHECK" => words[0].make_ascii_uppercase(),
        // Of the words that open heredocs only the heredocs are kept.
        "COPY" | "ADD" if !heredocs.is_empty() => words.retain(|word| !word.contains("<<")),
        _ => {}
    }
    let mut form = json!({
        "keyword": keyword,
        "words": words,
        "heredocs": heredocs,
        "lines": [node["start"], node["end"]],
    });
    if keyword == "FROM" {
        let comments = node["comments"].as_array().cloned().unwrap_or_default();
        let comments: Vec<&str> = comments.iter().map(|line| line.as_str().unwrap()).collect();
        form["comment"] = json!(comments.join("\n"));
    } else {
        form["text"] = node["original"].clone();
    }
    form
}

/// The form of a program.
pub(super) fn ours(program: &Program, source: &Source) -> Value {
    assert!(program.global_args.is_empty(), "no accepted row has a global argument");
    let mut escapes = program.directives.iter().filter(|directive| directive.name == "escape");
    let escape = escapes.next().map_or("\\", |directive| &directive.value);
    let line = |span: Span| source.line_range(span).0;
    let directives = program.directives.iter().filter(|directive| directive.name != "syntax");
    let directives = directives.map(|directive| {
        let form = json!({"value": directive.value, "line": line(directive.span)});
        (directive.name.clone(), form)
    });
    // It is found in more files than have it as a directive; those of other languages, say.
    let front_end = grammar::other_front_end(source, None);
    let front_end = front_end
        .map(|problem| json!({"value": source.slice(problem.span), "line": line(problem.span)}));
    let mut instructions = Vec::new();
    for stage in &program.stages {
        instructions.push(our_from(stage, source));
        instructions.extend(stage.statements.iter().map(|one| our_statement(one, source)));
    }
    json!({
        "front end": front_end,
        "directives": directives.collect::<Map<_, _>>(),
        "escape": escape,
        "instructions": instructions,
    })
}

fn our_from(stage: &Stage, source: &Source) -> Value {
    let mut words = vec![stage.from.image.raw.as_str()];
    words.extend(stage.from.name.iter().flat_map(|name| ["AS", &name.value]));
    json!({
        "keyword": "FROM",
        "words": words,
        "heredocs": [],
        "lines": source.line_range(stage.span),
        "comment": stage.description,
    })
}

fn our_statement(statement: &Statement, source: &Source) -> Value {
    let (words, heredocs) = match &statement.instruction {
        Instruction::Run(run) => (command(&run.command), run.heredocs.as_slice()),
        Instruction::Cmd(cmd) => (command(&cmd.command), [].as_slice()),
        Instruction::Entrypoint(entrypoint) => (command(&entrypoint.command), [].as_slice()),
        Instruction::Copy(copy) => (paths(&copy.paths), copy.paths.heredocs.as_slice()),
        Instruction::Add(add) => (paths(&add.paths), add.paths.heredocs.as_slice()),
        Instruction::Stopsignal(stop) => (vec![stop.signal.raw.clone()], [].as_slice()),
        Instruction::Healthcheck(Healthcheck::None) => (vec!["NONE".to_owned()], [].as_slice()),
        Instruction::Healthcheck(Healthcheck::Check { command: test, .. }) => {
            ([vec!["CMD".to_owned()], command(test)].concat(), [].as_slice())
        }
        Instruction::Arg(_)
        | Instruction::Env(_)
        | Instruction::Expose(_)
        | Instruction::Label(_)
        | Instruction::Maintainer(_)
        | Instruction::Onbuild(_)
        | Instruction::Shell(_)
        | Instruction::User(_)
        | Instruction::Volume(_)
        | Instruction::Workdir(_) => panic!("no accepted row has {}", statement.text),
    };
    json!({
        "keyword": statement.instruction.keyword(),
        "words": words,
        "heredocs": heredocs.iter().map(heredoc::form).collect::<Vec<_>>(),
        "lines": source.line_range(statement.span),
        "text": statement.text,
    })
}

fn command(command: &Command) -> Vec<String> {
    match command {
        Command::Shell(text) => vec![text.value.clone()],
        Command::Exec(argv) => argv.clone(),
    }
}

fn paths(paths: &Paths) -> Vec<String> {
    let raw = |template: &Template| template.raw.clone();
    paths.sources.iter().chain([&paths.destination]).map(raw).collect()
}
