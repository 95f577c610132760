//! The comparable form of a program: stages of typed instructions, under BuildKit's names.

use ir::instruction::{Command, Copy, Healthcheck, Heredoc, Instruction, Network, Run, Security};
use ir::{Program, Source, Stage, Statement, Template};
use serde_json::{Value, json};

/// The form of `answer.stages`.
pub(super) fn theirs(answer: &Value) -> Value {
    let stages = answer["stages"].as_array().unwrap().iter().map(|stage| {
        let commands = stage["commands"].as_array().unwrap();
        json!({
            "lines": stage["lines"],
            "name": stage["name"],
            "base": stage["base"],
            "platform": stage["platform"],
            "commands": commands.iter().map(their_command).collect::<Vec<_>>(),
        })
    });
    assert_eq!(answer["metaArgs"], json!([]), "no accepted row has a global argument");
    stages.collect()
}

fn their_command(command: &Value) -> Value {
    let mut data = command["data"].clone();
    let fields = data.as_object_mut().unwrap();
    // Which flags there are; what they say is in the other fields.
    fields.remove("FlagsUsed");
    fields.retain(|_, value| !value.is_null());
    for name in ["network", "security"] {
        fields.extend(command.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    json!({
        "keyword": command["name"],
        "lines": command["lines"],
        "text": command["code"],
        "data": data,
    })
}

/// The form of a program.
pub(super) fn ours(program: &Program, source: &Source) -> Value {
    program.stages.iter().map(|stage| our_stage(stage, source)).collect()
}

fn our_stage(stage: &Stage, source: &Source) -> Value {
    let commands = stage.statements.iter().map(|statement| our_command(statement, source));
    let from = &stage.from;
    json!({
        "lines": source.line_range(stage.span),
        "name": from.name.as_ref().map_or_else(String::new, |name| name.value.to_lowercase()),
        "base": from.image.raw,
        "platform": raw(from.platform.as_ref()),
        "commands": commands.collect::<Vec<_>>(),
    })
}

fn our_command(statement: &Statement, source: &Source) -> Value {
    let data = match &statement.instruction {
        Instruction::Run(run) => our_run(run),
        Instruction::Copy(copy) => our_copy(copy),
        Instruction::Cmd(cmd) => line(&cmd.command),
        Instruction::Entrypoint(entrypoint) => line(&entrypoint.command),
        Instruction::Stopsignal(stop) => json!({"Signal": stop.signal.raw}),
        Instruction::Healthcheck(healthcheck) => json!({"Health": health(healthcheck)}),
        Instruction::Add(_)
        | Instruction::Arg(_)
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
        "lines": source.line_range(statement.span),
        "text": statement.text.trim_end(),
        "data": data,
    })
}

fn our_run(run: &Run) -> Value {
    assert!(run.mounts.is_empty() && run.devices.is_empty(), "no row of this mode has any");
    let mut data = line(&run.command);
    data["network"] = json!(match run.network {
        Network::Default => "default",
        Network::None => "none",
        Network::Host => "host",
    });
    data["security"] = json!(match run.security {
        Security::Sandbox => "sandbox",
        Security::Insecure => "insecure",
    });
    let file = |heredoc: &Heredoc| {
        let Heredoc { name, strip_tabs, body, .. } = heredoc;
        json!({"Name": name, "Data": body, "Chomp": strip_tabs})
    };
    data["Files"] = run.heredocs.iter().map(file).collect();
    some(data)
}

fn our_copy(copy: &Copy) -> Value {
    let paths = &copy.paths;
    let file = |heredoc: &Heredoc| {
        let Heredoc { name, expand, body, .. } = heredoc;
        json!({"Path": name, "Data": body, "Expand": expand})
    };
    some(json!({
        "SourcePaths": paths.sources.iter().map(|path| &path.raw).collect::<Vec<_>>(),
        "SourceContents": paths.heredocs.iter().map(file).collect::<Vec<_>>(),
        "DestPath": paths.destination.raw,
        "From": raw(copy.from.as_ref()),
        "Chown": raw(copy.chown.as_ref()),
        "Chmod": raw(copy.chmod.as_ref()),
        "Link": copy.link,
        "Parents": copy.parents,
        "ExcludePatterns": copy.exclude.iter().map(|one| &one.value).collect::<Vec<_>>(),
    }))
}

fn line(command: &Command) -> Value {
    match command {
        Command::Shell(text) => json!({"CmdLine": [text.value], "PrependShell": true}),
        Command::Exec(argv) => json!({"CmdLine": argv, "PrependShell": false}),
    }
}

fn health(healthcheck: &Healthcheck) -> Value {
    let Healthcheck::Check { command, interval, timeout, start_period, start_interval, retries } =
        healthcheck
    else {
        return json!({"Test": ["NONE"]});
    };
    let times = [interval, timeout, start_period, start_interval];
    assert!(times.iter().all(|time| **time == 0) && *retries == 0, "no accepted row has times");
    let test = match command {
        Command::Shell(text) => ["CMD-SHELL", &text.value].map(str::to_owned).to_vec(),
        Command::Exec(argv) => [vec!["CMD".to_owned()], argv.clone()].concat(),
    };
    json!({"Test": test})
}

fn raw(template: Option<&Template>) -> &str {
    template.map_or("", |template| &template.raw)
}

/// Leaves out empty lists, which BuildKit has none of.
fn some(mut data: Value) -> Value {
    data.as_object_mut().unwrap().retain(|_, value| *value != json!([]));
    data
}
