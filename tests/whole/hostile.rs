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
    fn judge(&self, case: &Case, expected: &str, outcome: &Outcome) -> Option<String> {
        let log = outcome.log();
        let as_expected = if expected.is_empty() {
            outcome.status.success()
        } else {
            outcome.status.code() == Some(1) && log.contains(expected)
        };
        let untouched = tree::of(&self.outside()) == self.before;
        let wrong = !as_expected || !untouched || log.contains("untouched");
        wrong.then(|| format!("{}: {} instead of `{expected}`: {log}", case.name, outcome.status))
    }

    /// What the hostile layers lie on: links to the outside, and something to change.
    fn below(&self) -> Vec<u8> {
        let outside = self.outside().display().to_string();
        let layer = Layer::default().directory("d/", 0o755).file("d/f", 0o644, b"below");
        layer.symlink("up", "..").symlink("abs", &outside).symlink("in", "/d").finish()
    }

    /// Builds on an image of layers, which is called `hostile`.
    fn build_on(&self, layers: &[Vec<u8>], build: Build) -> Outcome {
        let image = tempfile::tempdir_in(self.directory.path()).unwrap();
        layout::write(image.path(), layers, &json!({}));
        let named = format!("hostile=oci-layout://{}", image.path().display());
        build.option("--build-context", &named).no_push().run()
    }
}

fn on_layers(snapshotter: &str) {
    let hostile = Hostile::new();
    let wrong: Vec<String> = (hostile.cases.iter())
        .filter_map(|case| {
            let own = case.archives.iter().map(|path| fs::read(path).unwrap());
            let layers: Vec<_> = [hostile.below()].into_iter().chain(own).collect();
            let build = Build::of("FROM hostile\nWORKDIR /d/made\n");
            let build = build.option("--snapshotter", snapshotter);
            hostile.judge(case, &case.layer, &hostile.build_on(&layers, build))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn layers_with_overlay() {
    on_layers("overlay");
}

#[test]
fn layers_with_tree() {
    on_layers("tree");
}

#[test]
fn archives_that_are_added() {
    let hostile = Hostile::new();
    let wrong: Vec<String> = (hostile.cases.iter())
        .filter_map(|case| {
            let numbers = (0..case.archives.len()).map(|number| number.to_string());
            let adds = numbers.clone().map(|number| format!("\nADD {number} /into/"));
            let build = Build::of(&format!("FROM hostile{}\n", adds.collect::<Vec<_>>().concat()));
            let build =
                case.archives.iter().zip(numbers).fold(build, |build, (path, number)| {
                    build.file(&number, fs::read(path).unwrap())
                });
            hostile.judge(case, &case.add, &hostile.build_on(&[hostile.below()], build))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
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
