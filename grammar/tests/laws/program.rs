//! Programs at random, from their types: what a Dockerfile can say, and no more.

use ir::check::Check;
use ir::instruction::{
    Add, Arg, ArgDeclaration, Cmd, Command, Copy, Device, Entrypoint, Env, Expose, From,
    Healthcheck, Heredoc, Instruction, LabelInstruction, Maintainer, Mount, MountField, MountKey,
    Network, Onbuild, Pair, Paths, Run, Security, Shell, Stopsignal, Text, User, Volume, Workdir,
};
use ir::program::{Directive, GlobalArg};
use ir::{Program, Span, Stage, Statement, Template};
use kaniko_grammar::{print, template};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Characters of which some mean something somewhere. Quotes and escapes are left out.
macro_rules! plain {
    () => {
        "a-c0-2A-C,:/.#$%{}\\[\\]~@+*?!é\\-"
    };
}

macro_rules! any {
    () => {
        concat!("='\"\\\\`<", plain!())
    };
}

/// A word without blanks.
const WORD: &str = concat!("[", any!(), "]{1,6}");
/// A word that is none of quotes and escapes, nor has a `=`.
const NAME: &str = concat!("[", plain!(), "]{1,4}");
/// A text with no blanks at its ends.
const TRIMMED: &str = concat!("[", any!(), "]([", any!(), " \t\u{a0}]{0,8}[", any!(), "])?");
/// A text of a line.
const TEXT: &str = concat!("[", any!(), " \t\u{a0}]{1,8}");
/// Lines of a heredoc that are none of its name.
const BODY: &str = concat!("(\t{0,2}[", any!(), " \t\\\\]{0,8}\r?\n){0,3}");
/// The same without quotes.
const PLAIN_BODY: &str = concat!("(\t{0,2}[", plain!(), " \t\\\\]{0,8}\r?\n){0,3}");

/// A program with any of its fields, without places.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    select(vec![None, Some('\\'), Some('`')]).prop_flat_map(|given| {
        let words = Words { escape: given.unwrap_or('\\') };
        let escape = given.map(|escape| directive("escape", escape.to_string()));
        let others =
            subsequence(vec![("syntax", "docker/dockerfile:1"), ("check", "skip=all")], 0..=2);
        let directives = others.prop_map(move |others| {
            let others = others.into_iter().map(|(name, value)| directive(name, value.to_owned()));
            escape.clone().into_iter().chain(others).collect()
        });
        (directives, vec(words.global_arg(), 0..2), vec(words.stage(), 1..4)).prop_map(
            |(directives, global_args, stages): (Vec<Directive>, _, _)| {
                let given = directives.iter().find(|directive| directive.name == "check");
                let check = given.map(|directive| check(&directive.value));
                Program { directives, check, global_args, stages, ..Program::default() }
            },
        )
    })
}

fn directive(name: &str, value: String) -> Directive {
    Directive { name: name.to_owned(), value, span: Span::default() }
}

fn text(value: String) -> Text {
    Text { value, span: Span::default() }
}

/// What a keyword is without its case.
fn keyword() -> Text {
    text(String::new())
}

fn check(options: &str) -> Check {
    Check::comment(text(options.to_owned()), Span::default())
}

/// The comments above an instruction.
fn comments() -> impl Strategy<Value = (String, Option<Check>)> {
    let line = prop_oneof![
        3 => TRIMMED,
        1 => select(vec!["escape=`", "Syntax = a", "a=b"]).prop_map(str::to_owned),
    ];
    let description = vec(line, 0..3).prop_map(|lines| lines.join("\n"));
    let options = vec!["skip=all", "skip=A,B;error=true", "experimental=all"];
    (description, option::of(select(options).prop_map(check)))
}

fn texts() -> impl Strategy<Value = Vec<Text>> {
    vec(TEXT.prop_map(text), 0..3)
}

fn argv(from: usize) -> impl Strategy<Value = Vec<String>> {
    vec(any::<String>(), from..3)
}

fn device() -> impl Strategy<Value = Device> {
    ("[b-c./$ '\\\\`é]{1,4}", any::<bool>()).prop_map(|(name, required)| {
        let written = if required { format!("required,name={name}") } else { name.clone() };
        Device { written: text(written), name, required }
    })
}

