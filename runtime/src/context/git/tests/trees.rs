//! Which files come out.

use super::*;

// rule: add.git-files
#[test]
fn files_are_those_that_git_checks_out() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    repository.write(".gitattributes", "*.crlf text eol=crlf\n*.id ident\n*.u16 working-tree-encoding=UTF-16\n*.latin working-tree-encoding=ISO-8859-1\n*.auto text=auto eol=crlf\n*.old crlf=input\n*.none -text eol=crlf\n*.eol eol=crlf\n[attr]both text eol=crlf\n*.both both\n*.bin binary\n");
    repository.write("a.crlf", "one\ntwo\n");
    repository.write("deep/b.crlf", "one\ntwo\n");
    repository.write(
        "deep/.gitattributes",
        "*.crlf eol=lf\nc.txt text eol=crlf\n/top.txt text eol=crlf\n",
    );
    repository.write("deep/c.txt", "x\n");
    repository.write("deep/top.txt", "x\n");
    repository.write("deep/er/top.txt", "x\n");
    repository.write("deeper/b.crlf", "x\n");
    repository.write("x.id", "$Id$\n");
    repository.write("x.u16", b"\xff\xfee\0\x3e\xd8\x80\xdd");
    repository.write("x.latin", b"\xe9\n");
    repository.write("lf.auto", "a\nb\n");
    repository.write("binary.auto", b"a\nb\n\0\x01\x02");
    repository.write("x.old", "a\n");
    repository.write("x.none", "a\n");
    repository.write("x.eol", "a\n");
    repository.write("x.both", "x\n");
    repository.write("x.bin", "x\r\n\0");
    repository.write("empty", "");
    repository.write("run", "#!/bin/sh\n");
    repository.write("wide open", "");
    repository.write("b\u{fc}cher/\u{1f980}", "x");
    fs::set_permissions(repository.work.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(repository.work.join("wide open"), fs::Permissions::from_mode(0o666))
        .unwrap();
    symlink("../nowhere", repository.work.join("deep/link")).unwrap();
    symlink("/etc/passwd", repository.work.join("absolute")).unwrap();
    let latin = std::ffi::OsStr::from_bytes(b"no\xfftext");
    fs::write(repository.work.join(latin), "x").unwrap();
    repository.commit("one");

    let address = server::daemon(repositories.root());
    let checked = check_out(&op(&format!("git://{address}/r.git")));
    let expected = reference(&repositories, &repository.bare, &[]);
    let found = listing(&checked.files());
    assert_eq!(found, listing(&expected));
    assert_eq!(found[Path::new("a.crlf")].1, b"one\r\ntwo\r\n");
    assert_eq!(found[Path::new("run")].0, 0o100_755);
    assert!(checked.progress > 0);
    assert!(!checked.files().join(".git").exists());
    for path in [".", "deep", "run", "absolute"] {
        let metadata = fs::symlink_metadata(checked.files().join(path)).unwrap();
        assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_500_000_000, 7), "{path}");
        assert_eq!((metadata.uid(), metadata.gid()), (0, 0), "{path}");
    }
    let mut dated = op(&format!("git://{address}/r.git"));
    dated.commit_time = true;
    let checked = check_out(&dated);
    assert_eq!(fs::metadata(checked.files().join("run")).unwrap().mtime(), 1_400_000_000);
}

#[test]
fn a_branch_that_moves_is_one_commit_within_a_build() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    repository.write("f", "one");
    repository.commit("one");
    let address = server::daemon(repositories.root());
    let whole = op(&format!("git://{address}/r.git"));
    let mut kept = whole.clone();
    kept.keep_git_dir = true;
    let build = Caller::default();
    let read = |checked: Checked| fs::read_to_string(checked.files().join("f")).unwrap();
    assert_eq!(read(build.check_out(&whole)), "one");
    repository.write("f", "two");
    repository.commit("two");
    assert_eq!(read(build.check_out(&kept)), "one");
    assert_eq!(read(check_out(&kept)), "two");
}

/// A repository with a branch, tags of both kinds, a pull request, and a commit that nothing leads to.
struct Named {
    repositories: Repositories,
    address: String,
    first: String,
    lost: String,
}

