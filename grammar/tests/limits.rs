//! How long a line may be.

use ir::{Code, Source};
use kaniko_grammar::parse;

/// The codes of what is said about a stage with these lines.
fn codes(lines: &str) -> Vec<Code> {
    let text = format!("FROM scratch\n{lines}\n");
    let source = Source::new("Dockerfile", text).expect("it is short");
    parse(&source).diagnostics.into_iter().map(|problem| problem.code).collect()
}

fn run(length: usize) -> String {
    format!("RUN {}", "x".repeat(length - "RUN ".len()))
}

// rule: lines.limit
#[test]
fn a_line_has_at_most_65535_bytes_and_continued_ones_any_number() {
    assert_eq!(codes(&run(65_535)), []);
    assert_eq!(codes(&run(65_536)), [Code::LineTooLong]);
    assert_eq!(codes(&format!("RUN <<E\n{}\nE", run(65_536))), [Code::LineTooLong]);
    assert_eq!(codes(&format!("{}\\\n{}", run(65_000), run(65_000))), []);
}