/// What a shell is given: neither a JSON array nor with anything that may open a heredoc.
fn shell() -> impl Strategy<Value = Command> {
    let text = TRIMMED.prop_map(|text| text.replace('<', "(").replace("[]", "["));
    text.prop_map(|value| Command::Shell(self::text(value)))
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![shell(), argv(1).prop_map(Command::Exec)]
}

/// A template without places.
fn unplaced(raw: &str, escape: char) -> Template {
    let name = Template::literal("a", Span::default());
    let platform = Some(template(raw, escape, 0));
    let from = From { image: name, platform, name: None, as_keyword: None };
    let program = Program { stages: vec![stage(from, Vec::new())], ..Program::default() };
    program.unplaced().stages.remove(0).from.platform.unwrap()
}

/// The fields of instructions under an escape character.
#[derive(Clone, Copy)]
struct Words {
    escape: char,
}

impl Words {
    fn template(self, raw: impl Strategy<Value = String>) -> impl Strategy<Value = Template> {
        raw.prop_map(move |raw| unplaced(&raw, self.escape))
    }

    fn flag(self) -> impl Strategy<Value = Option<Template>> {
        option::of(self.template(TEXT))
    }

    /// A word of `ENV`, in which quotes and escapes hold blanks; perhaps empty.
    fn held(self) -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            NAME,
            concat!("'[", plain!(), "\"\\\\` ]{0,4}'"),
            concat!("\"[", plain!(), "' ]{0,4}\""),
            concat!("[", any!(), " \u{a0}]").prop_map(move |c| format!("{}{c}a", self.escape)),
            Just("${a:-b}".to_owned()),
        ];
        vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    fn pairs(self) -> impl Strategy<Value = (Vec<Pair>, bool)> {
        let pair = (NAME, self.held()).prop_map(|(key, held)| (format!("{key}{held}"), held));
        let pair = (self.template(NAME), self.template(pair.prop_map(|(_, held)| held)))
            .prop_map(|(key, value)| Pair { key, value });
        let legacy = (self.template(NAME), self.template(TRIMMED))
            .prop_map(|(key, value)| (vec![Pair { key, value }], true));
        prop_oneof![vec(pair, 1..4).prop_map(|pairs| (pairs, false)), legacy]
    }

    fn arg(self) -> impl Strategy<Value = Arg> {
        let default = option::of(self.template(self.held()));
        let declaration = (NAME.prop_map(text), default)
            .prop_map(|(name, default)| ArgDeclaration { name, default });
        vec(declaration, 1..3).prop_map(|declarations| Arg { declarations })
    }

    fn mounts(self) -> impl Strategy<Value = Vec<Mount>> {
        use MountKey::{
            Env, From, Gid, Id, Mode, Readonly, Readwrite, Relabel, Required, Sharing, Size,
            Source, Target, Type, Uid,
        };
        let valued = vec![Env, From, Gid, Id, Mode, Sharing, Size, Source, Target, Type, Uid];
        let valued = (select(valued), self.template(TEXT).prop_map(Some));
        let alone =
            select(vec![Readonly, Readwrite, Relabel, Required]).prop_map(|key| (key, None));
        let field = prop_oneof![valued, alone].prop_map(|(key, value)| MountField {
            key,
            value,
            span: Span::default(),
        });
        let mount = vec(field, 1..4).prop_map(|fields| Mount {
            fields,
            unreadable: Vec::new(),
            span: Span::default(),
        });
        vec(mount, 0..3)
    }

    fn run(self) -> impl Strategy<Value = Run> {
        let heredocs = prop_oneof![
            Just(("cat <<EOF", vec![("EOF", 0, true, false)])),
            Just(("<<-'Z z' 3<<\\$Z cat", vec![("Z z", 0, false, true), ("$Z", 3, true, false)],)),
        ];
        let heredocs = (heredocs, vec(BODY, 2)).prop_map(|((line, openers), bodies)| {
            let heredocs = openers.into_iter().zip(bodies);
            let heredocs = heredocs.map(|((name, fd, expand, strip_tabs), body)| {
                let stripped = stripped(&body, strip_tabs);
                let template = Template::literal(stripped, Span::default());
                let (name, span) = (name.to_owned(), Span::default());
                Heredoc { name, fd, expand, strip_tabs, body, template, span }
            });
            (Command::Shell(text(line.to_owned())), heredocs.collect())
        });
        let commands = prop_oneof![command().prop_map(|command| (command, Vec::new())), heredocs];
        let network = select(vec![Network::Default, Network::None, Network::Host]);
        let security = select(vec![Security::Sandbox, Security::Insecure]);
        (commands, self.mounts(), network, security, vec(device(), 0..3)).prop_map(
            |((command, heredocs), mounts, network, security, devices)| Run {
                command,
                heredocs,
                mounts,
                network,
                security,
                devices,
            },
        )
    }

    fn paths(self) -> impl Strategy<Value = Paths> {
        let any = || self.template("[^\u{0}]{1,6}|[a-c.\"' \\\\$<]{1,6}");
        let words = (vec(any(), 1..3), any(), Just(Vec::new()));
        let plain = || self.template("[a-c$./]{1,6}");
        let heredocs = (vec(plain(), 0..3), plain(), vec(heredoc(), 1..3));
        prop_oneof![
            words.prop_map(|(sources, destination, heredocs)| (sources, heredocs, destination)),
            heredocs.prop_map(|(sources, destination, heredocs)| (sources, heredocs, destination)),
        ]
        .prop_map(|(sources, heredocs, destination)| Paths {
            sources,
            heredocs,
            destination,
        })
    }

    fn copy(self) -> impl Strategy<Value = Copy> {
        let flags = (self.flag(), self.flag(), texts(), any::<bool>(), any::<bool>());
        (self.flag(), self.paths(), flags).prop_map(
            |(from, paths, (chown, chmod, exclude, link, parents))| Copy {
                from,
                paths,
                chown,
                chmod,
                exclude,
                link,
                parents,
            },
        )
    }

    fn add(self) -> impl Strategy<Value = Add> {
        let flags = (self.flag(), self.flag(), self.flag(), texts());
        let switches = (any::<bool>(), any::<Option<bool>>(), any::<Option<bool>>());
        (self.paths(), flags, switches).prop_map(
            |(paths, (chown, chmod, checksum, exclude), (link, keep_git_dir, unpack))| Add {
                paths,
                chown,
                chmod,
                exclude,
                link,
                keep_git_dir,
                checksum,
                unpack,
            },
        )
    }

    /// Any instruction that may be a trigger.
    fn trigger(self) -> impl Strategy<Value = Instruction> {
        let pairs = || self.pairs();
        let line = || self.template(TRIMMED);
        let ports = vec(self.template(WORD), 1..4).prop_map(|mut ports| {
            ports.sort_by(|left, right| left.raw.cmp(&right.raw));
            Instruction::Expose(Expose { ports })
        });
        let volumes = vec(self.template("[^\u{0}]{0,5}x|[a-c \n'\"\\\\`]{0,4}x"), 1..3);
        let empty = Command::Shell(text(String::new()));
        let others = prop_oneof![
            self.arg().prop_map(Instruction::Arg),
            command().prop_map(|command| Instruction::Cmd(Cmd { command })),
            Just(Instruction::Cmd(Cmd { command: empty })),
            command().prop_map(|command| Instruction::Entrypoint(Entrypoint { command })),
            pairs().prop_map(|(pairs, legacy)| Instruction::Env(Env { pairs, legacy })),
            pairs()
                .prop_map(|(pairs, legacy)| Instruction::Label(LabelInstruction { pairs, legacy })),
            ports,
            healthcheck().prop_map(Instruction::Healthcheck),
            argv(1).prop_map(|argv| Instruction::Shell(Shell { argv })),
            line().prop_map(|signal| Instruction::Stopsignal(Stopsignal { signal })),
            line().prop_map(|user| Instruction::User(User { user })),
            line().prop_map(|path| Instruction::Workdir(Workdir { path })),
            volumes.prop_map(|paths| Instruction::Volume(Volume { paths })),
        ];
        prop_oneof![
            1 => self.add().prop_map(Instruction::Add),
            1 => self.copy().prop_map(Instruction::Copy),
            1 => self.run().prop_map(Instruction::Run),
            3 => others,
        ]
    }

    fn statement(self) -> impl Strategy<Value = Statement> {
        let onbuild = self.trigger().prop_map(move |instruction| {
            let trigger = statement(instruction);
            let text = printed(&trigger, self.escape);
            Instruction::Onbuild(Onbuild { text, trigger: Ok(Box::new(trigger)) })
        });
        let maintainer =
            TRIMMED.prop_map(|name| Instruction::Maintainer(Maintainer { name: text(name) }));
        prop_oneof![8 => self.trigger(), 3 => onbuild, 1 => maintainer].prop_map(statement)
    }

    fn stage(self) -> impl Strategy<Value = Stage> {
        let from = (self.template(WORD), self.flag(), option::of("[a-zA-Z][a-zA-Z0-9_.-]{0,3}"))
            .prop_map(|(image, platform, name)| {
                let as_keyword = name.is_some().then(keyword);
                From { image, platform, name: name.map(text), as_keyword }
            });
        let statement =
            (self.statement(), comments()).prop_map(|(statement, (description, check))| {
                Statement { description, check, ..statement }
            });
        (from, vec(statement, 0..4), comments()).prop_map(
            |(from, statements, (description, check))| Stage {
                description,
                check,
                ..stage(from, statements)
            },
        )
    }

    fn global_arg(self) -> impl Strategy<Value = GlobalArg> {
        (self.arg(), comments()).prop_map(|(arg, (description, check))| GlobalArg {
            arg,
            keyword: keyword(),
            span: Span::default(),
            description,
            check,
        })
    }
}

