//! Repositories that mean harm.

use std::io::Write as _;
use std::process::Stdio;

use super::*;

impl Repository {
    /// Writes an object as it is given, however wrong.
    fn object(&self, kind: &str, content: &[u8]) -> String {
        let mut command = git_command(&self.bare);
        command.args(["hash-object", "-w", "--literally", "--stdin", "-t", kind]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend_from_slice(mode.as_bytes());
            content.push(b' ');
            content.extend_from_slice(name);
            content.push(0);
            content
                .extend_from_slice(gix_hash::ObjectId::from_hex(id.as_bytes()).unwrap().as_slice());
        }
        self.object("tree", &content)
    }

    /// Makes a tree the main branch.
    fn publish(&self, tree: &str) {
        let commit = format!("tree {tree}\nauthor n <e> 1 +0000\ncommitter n <e> 1 +0000\n\nx\n");
        let commit = self.object("commit", commit.as_bytes());
        run(git_command(&self.bare).args(["update-ref", "refs/heads/main", &commit]));
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let address = server::daemon(repositories.root());
    let url = format!("git://{address}/r.git");
    let blob = repository.object("blob", b"bad");
    let inner = repository.tree(&[("100644", b"config", &blob)]);
    let bad: [&[u8]; 15] = [
        b".",
        b"..",
        b"",
        b"a/b",
        b"/etc",
        b"../x",
        b".git",
        b".GIT",
        b".Git",
        b"git~1",
        b".git ",
        b".git.",
        b".git::$INDEX_ALLOCATION",
        "\u{200c}.git".as_bytes(),
        ".g\u{200d}it".as_bytes(),
    ];
    for name in bad {
        for (mode, id) in [("100644", &blob), ("40000", &inner), ("120000", &blob)] {
            repository.publish(&repository.tree(&[(mode, name, id)]));
            let shown = String::from_utf8_lossy(name);
            let error = Caller::default().try_check_out(&op(&url)).err();
            let error = error.unwrap_or_else(|| panic!("{shown} ({mode}) is checked out"));
            assert!(
                matches!(error, GitError::CheckOut { .. } | GitError::Protocol { .. }),
                "{shown}: {error:?}"
            );
        }
    }
    // Names that only look like it.
    let good: [&[u8]; 6] = [b".gitx", b"..a", b"...", b"git", b"aux", b"con.txt"];
    for name in good {
        repository.publish(&repository.tree(&[("100644", name, &blob)]));
        check_out(&op(&url));
    }
}

#[test]
fn a_link_and_a_directory_of_one_name_are_refused() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let outside = repositories.path("outside");
    fs::create_dir(&outside).unwrap();
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let blob = repository.object("blob", b"bad");
    let target = repository.object("blob", outside.as_os_str().as_bytes());
    let inner = repository.tree(&[("100644", b"file", &blob)]);
    for entries in [
        [("120000", &b"a"[..], target.as_str()), ("40000", b"a", &inner)],
        [("40000", b"a", &inner), ("120000", b"a", &target)],
        [("120000", b"a", &target), ("100644", b"a", &blob)],
        [("120000", b"a", &target), ("160000", b"a", &blob)],
    ] {
        repository.publish(&repository.tree(&entries));
        let error = refused(&op(&url));
        assert!(error.to_string().contains("two entries"), "{error}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn damage_is_told() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let blob = repository.object("blob", b"x");
    for tree in [
        repository.tree(&[("120000", b"link", &repository.object("blob", b""))]),
        repository.tree(&[("120000", b"link", &repository.object("blob", b"a\0b"))]),
        repository.tree(&[("40000", b"directory", &blob)]),
        repository.tree(&[("100644", b"file", &repository.tree(&[]))]),
        repository.object("tree", b"100644 file\0short"),
        repository.object("tree", b"nonsense"),
        blob.clone(),
    ] {
        repository.publish(&tree);
        let error = refused(&op(&url));
        assert!(
            matches!(error, GitError::CheckOut { .. } | GitError::Protocol { .. }),
            "{error:?}"
        );
    }
}

#[test]
fn a_tree_deeper_than_any_path_is_refused() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let name = "d".repeat(200);
    let mut tree = repository.tree(&[]);
    for _ in 0..30 {
        tree = repository.tree(&[("40000", name.as_bytes(), &tree)]);
    }
    repository.publish(&tree);
    let error = refused(&op(&url));
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn nothing_that_a_repository_says_is_run() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let proof = repositories.path("proof");
    let touch = format!("touch {}", proof.display());
    repository.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil\n");
    repository.write("a.txt", "x");
    repository.write(".gitconfig", format!("[filter \"evil\"]\nsmudge = {touch}\n"));
    repository.write("hooks/post-checkout", format!("#!/bin/sh\n{touch}\n"));
    repository.commit("one");
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let checked = check_out(&GitOp { keep_git_dir: true, ..op(&url) });
    assert_eq!(fs::read_to_string(checked.files().join("a.txt")).unwrap(), "x");
    assert!(!checked.files().join(".git/hooks").exists());

    let commit = repository.git(&["rev-parse", "HEAD"]);
    for text in [
        format!("ext::sh -c '{touch}'"),
        format!("ssh://-oProxyCommand={touch}/x"),
        format!("-u{touch}:x"),
        format!("file://{}", repository.bare.display()),
        repository.bare.display().to_string(),
        "../../../../x".to_owned(),
    ] {
        let modules = format!("[submodule \"x\"]\npath = x\nurl = \"{text}\"\n");
        let blob = repository.object("blob", modules.as_bytes());
        let entries = [("100644", &b".gitmodules"[..], blob.as_str()), ("160000", b"x", &commit)];
        repository.publish(&repository.tree(&entries));
        let error = refused(&op(&url));
        assert!(matches!(error, GitError::Submodule { .. }), "{text}: {error}");
        assert!(chain(&error).contains("`x`"), "{}", chain(&error));
        check_out(&GitOp { submodules: false, ..op(&url) });
    }
    assert!(!proof.exists());
}

#[test]
fn submodules_cannot_leave_their_place() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    let inner = repositories.make("inner");
    inner.write("file", "x");
    let commit = inner.commit("inner");
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let with = |modules: &str, more: &[(&str, &[u8], &str)]| {
        let blob = repository.object("blob", modules.as_bytes());
        let mut entries = vec![("100644", &b".gitmodules"[..], blob.as_str())];
        entries.extend_from_slice(more);
        repository.publish(&repository.tree(&entries));
        GitOp { keep_git_dir: true, ..op(&url) }
    };
    let link = ("160000", &b"x"[..], commit.as_str());
    for name in ["../../x", "/x", "..", "a/../../x", "a\\\\..\\\\x"] {
        let modules = format!("[submodule \"{name}\"]\npath = x\nurl = ../inner.git\n");
        let error = refused(&with(&modules, &[link]));
        assert!(matches!(error, GitError::Submodule { .. }), "{name}: {error}");
    }
    let error = refused(&with("", &[link]));
    assert!(chain(&error).contains("`.gitmodules` does not say"), "{}", chain(&error));
    // A name within the repository of another.
    let modules = "[submodule \"a\"]\npath = x\nurl = ../inner.git\n\
                   [submodule \"a/objects\"]\npath = y\nurl = ../inner.git\n";
    let error = refused(&with(modules, &[link, ("160000", b"y", &commit)]));
    assert!(chain(&error).contains("within that of another"), "{}", chain(&error));
    let target = repository.object("blob", b"elsewhere");
    repository.publish(&repository.tree(&[("120000", b".gitmodules", &target), link]));
    assert!(matches!(refused(&op(&url)), GitError::CheckOut { .. }));
}

#[test]
fn a_repository_within_itself_ends() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    // Each commit has the one before as its submodule.
    let blob = repository.object("blob", b"[submodule \"x\"]\npath = x\nurl = ./../r.git\n");
    let mut tree = repository.tree(&[]);
    for _ in 0..20 {
        repository.publish(&tree);
        let commit = run(git_command(&repository.bare).args(["rev-parse", "main"]));
        tree = repository.tree(&[("100644", b".gitmodules", &blob), ("160000", b"x", &commit)]);
    }
    repository.publish(&tree);
    let error = refused(&op(&format!("git://{}/r.git", server::daemon(repositories.root()))));
    assert!(chain(&error).contains("too many repositories"), "{}", chain(&error));
}
