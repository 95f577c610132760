//! What a command is, sees, and leaves.

use kaniko_runtime::sandbox::Exit;

use super::Case;
use super::bench::{Bench, Plan};

pub(crate) const EVERYWHERE: &[Case] = &[("exit codes", exit_codes)];
pub(crate) const NAMESPACES: &[Case] = &[];
pub(crate) const CHROOT: &[Case] = &[];

fn exit_codes(bench: &Bench) {
    for code in [0, 1, 42, 255] {
        let outcome = bench.run(Plan::sh(&format!("exit {code}")));
        assert_eq!(outcome.exit, Exit::Code(code), "{outcome:?}");
    }
}
