//! Archives that try to get out of where they are unpacked: those of `tests/hostile`, each as the
//! layers of a base image, with both ways to keep roots, and as what `ADD` unpacks.

use std::fs;
use std::path::{Path, PathBuf};

use kaniko_tests::kaniko::{Build, Outcome};
use kaniko_tests::layout::{self, Layer};
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tool, tree};
use serde_json::{Value, json};

/// The archives, and what they are after.
struct Hostile {
    directory: tempfile::TempDir,
    cases: Vec<Case>,
    before: tree::Tree,
}

/// One attack.
struct Case {
    name: String,
    archives: Vec<PathBuf>,
    /// What is said about it where its archives are layers; nothing if it works, inside.
    layer: String,
    /// The same where `ADD` unpacks them.
    add: String,
}

impl Hostile {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        for name in ["outside", "archives"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path("outside/victim"), "untouched").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
        let to = [script, path("archives"), path("outside")];
        tool::run("python3", to);
        let listed = fs::read(path("archives/cases.json")).unwrap();
        let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let case = |value: &Value| Case {
            name: text(&value["name"]),
            archives: (value["archives"].as_array().unwrap().iter())
                .map(|name| path("archives").join(text(name)))
                .collect(),
            layer: text(&value["layer"]),
            add: text(&value["add"]),
        };
        let cases: Vec<Case> = listed.iter().map(case).collect();
        assert!(cases.len() > 100, "{} cases", cases.len());
        let before = tree::of(&path("outside"));
        Self { directory, cases, before }
    }

    fn outside(&self) -> PathBuf {
        self.directory.path().join("outside")
    }

    /// Judges how a build ended, and whether anything outside has changed. Returns what is wrong.
    fn judge(&self, name: &str, expected: &str, outcome: &Outcome) -> Option<String> {
        let log = outcome.log();
        let as_expected = if expected.is_empty() {
            outcome.status.success()
        } else {
            outcome.status.code() == Some(1) && log.contains(expected)
        };
        let untouched = tree::of(&self.outside()) == self.before;
        let wrong = !as_expected || !untouched || log.contains("untouched");
        wrong.then(|| format!("{name}: {} instead of `{expected}`: {log}", outcome.status))
    }

    /// What the hostile layers lie on: links to the outside, and something to change.
    fn below(&self) -> Vec<u8> {
        let outside = self.outside().display().to_string();
        let layer = Layer::default().directory("d/", 0o755).file("d/f", 0o644, b"below");
        layer.symlink("up", "..").symlink("abs", &outside).symlink("in", "/d").finish()
    }

    /// Lets an image of layers be called by a name.
    fn named(&self, build: Build, name: &str, layers: &[Vec<u8>]) -> Build {
        let image = tempfile::tempdir_in(self.directory.path()).unwrap().keep();
        layout::write(&image, layers, &json!({}));
        build.option("--build-context", &format!("{name}=oci-layout://{}", image.display()))
    }

    /// A case's archives as layers.
    fn layers(&self, case: &Case) -> Vec<Vec<u8>> {
        let own = case.archives.iter().map(|path| fs::read(path).unwrap());
        [self.below()].into_iter().chain(own).collect()
    }

    /// Builds each refused case on its own.
    fn refused(&self, expected: impl Fn(&Case) -> &str, build: impl Fn(&Case) -> Build) {
        let cases = self.cases.iter().filter(|case| !expected(case).is_empty());
        let judged = cases.filter_map(|case| {
            self.judge(&case.name, expected(case), &build(case).no_push().run())
        });
        let wrong: Vec<_> = judged.collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }
}

/// Stages of which each does what is asked for on an image, and a last one that reads all of them.
fn stages(stages: &[(String, String)], read: &str) -> String {
    let numbered = || stages.iter().enumerate();
    let begun = numbered()
        .map(|(number, (image, steps))| format!("FROM {image} AS s{number}\n{steps}\n"))
        .collect::<Vec<_>>();
    let copies =
        numbered().map(|(number, _)| format!("COPY --from=s{number} {read} /s{number}/\n"));
    format!("{}FROM scratch\n{}", begun.concat(), copies.collect::<Vec<_>>().concat())
}

/// Layers that do no harm beyond their root, with one way to keep roots. All in one build, a stage
/// each.
fn confined_layers(snapshotter: &str) {
    let hostile = Hostile::new();
    let cases: Vec<&Case> = hostile.cases.iter().filter(|case| case.layer.is_empty()).collect();
    let steps = |number| (format!("c{number}"), "WORKDIR /d/made".to_owned());
    let steps: Vec<_> = (0..cases.len()).map(steps).collect();
    let build = Build::of(&stages(&steps, "/d/made")).option("--snapshotter", snapshotter);
    let build = cases.iter().enumerate().fold(build, |build, (number, case)| {
        hostile.named(build, &format!("c{number}"), &hostile.layers(case))
    });
    let wrong = hostile.judge("all", "", &build.no_push().run());
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

#[test]
fn confined_layers_with_overlay() {
    confined_layers("overlay");
}

#[test]
fn confined_layers_with_tree() {
    confined_layers("tree");
}

#[test]
fn refused_layers() {
    let hostile = Hostile::new();
    // No snapshotter sees them.
    hostile.refused(
        |case| &case.layer,
        |case| hostile.named(Build::of("FROM c\nWORKDIR /d/made\n"), "c", &hostile.layers(case)),
    );
}

/// A build whose context has the archives, each under a number.
fn with_archives<'a>(build: Build, archives: impl Iterator<Item = &'a PathBuf>) -> Build {
    archives.enumerate().fold(build, |build, (number, path)| {
        build.file(&number.to_string(), fs::read(path).unwrap())
    })
}

/// Instructions that add archives, which are called by numbers from the first one on.
fn adds(first: usize, count: usize) -> String {
    let lines = (first..first + count).map(|number| format!("ADD {number} /into/"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn confined_archives_that_are_added() {
    let hostile = Hostile::new();
    let cases: Vec<&Case> = hostile.cases.iter().filter(|case| case.add.is_empty()).collect();
    let mut first = 0;
    let steps = cases.iter().map(|case| {
        let count = case.archives.len();
        first += count;
        ("c".to_owned(), adds(first - count, count))
    });
    let steps: Vec<_> = steps.collect();
    let build = hostile.named(Build::of(&stages(&steps, "/into/")), "c", &[hostile.below()]);
    let build = with_archives(build, cases.iter().flat_map(|case| &case.archives));
    let wrong = hostile.judge("all", "", &build.no_push().run());
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

#[test]
fn refused_archives_that_are_added() {
    let hostile = Hostile::new();
    hostile.refused(
        |case| &case.add,
        |case| {
            let build = Build::of(&format!("FROM c\n{}\n", adds(0, case.archives.len())));
            let build = hostile.named(build, "c", &[hostile.below()]);
            with_archives(build, case.archives.iter())
        },
    );
}

#[test]
fn a_copy_does_not_follow_a_link_out_of_its_stage() {
    let registry = Registry::start();
    let base = registry.push(&base::busybox(), "base:1");
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "of the builder").unwrap();
    let outside = secret.path().display();
    let outcome = Build::of(&format!(
        "FROM {base} AS a\nRUN ln -s {outside} /link && ln -s {outside}/secret /direct\n\
         FROM {base}\nCOPY --from=a /link/secret /direct /got/\n"
    ))
    .no_push()
    .fail();
    assert!(!outcome.log().contains("of the builder"));
}
