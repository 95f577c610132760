//! What this machine allows, as text: one line for each thing, what would help below it.

use std::fmt::Write as _;

use runtime::doctor::{Limits, Process, Report, Work};
use runtime::sandbox::{Help, Trial};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The report for a terminal, with colours if they are wanted.
///
/// What a way to confine commands has is told of the one that is taken, and what would help for
/// what that one lacks and for those above it.
pub(crate) fn text(report: &Report, colour: bool) -> String {
    let mut table = Table { rows: Vec::new(), obstacles: Vec::new(), colour };
    let taken = report.rungs.iter().position(|rung| {
        Some(rung.name) == report.isolation && rung.way == report.way && rung.trial.works
    });
    for (index, rung) in report.rungs.iter().enumerate() {
        let name = rung.way.map_or(rung.name.to_owned(), |way| format!("{}, {way}", rung.name));
        table.trial(&name, &rung.trial, taken.is_none_or(|taken| index < taken));
        for part in rung.parts.iter().filter(|_| Some(index) == taken) {
            table.trial(&format!("  {}", part.what), &part.trial, true);
        }
    }
    table.trial("overlays", &report.overlay, report.runs);
    table.trial("reflinks", &Trial { works: report.reflinks, ..Trial::works() }, false);
    table.fact("work directory", work(&report.work));
    table.fact("started as", process(&report.process));
    table.fact("limits", limits(report.limits));
    table.fact("kernel", report.process.kernel.clone());
    format!("{}\n\n{}", verdict(report), table.finish())
}

fn verdict(report: &Report) -> String {
    let Some(isolation) = report.isolation else {
        return "RUN cannot be confined here, and is refused".to_owned();
    };
    let way = report.way.map(|way| format!(" ({way})")).unwrap_or_default();
    format!("RUN works: isolation {isolation}{way}, snapshotter {}", report.snapshotter)
}

fn work(work: &Work) -> String {
    let (free, size) = (bytes(work.free), bytes(work.size));
    format!("{} on {}, {free} of {size} free", work.path.display(), work.file_system)
}

fn process(process: &Process) -> String {
    let mut text = format!("user {} of {} ids", process.uid, process.ids);
    write!(text, ", capabilities {}", process.capabilities).expect("strings take everything");
    if process.seccomp {
        text += ", with a seccomp filter";
    }
    if process.no_new_privileges {
        text += ", without new privileges";
    }
    text
}

