//! A program that is printed and read again is the same program.

use ir::instruction::{Command, Instruction, Text};
use ir::{Program, Source, Span};
use kaniko_grammar::{parse, print, template};
use proptest::prelude::*;

use crate::{layout, program, text};

fn read(text: &str) -> Program {
    let parsed = parse(&Source::new("", text).unwrap());
    let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert!(errors.is_empty(), "{text:?}: {errors:?}");
    parsed.program
}

/// Prints a program, and checks what becomes of it.
fn check(program: &Program) -> String {
    let printed = match print(program) {
        Ok(printed) => printed,
        Err(error) => panic!("{error}: {program:#?}"),
    };
    let again = read(&printed);
    assert_eq!(again.unplaced(), program.unplaced(), "{printed:?}");
    assert_eq!(print(&again).unwrap(), printed);
    printed
}

#[test]
fn every_case_is_printed_and_read_again() {
    for text in text::cases() {
        check(&read(&text));
    }
}

#[test]
fn a_line_that_is_too_long_is_broken() {
    for escape in ["\\", "`"] {
        let start = format!("# escape={escape}\nFROM a\n");
        let escapes = escape.repeat(200);
        let words = ["é # ", "\u{a0}#", " '", "\"", &escapes, escape, "=", "<<E"].concat();
        let line = format!("{}{escape}\n", &words).repeat(400);
        for keyword in ["CMD a", "LABEL a", "MAINTAINER a", "ONBUILD CMD a", "WORKDIR a"] {
            let program = read(&format!("{start}{keyword}{escape}\n{line}x\n"));
            let printed = check(&program);
            assert!(printed.lines().count() > start.lines().count() + 2, "{keyword}");
        }
    }
    let body = "x".repeat(65_535);
    check(&read(&format!("FROM a\nCOPY <<b{0}\\\n{0} /\n{body}\nb{0}{0}\n", "b".repeat(30_000))));
    check(&read(&format!("#syntax={}\n#{}\nFROM a", &body[8..], &body[1..])));
}

#[test]
fn what_no_dockerfile_says_is_told_with_its_place() {
    let program = || {
        read(
            "# check=skip=all\nARG a=b\nFROM a AS b\nRUN c\nRUN d\nFROM b\nVOLUME e\nCOPY <<f g\nh\nf\n",
        )
    };
    let told = |change: &dyn Fn(&mut Program)| {
        let mut program = program();
        change(&mut program);
        print(&program).unwrap_err().to_string()
    };
    let run = |text: &'static str| {
        move |program: &mut Program| {
            let Instruction::Run(run) = &mut program.stages[0].statements[1].instruction else {
                panic!("{program:?}");
            };
            run.command = Command::Shell(Text { value: text.to_owned(), span: Span::default() });
        }
    };
    let second = "no Dockerfile can say what `RUN`, instruction 2 of stage 1, holds";
    for text in ["d\nRUN e", " d", "d ", "[\"d\"]", "cat <<d"] {
        assert_eq!(told(&run(text)), second, "{text:?}");
    }
    assert_eq!(
        told(&|program| program.stages[0].from.name.as_mut().unwrap().value.push(' ')),
        "no Dockerfile can say what `FROM` of stage 1 holds",
    );
    assert_eq!(
        told(&|program| program.stages[1].description = "a\n\nb".to_owned()),
        "no Dockerfile can say what `FROM` of stage 2 holds",
    );
    assert_eq!(
        told(&|program| program.global_args[0].arg.declarations.clear()),
        "no Dockerfile can say what `ARG` 1 before the first stage holds",
    );
    assert_eq!(
        told(&|program| program.directives[0].value.clear()),
        "no Dockerfile can say what directive 1 holds",
    );
    assert_eq!(
        told(&|program| program.stages.clear()),
        "no Dockerfile can say what the program holds",
    );
    assert_eq!(
        told(&|program| {
            let Instruction::Volume(volume) = &mut program.stages[1].statements[0].instruction
            else {
                panic!("{program:?}");
            };
            volume.paths = vec![template("", '\\', 0)];
        }),
        "no Dockerfile can say what `VOLUME`, instruction 1 of stage 2, holds",
    );
    assert_eq!(
        told(&|program| {
            let Instruction::Copy(copy) = &mut program.stages[1].statements[1].instruction else {
                panic!("{program:?}");
            };
            copy.paths.heredocs[0].body = "f\n".to_owned();
        }),
        "no Dockerfile can say what `COPY`, instruction 2 of stage 2, holds",
    );
}

/// With the JSON form in between.
fn check_with_json(program: &Program) -> String {
    let again = ir::json::read_program(&ir::json::program(program)).unwrap();
    assert_eq!(&again, program);
    check(&again)
}

proptest! {
    #[test]
    fn a_program_is_printed_and_read_again(
        program in program::program(),
        choices in layout::choices(),
    ) {
        let varied = layout::vary(&check_with_json(&program), choices);
        prop_assert_eq!(read(&varied).unplaced(), program, "{:?}", varied);
    }

    #[test]
    fn what_was_read_is_printed_and_read_again(
        text in text::dockerfile(),
        choices in layout::choices(),
    ) {
        let program = read(&text);
        let varied = layout::vary(&check(&program), choices);
        prop_assert_eq!(read(&varied).unplaced(), program.unplaced(), "{:?}", varied);
    }
}
