//! Logical lines into stages.

use ir::program::{GlobalArg, Program, Stage};
use ir::{Code, Diagnostic, Source, Span, Statement};

use crate::flags;
use crate::instruction::{self, Call};
use crate::lines::{LONGEST, Line, Lines, Rest};
use crate::span_map::Origin;

/// What was understood of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The good instructions. A stage is there even if something in its `FROM` is wrong.
    pub program: Program,
    /// Every problem of the whole file, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a Dockerfile. Never fails: what is wrong is in [`Parsed::diagnostics`], and the program
/// holds the rest.
pub fn parse(source: &Source) -> Parsed {
    let mut problems = Vec::new();
    let mut lines = Lines::new(source.text(), Origin::Source, &mut problems);
    // It is told in the characters of the text, and means the bytes of the file.
    problems.retain(|problem| {
        problem.code != Code::LineTooLong || source.len_in_file(problem.span) > LONGEST
    });
    let mut builder = Builder::default();
    while let Some(line) = lines.next(&mut problems) {
        let escape = lines.escape();
        problems.extend(undecodable(&line, escape, source.replaced()));
        builder.line(&line, escape, &mut problems);
    }
    builder.check_stages(&mut problems);
    let Rest { directives, check, blank_lines } = lines.close(&mut problems);
    let program = Program { directives, check, blank_lines, ..builder.program };
    problems.sort_by_key(|problem| (problem.span.start(), problem.span.end()));
    Parsed { program, diagnostics: problems }
}

/// Reads the text of an `ONBUILD` trigger of a base image. `at` is the `FROM` that brings it in;
/// all spans are this one.
pub fn parse_trigger(text: &str, at: Span) -> Result<Statement, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut lines = Lines::new(text, Origin::Foreign(at), &mut problems);
    let first = lines.next(&mut problems);
    let mut more = 0;
    while lines.next(&mut problems).is_some() {
        more += 1;
    }
    let statement = if let (Some(line), 0) = (&first, more) {
        trigger(line, lines.escape(), &mut problems)
    } else {
        let count = usize::from(first.is_some()) + more;
        let message = format!("a trigger of `ONBUILD` holds {count} instructions");
        problems.push(Diagnostic::error(Code::BadTrigger, at, message));
        None
    };
    match statement {
        Some(statement) if !problems.iter().any(Diagnostic::is_error) => Ok(statement),
        _ => Err(problems),
    }
}

fn trigger(line: &Line, escape: char, problems: &mut Vec<Diagnostic>) -> Option<Statement> {
    let call = call(line, escape);
    let Some(keyword) = instruction::keyword(&call.head) else {
        problems.push(instruction::unknown(&call.head));
        return None;
    };
    if let Some(problem) = instruction::forbidden(&call) {
        problems.push(problem);
        return None;
    }
    read(keyword, &call, line, problems)
}

/// The problem of an instruction with a byte that starts no character. BuildKit passes such bytes
/// on; here they would become others. What goes into JSON alone becomes the same there.
fn undecodable(line: &Line, escape: char, replaced: &[usize]) -> Option<Diagnostic> {
    let first = replaced.partition_point(|at| *at < line.span.start());
    let mut within = replaced[first..].iter().take_while(|at| **at < line.span.end());
    let in_body = |at: usize| {
        let next = line.heredocs.partition_point(|body| body.span.start() <= at);
        next.checked_sub(1).is_some_and(|body| line.heredocs[body].text.holds(at))
    };
    let kept = |at: usize| line.text.holds(at) || in_body(at);
    let at = *within.find(|at| kept(**at))?;
    if matches!(instruction::keyword(&call(line, escape).head), Some("LABEL" | "MAINTAINER")) {
        return None;
    }
    let span = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
    let message = "this byte starts no UTF-8 character";
    Some(Diagnostic::error(Code::NotUtf8, span, message).help("save the file as UTF-8"))
}

