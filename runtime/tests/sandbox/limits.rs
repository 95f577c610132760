//! What a command may use.

use kaniko_runtime::sandbox::{Limits, SandboxError};

use super::Case;
use super::bench::{Bench, Plan};
use super::cases::ok;

pub(crate) const EVERYWHERE: &[Case] =
    &[("limits of resources", resources), ("a limit above the builder's", above)];
pub(crate) const NAMESPACES: &[Case] = &[("size of shared memory", shared_memory)];

fn limited(ulimits: &[&str], script: &str) -> Plan {
    let resources = ulimits.iter().map(|text| text.parse().unwrap()).collect();
    Plan { limits: Limits { resources, ..Limits::default() }, ..Plan::sh(script) }
}

fn resources(bench: &Bench) {
    let script = "ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -Ss; ulimit -Su; ulimit -l";
    let ulimits = ["nofile=9:9", "nofile=100:200", "core=0", "stack=4194304", "nproc=300:400"];
    let lines = ok(bench.run(limited(&ulimits, script).user("4000")));
    assert_eq!(lines[..5], ["100", "200", "0", "4096", "300"]);
    // Of what a step is not told it has what the builder has, whatever an earlier one was told.
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let own = own.map_or("unlimited".to_owned(), |own| own.to_string());
    assert_eq!(ok(bench.run(limited(&[], "ulimit -Hn"))), [own]);
}

/// The kernel allows no more than `fs.nr_open` to anyone.
fn above(bench: &Bench) {
    let plan = limited(&["nofile=99999999999"], "true");
    let error = bench.run_in(&bench.root(), plan).unwrap_err();
    assert!(matches!(error, SandboxError::Setup { .. }), "{error:?}");
    assert!(error.to_string().contains("`--ulimit nofile=99999999999:99999999999`"), "{error}");
}

fn shared_memory(bench: &Bench) {
    let script = "df -k /dev/shm | tail -1 | { read _ size _; echo $size; }";
    let size = |shared_memory| {
        let limits = Limits { shared_memory, ..Limits::default() };
        ok(bench.run(Plan { limits, ..Plan::sh(script) }))
    };
    assert_eq!(
        (size(None), size(Some(3 << 20))),
        (vec!["65536".to_owned()], vec!["3072".to_owned()])
    );
}
