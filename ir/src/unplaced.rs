//! A program without its places: what two ways of writing the same have in common.

use crate::check::{Check, Selection};
use crate::diagnostic::{Code, Diagnostic, Label, Severity};
use crate::instruction::{
    Add, Arg, ArgDeclaration, Cmd, Command, Copy, Device, Entrypoint, Env, Expose, From,
    Healthcheck, Heredoc, Instruction, LabelInstruction, Maintainer, Mount, MountField, MountKey,
    Network, Onbuild, Pair, Paths, Run, Security, Shell, Stopsignal, Text, UnreadableField, User,
    Volume, Workdir,
};
use crate::program::{Directive, GlobalArg, Program, Stage, Statement};
use crate::source::Span;
use crate::template::{Modifier, Part, Template};

impl Program {
    /// The program with every span emptied, and what is mere layout: every [`Statement::text`], the
    /// case of keywords, blank lines within instructions, and flags that are dropped anyhow. Two
    /// programs are the *same* if these are equal; nothing else is left out.
    #[must_use]
    pub fn unplaced(&self) -> Self {
        let mut program = self.clone();
        program.forget();
        program
    }
}

/// What has places in it.
trait Forget {
    /// Empties them.
    fn forget(&mut self);
}

impl Forget for Span {
    fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Forget for Program {
    fn forget(&mut self) {
        let Self { directives, check, global_args, stages, ignored_flags, blank_lines } = self;
        directives.forget();
        check.forget();
        global_args.forget();
        stages.forget();
        ignored_flags.clear();
        blank_lines.clear();
    }
}

impl Forget for GlobalArg {
    fn forget(&mut self) {
        let Self { arg, keyword, span, description, check } = self;
        arg.forget();
        layout(keyword);
        span.forget();
        description.forget();
        check.forget();
    }
}

impl Forget for Stage {
    fn forget(&mut self) {
        let Self { from, keyword, span, statements, description, check } = self;
        from.forget();
        layout(keyword);
        span.forget();
        statements.forget();
        description.forget();
        check.forget();
    }
}

impl Forget for From {
    fn forget(&mut self) {
        let Self { image, platform, name, as_keyword } = self;
        image.forget();
        platform.forget();
        name.forget();
        as_keyword.iter_mut().for_each(layout);
    }
}

impl Forget for Statement {
    fn forget(&mut self) {
        let Self { instruction, text, keyword, span, description, check } = self;
        instruction.forget();
        text.clear();
        layout(keyword);
        span.forget();
        description.forget();
        check.forget();
    }
}

/// Empties what is one thing however it is written.
fn layout(text: &mut Text) {
    let Text { value, span } = text;
    value.clear();
    span.forget();
}

impl<T: Forget> Forget for Vec<T> {
    fn forget(&mut self) {
        self.iter_mut().for_each(T::forget);
    }
}

impl<T: Forget> Forget for Option<T> {
    fn forget(&mut self) {
        self.iter_mut().for_each(T::forget);
    }
}

impl<T: Forget> Forget for Box<T> {
    fn forget(&mut self) {
        self.as_mut().forget();
    }
}

impl<T: Forget, E: Forget> Forget for Result<T, E> {
    fn forget(&mut self) {
        match self {
            Ok(value) => value.forget(),
            Err(error) => error.forget(),
        }
    }
}

impl<L: Forget, R: Forget> Forget for (L, R) {
    fn forget(&mut self) {
        self.0.forget();
        self.1.forget();
    }
}

/// Types without a place.
macro_rules! placeless {
    ($($name:ty)*) => {
        $(impl Forget for $name {
            fn forget(&mut self) {}
        })*
    };
}

placeless! { String bool u32 u64 Network Security MountKey Code Severity }

/// Structs and their fields, all of them: a field that is missing here does not compile.
macro_rules! fields {
    ($($name:ident { $($field:ident)* })*) => {
        $(impl Forget for $name {
            fn forget(&mut self) {
                let Self { $($field),* } = self;
                $($field.forget();)*
            }
        })*
    };
}

fields! {
    Directive { name value span }
    Text { value span }
    Arg { declarations }
    ArgDeclaration { name default }
    Pair { key value }
    Env { pairs legacy }
    LabelInstruction { pairs legacy }
    Maintainer { name }
    Workdir { path }
    User { user }
    Device { written name required }
    Run { command heredocs mounts network security devices }
    Mount { fields unreadable span }
    UnreadableField { text problem }
    MountField { key value span }
    Copy { from paths chown chmod exclude link parents }
    Add { paths chown chmod exclude link keep_git_dir checksum unpack }
    Paths { sources heredocs destination }
    Heredoc { name fd expand strip_tabs body template span }
    Cmd { command }
    Entrypoint { command }
    Shell { argv }
    Expose { ports }
    Volume { paths }
    Stopsignal { signal }
    Onbuild { text trigger }
    Template { raw parts span }
    Diagnostic { code severity message span labels help }
    Label { span text }
    Check { text span skip experimental error problems }
    Selection { all names }
}

/// Enums, their variants and what these hold, in the same way.
macro_rules! variants {
    ($($name:ident {
        $($tuple:ident($($inner:ident)?))*
        $(; $($variant:ident { $($field:ident)* })*)?
    })*) => {
        $(impl Forget for $name {
            fn forget(&mut self) {
                match self {
                    $(Self::$tuple $(($inner))? => { $($inner.forget();)? })*
                    $($(Self::$variant { $($field),* } => { $($field.forget();)* })*)?
                }
            }
        })*
    };
}

variants! {
    Command { Shell(text) Exec(argv) }
    Healthcheck {
        None();
        Check { command interval timeout start_period start_interval retries }
    }
    Part {
        ;
        Literal { text quoted }
        Variable { name modifier quoted span }
        Malformed { message help span }
    }
    Modifier {
        ;
        Default { colon word }
        Alternate { colon word }
        Required { colon word }
        TrimPrefix { longest pattern }
        TrimSuffix { longest pattern }
        Replace { all pattern replacement }
    }
    Instruction {
        Add(of) Arg(of) Cmd(of) Copy(of) Entrypoint(of) Env(of) Expose(of) Healthcheck(of)
        Label(of) Maintainer(of) Onbuild(of) Run(of) Shell(of) Stopsignal(of) User(of) Volume(of)
        Workdir(of)
    }
}