fn limits(limits: Limits) -> String {
    let thousandths = |cpus: u64| format!("{}.{:02} CPUs", cpus / 1000, cpus % 1000 / 10);
    let known = [
        limits.memory.map(|memory| format!("{} memory", bytes(memory))),
        limits.milli_cpus.map(thousandths),
        limits.processes.map(|processes| format!("{processes} processes")),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// A size in the largest unit that leaves something before the point.
fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = usize::try_from(bytes.checked_ilog2().unwrap_or(0) / 10).unwrap_or(0);
    if unit == 0 {
        return format!("{bytes} B");
    }
    let tenths = u128::from(bytes) * 10 / (1 << (10 * unit));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// Lines in columns, and below them what would help.
struct Table {
    rows: Vec<Row>,
    obstacles: Vec<(String, Vec<Help>)>,
    colour: bool,
}

struct Row {
    what: String,
    /// Whether it works, where that is the question.
    works: Option<bool>,
    note: String,
}

impl Table {
    fn trial(&mut self, what: &str, trial: &Trial, tell_help: bool) {
        let note = trial.reason.clone().unwrap_or_default();
        self.rows.push(Row { what: what.to_owned(), works: Some(trial.works), note });
        let known = self.obstacles.iter().any(|(_, help)| *help == trial.help);
        if tell_help && !known && !trial.help.is_empty() {
            self.obstacles.push((what.trim_start().to_owned(), trial.help.clone()));
        }
    }

    fn fact(&mut self, what: &str, note: String) {
        self.rows.push(Row { what: what.to_owned(), works: None, note });
    }

    fn finish(self) -> String {
        let mut text = String::new();
        let width = self.rows.iter().map(|row| row.what.len()).max().unwrap_or(0);
        for Row { what, works, note } in &self.rows {
            let mark = match works {
                Some(true) => self.paint("yes", GREEN),
                Some(false) => self.paint("no ", RED),
                None => "   ".to_owned(),
            };
            text.extend([format!("{what:width$}  {mark}  {note}").trim_end(), "\n"]);
        }
        for (what, help) in &self.obstacles {
            text.extend(["\n", &self.paint(&format!("for {what}"), BOLD), "\n"]);
            let width = help.iter().map(|help| help.of.len()).max().unwrap_or(0);
            for Help { of, setting } in help {
                text.extend([&format!("  {of:width$}  {setting}"), "\n"]);
            }
        }
        text
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.colour { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use runtime::sandbox::{Part, Rung};

    use super::*;

    const HELP: [Help; 2] = [
        Help { of: "Kubernetes", setting: "procMount: Unmasked" },
        Help { of: "Docker", setting: "--security-opt systempaths=unconfined" },
    ];

    const ASK: [Help; 1] = [Help { of: "kaniko", setting: "--isolation=in-place" }];

    fn in_place(trial: Trial) -> Rung {
        Rung { name: "in-place", way: None, trial, parts: Vec::new() }
    }

    fn namespaces(way: &'static str, trial: Trial) -> Rung {
        let parts = vec![
            Part { what: "its own processes and /proc", trial: Trial::fails("no", &HELP) },
            Part { what: "Landlock", trial: Trial::works() },
        ];
        Rung { name: "namespaces", way: Some(way), trial, parts }
    }

    fn report() -> Report {
        let refused = "cannot write `uid_map`: Operation not permitted";
        let help = Help { of: "Docker", setting: "--cap-add SETFCAP" };
        Report {
            version: 1,
            runs: true,
            isolation: Some("namespaces"),
            way: Some("user namespace, others"),
            snapshotter: "tree",
            overlay: Trial::fails("`/kaniko` lies on an overlay", &HELP[..1]),
            reflinks: true,
            rungs: vec![
                namespaces("user namespace, all ids", Trial::fails(refused, &[help])),
                namespaces("user namespace, others", Trial::works()),
                Rung { name: "chroot", way: None, trial: Trial::works(), parts: Vec::new() },
                in_place(Trial::fails(
                    "refused unless asked for, and this is no executor image",
                    &ASK,
                )),
            ],
            work: Work {
                path: "/kaniko".into(),
                file_system: "overlay".to_owned(),
                free: 1500 << 20,
                size: 3 << 40,
            },
            process: Process {
                uid: 0,
                ids: 65_536,
                capabilities: "a80425fb".to_owned(),
                seccomp: true,
                no_new_privileges: true,
                kernel: "6.18.0".to_owned(),
            },
            limits: Limits { memory: Some(1 << 31), milli_cpus: Some(1500), processes: None },
        }
    }

    fn golden(name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../../snapshots/cli");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }

    #[test]
    fn a_place_where_commands_run() {
        golden("doctor", &text(&report(), false));
        golden("doctor-json", &serde_json::to_string_pretty(&report()).unwrap());
    }

    #[test]
    fn a_place_where_they_do_not() {
        let unasked = Trial {
            reason: Some("refused unless asked for".to_owned()),
            help: ASK.to_vec(),
            ..Trial::works()
        };
        let refused = Report {
            runs: false,
            isolation: None,
            way: None,
            rungs: report().rungs.into_iter().take(1).chain([in_place(unasked)]).collect(),
            limits: Limits::default(),
            ..report()
        };
        golden("doctor-refused", &text(&refused, false));
    }

    #[test]
    fn colours_are_around_marks_only() {
        let coloured = text(&report(), true);
        let plain = [GREEN, RED, BOLD, PLAIN]
            .iter()
            .fold(coloured.clone(), |text, colour| text.replace(colour, ""));
        assert_ne!(coloured, plain);
        assert_eq!(plain, text(&report(), false));
    }

    #[test]
    fn sizes() {
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_587_000, "1.5 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }
}