fn named() -> Named {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    repository.write("file", "first");
    let first = repository.commit("first");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "x", "annotated"]);
    repository.git(&["tag", "-a", "-m", "x", "nested", "annotated"]);
    repository.write("file", "second");
    repository.commit("second");
    repository.git(&["checkout", "--quiet", "-b", "topic/a"]);
    repository.write("file", "topic");
    repository.commit("topic");
    repository.write("file", "pull");
    repository.git(&["commit", "--quiet", "-a", "-m", "pull"]);
    repository.git(&["push", "--quiet", "origin", "HEAD:refs/pull/7/head"]);
    repository.write("file", "lost");
    repository.git(&["commit", "--quiet", "-a", "-m", "lost"]);
    repository.git(&["push", "--quiet", "origin", "HEAD:refs/heads/gone"]);
    let lost = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["push", "--quiet", "origin", ":refs/heads/gone"]);
    let address = server::daemon(repositories.root());
    Named { repositories, address, first, lost }
}

impl Named {
    fn op(&self, reference: Option<&str>) -> GitOp {
        let reference = reference.map(ToOwned::to_owned);
        GitOp { reference, ..op(&format!("git://{}/r.git", self.address)) }
    }

    fn file(&self, reference: Option<&str>) -> String {
        fs::read_to_string(check_out(&self.op(reference)).files().join("file")).unwrap()
    }
}

// rule: add.git-reference
#[test]
fn commits_are_named_in_many_ways() {
    let named = named();
    assert!(named.repositories.root().exists());
    for (reference, content) in [
        (None, "second"),
        (Some("main"), "second"),
        (Some("refs/heads/main"), "second"),
        (Some("topic/a"), "topic"),
        (Some("light"), "first"),
        (Some("annotated"), "first"),
        (Some("nested"), "first"),
        (Some("refs/tags/annotated"), "first"),
        (Some("pull/7/head"), "pull"),
        (Some("refs/pull/7/head"), "pull"),
        (Some(&named.first), "first"),
        (Some(&named.lost), "lost"),
    ] {
        assert_eq!(named.file(reference), content, "{reference:?}");
    }
    for reference in [&named.first[..8], "topic", "nothing", "HEAD", "--upload-pack=x"] {
        let error = refused(&named.op(Some(reference)));
        assert!(matches!(error, GitError::NoReference { .. }), "{reference}: {error}");
        assert!(error.to_string().contains(reference), "{error}");
    }
    let error = refused(&named.op(Some(&"0".repeat(40))));
    assert!(matches!(error, GitError::NoCommit { .. }), "{error}");
}

// rule: add.git-checksum
#[test]
fn a_checksum_is_a_commit_or_its_beginning() {
    let named = named();
    let with = |reference, checksum: &str| GitOp {
        checksum: Some(checksum.to_owned()),
        ..named.op(reference)
    };
    let tag = {
        let work = named.repositories.path("work/r");
        run(git_command(&work).args(["rev-parse", "annotated"]))
    };
    for (reference, checksum) in [
        (Some("light"), &named.first[..]),
        (Some("light"), &named.first[..7]),
        (Some("annotated"), &named.first[..]),
        (Some("annotated"), &tag[..]),
        (Some(&named.first), &named.first[..12]),
    ] {
        check_out(&with(reference, checksum));
    }
    for (reference, checksum) in [
        (Some("main"), &named.first[..]),
        (Some("main"), ""),
        (Some(&named.first), &named.lost[..]),
        (Some("light"), "xyz"),
    ] {
        let error = refused(&with(reference, checksum));
        assert!(matches!(error, GitError::Checksum { .. }), "{error}");
    }
    let by_commit = GitOp { fetch_by_commit: true, ..with(Some("main"), &named.lost) };
    let checked = check_out(&by_commit);
    assert_eq!(fs::read_to_string(checked.files().join("file")).unwrap(), "lost");
}

