//! Where the Dockerfile and its ignore file are looked for.

use std::fs;

use kaniko_tests::kaniko;

/// What `kaniko plan` prints where there are these files.
fn plan(files: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    kaniko::screen(directory.path(), "kaniko", &["plan"])
}

// rule: context.dockerfile
#[test]
fn a_dockerfile_may_be_in_lower_case_and_have_an_ignore_file_of_its_own() {
    const COPY: &str = "FROM scratch\nCOPY a /\n";
    let found = plan(&[("dockerfile", COPY), (".dockerignore", "x\ny\n")]);
    assert!(found.contains("local \"context\" ignore 2 patterns"), "{found}");
    let found = plan(&[
        ("Dockerfile", COPY),
        ("dockerfile", "FROM nothing\n"),
        (".dockerignore", "x\ny\n"),
        ("Dockerfile.dockerignore", "# only\nthis\n"),
    ]);
    assert!(found.contains("local \"context\" ignore 1 pattern\n"), "{found}");
}