fn call(line: &Line, escape: char) -> Call<'_> {
    let text = line.text.whole();
    let head = flags::head(text, escape);
    Call { line: text, span: line.span, head, heredocs: &line.heredocs, escape }
}

fn read(
    keyword: &str,
    call: &Call<'_>,
    line: &Line,
    problems: &mut Vec<Diagnostic>,
) -> Option<Statement> {
    let instruction = instruction::read(keyword, call, problems)?;
    Some(Statement {
        instruction,
        keyword: call.head.keyword.to_text(),
        text: call.line.text().trim_start().to_owned(),
        span: call.span,
        description: line.comments.description(),
        check: line.comments.check.clone(),
    })
}

#[derive(Default)]
struct Builder {
    program: Program,
    /// The last instruction.
    last: Option<Span>,
    /// The keyword of the first instruction that stands in no stage.
    homeless: Option<(Span, &'static str)>,
    /// What hides a heredoc on the instruction before.
    hidden: Option<Span>,
}

impl Builder {
    fn line(&mut self, line: &Line, escape: char, problems: &mut Vec<Diagnostic>) {
        self.last = Some(line.span);
        let call = call(line, escape);
        let hidden = std::mem::replace(&mut self.hidden, line.hidden);
        let Some(keyword) = instruction::keyword(&call.head) else {
            problems.push(explain(instruction::unknown(&call.head), hidden));
            return;
        };
        if keyword == "FROM" {
            let from = instruction::from(&call, problems);
            self.program.stages.push(Stage {
                from,
                span: line.span,
                keyword: call.head.keyword.to_text(),
                statements: Vec::new(),
                description: line.comments.description(),
                check: line.comments.check.clone(),
            });
            return;
        }
        if instruction::drops_flags(keyword, &call.head) {
            let flags = call.head.flags.iter().map(|flag| flag.written.to_text());
            self.program.ignored_flags.extend(flags);
        }
        match self.program.stages.last_mut() {
            Some(stage) => stage.statements.extend(read(keyword, &call, line, problems)),
            None if keyword == "ARG" => {
                let arg = instruction::arg(&call, problems);
                self.program.global_args.extend(arg.map(|arg| GlobalArg {
                    arg,
                    keyword: call.head.keyword.to_text(),
                    span: line.span,
                    description: line.comments.description(),
                    check: line.comments.check.clone(),
                }));
            }
            None => {
                self.homeless.get_or_insert((call.head.keyword.span(), keyword));
                // Nobody keeps it, but its own problems are to be told all the same.
                instruction::read(keyword, &call, problems);
            }
        }
    }

    /// Reports a file without a stage, or with something before the first.
    fn check_stages(&self, problems: &mut Vec<Diagnostic>) {
        const HELP: &str = "begin with `FROM` and the image to start from, or `FROM scratch`";
        let Some(last) = self.last else {
            let message = "the file holds no instruction";
            let problem = Diagnostic::error(Code::EmptyFile, Span::default(), message);
            problems.push(problem.help(HELP));
            return;
        };
        if let Some((span, keyword)) = self.homeless {
            let message = format!("`{keyword}` before the first `FROM`");
            problems.push(Diagnostic::error(Code::BeforeFrom, span, message).help(
                if self.program.stages.is_empty() {
                    HELP
                } else {
                    "move it behind a `FROM`; only `ARG` may stand before the first one"
                },
            ));
        } else if self.program.stages.is_empty() {
            let message = "the file has no `FROM`";
            problems.push(Diagnostic::error(Code::NoFrom, last, message).help(HELP));
        }
    }
}

/// An unknown instruction may be the body of a heredoc that an open quote hides.
fn explain(mut problem: Diagnostic, hidden: Option<Span>) -> Diagnostic {
    let Some(span) = hidden else { return problem };
    problem.help.clear();
    problem
        .label(span, "what begins here does not end, so no `<<` on this line opens a heredoc")
        .help("close or escape what is open on the line above")
}