// rule: add.git-directory
#[test]
fn a_part_of_a_repository_is_shown_alone() {
    let repositories = Repositories::new();
    let repository = repositories.make("r");
    repository.write("a/b/file", "x");
    symlink("a", repository.work.join("link")).unwrap();
    symlink("../../../../etc", repository.work.join("out")).unwrap();
    repository.commit("one");
    let url = format!("git://{}/r.git", server::daemon(repositories.root()));
    let part = |path: &str| GitOp { subdirectory: path.to_owned(), keep_git_dir: true, ..op(&url) };
    for path in ["a/b", "/a/b/", "./a/../a/b", "../a/b", "link/b"] {
        let (_kept, tree) = Caller::default().try_check_out(&part(path)).ok().unwrap();
        assert_eq!(tree.names(Path::new("")).unwrap(), ["file"], "{path}");
    }
    for path in ["none", "a/b/file", "out"] {
        let error = refused(&part(path));
        assert!(matches!(error, GitError::NoDirectory { .. }), "{path}: {error}");
    }
    let (_kept, tree) = Caller::default().try_check_out(&part("/")).ok().unwrap();
    assert_eq!(tree.names(Path::new("")).unwrap(), [".git", "a", "link", "out"]);
}

// rule: add.git-keep
#[test]
fn a_repository_that_stays_one_is_clean() {
    let named = named();
    for (reference, head, name) in [
        (None, "second", Some("refs/heads/main")),
        (Some("annotated"), "first", Some("refs/tags/annotated")),
        (Some("pull/7/head"), "pull", Some("refs/pull/7/head")),
        (Some(named.lost.as_str()), "lost", None),
    ] {
        let git = GitOp { keep_git_dir: true, ..named.op(reference) };
        let checked = check_out(&git);
        let git = |arguments: &[&str]| run(git_command(&checked.files()).args(arguments));
        assert_eq!(git(&["status", "--porcelain"]), "", "{reference:?}");
        assert_eq!(git(&["log", "--format=%s"]), head, "{reference:?}");
        assert_eq!(git(&["fsck", "--strict"]), "", "{reference:?}");
        assert_eq!(git(&["remote", "get-url", "origin"]), named.op(None).url);
        let refs = git(&["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, name.unwrap_or_default(), "{reference:?}");
        let detached = git_command(&checked.files()).args(["symbolic-ref", "-q", "HEAD"]).status();
        assert!(!detached.unwrap().success(), "HEAD is a commit");
        assert!(checked.files().join(".git/shallow").exists(), "{reference:?}");
    }
}

// rule: add.git-submodules
#[test]
fn submodules_are_checked_out_with_theirs() {
    let repositories = Repositories::new();
    let inner = repositories.make("inner");
    inner.write("inner file", "x");
    inner.commit("inner");
    let middle = repositories.make("group/middle");
    middle.write("middle file", "x");
    let http = server::http(repositories.root(), Http::default());
    let absolute = format!("http://{}/inner.git", http.address);
    middle.git(&["submodule", "--quiet", "add", "--name", "the inner", &absolute, "deep/in ner"]);
    middle.commit("middle");
    let outer = repositories.make("group/outer");
    outer.write("outer file", "x");
    outer.commit("outer");
    outer.git(&["submodule", "--quiet", "add", "../middle.git", "libs/middle"]);
    outer.commit("with a submodule");

    let url = format!("git://{}/group/outer.git", server::daemon(repositories.root()));
    for keep_git_dir in [false, true] {
        let checked = check_out(&GitOp { keep_git_dir, ..op(&url) });
        let found = listing(&checked.files());
        for path in ["outer file", "libs/middle/middle file", "libs/middle/deep/in ner/inner file"]
        {
            assert!(found.contains_key(Path::new(path)), "{path}");
        }
        let inside = checked.files().join("libs/middle/deep/in ner");
        assert_eq!(inside.join(".git").exists(), keep_git_dir);
        if keep_git_dir {
            for directory in [checked.files(), checked.files().join("libs/middle"), inside] {
                let git = |arguments: &[&str]| run(git_command(&directory).args(arguments));
                assert_eq!(git(&["status", "--porcelain"]), "", "{}", directory.display());
                assert_eq!(git(&["rev-parse", "--show-toplevel"]), directory.display().to_string());
                assert!(!git(&["submodule", "status", "--recursive"]).contains(['-', '+']));
            }
        }
    }
    let without = check_out(&GitOp { submodules: false, ..op(&url) });
    assert_eq!(fs::read_dir(without.files().join("libs/middle")).unwrap().count(), 0);
}