fn stage(from: From, statements: Vec<Statement>) -> Stage {
    Stage {
        from,
        keyword: keyword(),
        span: Span::default(),
        statements,
        description: String::new(),
        check: None,
    }
}

fn heredoc() -> impl Strategy<Value = Heredoc> {
    let name = concat!("[Z-][Z='\"\\\\`", plain!(), " \u{a0}]{0,6}");
    let expanded = PLAIN_BODY.prop_map(|body| (body, true));
    let verbatim = BODY.prop_map(|body| (body, false));
    (name, 0_u32..12, any::<bool>(), prop_oneof![expanded, verbatim]).prop_map(
        |(name, fd, strip_tabs, (body, expand))| {
            let name = format!("{name}Z");
            let text = stripped(&body, strip_tabs);
            let template = if expand {
                unplaced(&text, '\\')
            } else {
                Template::literal(text, Span::default())
            };
            Heredoc { name, fd, expand, strip_tabs, body, template, span: Span::default() }
        },
    )
}

fn healthcheck() -> impl Strategy<Value = Healthcheck> {
    let time = || {
        prop_oneof![
            Just(0),
            1_000_000..i64::MAX.unsigned_abs(),
            (1_u64..9_000).prop_map(|seconds| seconds * 1_000_000_000),
        ]
    };
    let retries = prop_oneof![Just(0), 1..i32::MAX.unsigned_abs()];
    let check = (command(), time(), time(), time(), time(), retries).prop_map(
        |(command, interval, timeout, start_period, start_interval, retries)| Healthcheck::Check {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        },
    );
    prop_oneof![1 => Just(Healthcheck::None), 4 => check]
}

/// A body as its instruction gets it.
fn stripped(body: &str, strip_tabs: bool) -> String {
    let strip =
        |line: &str| if strip_tabs { line.trim_start_matches('\t') } else { line }.to_owned();
    body.split_inclusive('\n').map(strip).collect()
}

fn statement(instruction: Instruction) -> Statement {
    Statement {
        instruction,
        text: String::new(),
        keyword: keyword(),
        span: Span::default(),
        description: String::new(),
        check: None,
    }
}

/// The text of a trigger, which goes into an image as it was written.
fn printed(trigger: &Statement, escape: char) -> String {
    const START: &str = "FROM a\n";
    let image = Template::literal("a", Span::default());
    let from = From { image, platform: None, name: None, as_keyword: None };
    let stages = vec![stage(from, vec![trigger.clone()])];
    let directives = vec![directive("escape", escape.to_string())];
    let program = Program { directives, stages, ..Program::default() };
    let text = print(&program).unwrap_or_else(|error| panic!("{error}: {program:#?}"));
    let (_, text) = text.split_once(START).unwrap();
    text.strip_suffix('\n').unwrap().to_owned()
}
