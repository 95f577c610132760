//! How much of a processor's time parsing and planning take, and how much memory: each kind of text at a size and at
//! twice of it, in a process of its own on one thread.
//!
//! `cargo bench -p kaniko-planner`, with a part of a kind's name to measure only such ones. What is
//! linear has a ratio of about 2. Nothing here fails; who reads the table decides.

#![expect(clippy::expect_used, reason = "a measurement that cannot be taken ends the program")]

use std::io::Write as _;

use ir::{Facts, Source};
use kaniko_planner::{Options, plan};
use kinds::{KINDS, Kind};

mod kinds;

/// What one process found.
struct Measured {
    /// Bytes of all texts together.
    bytes: usize,
    /// Seconds.
    parse: f64,
    /// Seconds.
    plan: f64,
    /// Peak of the resident memory, the texts among it, in KiB.
    peak: usize,
}

fn main() {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.as_slice() {
        [mark, name, size] if mark == ONE => {
            let kind = KINDS.iter().find(|kind| kind.name == name).expect("the parent knows kinds");
            let measured = measure(kind, size.parse().expect("the parent gives a number"));
            let Measured { bytes, parse, plan, peak } = measured;
            print(&format!("{bytes} {parse} {plan} {peak}"));
        }
        filters => table(filters),
    }
}

/// What says that this process is to measure one kind at one size.
const ONE: &str = "--one";

fn table(filters: &[String]) {
    print(&format!(
        "{:<40} {:>6} {:>8} {:>8} {:>6} {:>7} {:>9}",
        "kind", "MB", "parse s", "plan s", "ratio", "MB/s", "peak MiB"
    ));
    let wanted = |kind: &&Kind| {
        filters.is_empty() || filters.iter().any(|filter| kind.name.contains(filter.as_str()))
    };
    for kind in KINDS.iter().filter(wanted) {
        let mut before = None;
        for size in [kind.size, 2 * kind.size] {
            let Measured { bytes, parse, plan, peak } = in_process(kind, size);
            let (total, megabytes) = (parse + plan, approximate(bytes) / 1e6);
            let ratio = before.map_or(String::new(), |before| format!("{:.2}", total / before));
            print(&format!(
                "{:<40} {megabytes:>6.1} {parse:>8.3} {plan:>8.3} {ratio:>6} {:>7.1} {:>9}",
                format!("{}, {size}", kind.name),
                megabytes / total,
                peak / 1024
            ));
            before = Some(total);
        }
    }
}

/// The numbers are printed with few digits.
#[expect(clippy::cast_precision_loss, reason = "the numbers are printed with few digits")]
fn approximate(bytes: usize) -> f64 {
    bytes as f64
}

#[expect(clippy::disallowed_methods, reason = "a process of its own has a peak of its own")]
fn in_process(kind: &Kind, size: usize) -> Measured {
    let program = std::env::current_exe().expect("a running program has a path");
    let output = std::process::Command::new(program)
        .args([ONE, kind.name, &size.to_string()])
        .output()
        .expect("this program can be started again");
    assert!(output.status.success(), "{}: {}", kind.name, String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("numbers are text");
    let words: Vec<&str> = text.split_whitespace().collect();
    let [bytes, parse, plan, peak] = words[..] else { panic!("four numbers, not `{text}`") };
    let seconds = |word: &str| word.parse().expect("a number of seconds");
    let count = |word: &str| word.parse().expect("a number");
    Measured { bytes: count(bytes), parse: seconds(parse), plan: seconds(plan), peak: count(peak) }
}

fn measure(kind: &Kind, size: usize) -> Measured {
    let texts = (kind.make)(size);
    let bytes = texts.iter().map(String::len).sum();
    let options = Options::new(ir::Platform::linux("x86_64"));
    let (mut parse, mut planning) = (0.0, 0.0);
    for text in texts {
        let source = Source::new("Dockerfile", text).expect("a few megabytes are no 4 GiB");
        let start = seconds();
        let parsed = grammar::parse(&source);
        let parsed_at = seconds();
        drop(plan(&parsed.program, &options, &Facts::default()));
        parse += parsed_at - start;
        planning += seconds() - parsed_at;
    }
    Measured { bytes, parse, plan: planning, peak: peak() }
}

/// Seconds that this thread has run, whatever else the machine does; exact to a few milliseconds.
fn seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = status.split(' ').next().and_then(|word| word.parse().ok());
    approximate(nanoseconds.expect("Linux tells how long a thread has run")) / 1e9
}

/// The peak of this process's resident memory in KiB; 0 where the kernel does not tell.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB"));
    number.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

fn print(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("who reads the table stays");
}
