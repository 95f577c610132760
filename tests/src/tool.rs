//! Programs of other people, run to completion.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::ffi::OsStr;
use std::process::Command;

/// What a program needs to find others and itself, and nothing of whoever runs the tests.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a program that must succeed, and gives what it wrote to its standard output.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("these tests need `{program}`; try tests/run: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {stderr}", output.status);
    String::from_utf8(output.stdout).expect("the tools used here write UTF-8")
}

/// Runs a shell script that must succeed, as [`run`]. `arguments` are its `$1` and so on.
pub fn script(text: &str, arguments: &[&str]) -> String {
    let fixed = ["-euc", text, "script"];
    run("sh", fixed.iter().chain(arguments))
}
