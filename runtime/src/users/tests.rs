//! Names and numbers, with and without the files.

use std::fs;

use super::*;

fn root(passwd: Option<&str>, group: Option<&str>) -> (tempfile::TempDir, RootDir) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    for (name, text) in [("passwd", passwd), ("group", group)] {
        if let Some(text) = text {
            fs::write(dir.path().join("etc").join(name), text).unwrap();
        }
    }
    let root = RootDir::open(dir.path()).unwrap();
    (dir, root)
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    # a comment\n\
    +nis\n\
    web:x:101:102:Web,,,:/var/www:/bin/sh\n\
    short:x:7:8\n";
const GROUP: &str =
    "root:x:0:\nweb:x:102:web\nlog:x:30:web,other\nadm:x:4:other,web\nsp:x:9:webb\n";

fn user(uid: u32, gid: u32, groups: &[u32], home: &str) -> User {
    User { uid, gid, groups: groups.to_vec(), home: home.to_owned() }
}

#[test]
fn users_for_commands() {
    let (_dir, root) = root(Some(PASSWD), Some(GROUP));
    for (spec, expected) in [
        ("", user(0, 0, &[], "/root")),
        ("root", user(0, 0, &[], "/root")),
        ("web", user(101, 102, &[4, 30], "/var/www")),
        ("101", user(101, 102, &[4, 30], "/var/www")),
        ("web:log", user(101, 30, &[], "/var/www")),
        ("web:", user(101, 102, &[4, 30], "/var/www")),
        ("web:77", user(101, 77, &[], "/var/www")),
        (":log", user(0, 30, &[], "/root")),
        ("5000", user(5000, 0, &[], "/")),
        ("5000:6000", user(5000, 6000, &[], "/")),
        ("short", user(7, 8, &[], "/")),
    ] {
        assert_eq!(lookup(&root, spec).unwrap(), expected, "{spec}");
    }
}

#[test]
fn unknown_names_are_named() {
    let (_dir, root) = root(Some(PASSWD), Some(GROUP));
    let message = lookup(&root, "nobody").unwrap_err().to_string();
    assert_eq!(message, "cannot find user `nobody`: /etc/passwd of the image does not name it");
    assert!(
        matches!(lookup(&root, "web:none"), Err(UserError::NoGroup { name }) if name == "none")
    );
    // To the kernel that number means to leave the owner as it is.
    for (spec, name) in [("4294967295", "user"), ("0:4294967295", "group")] {
        let messages = [lookup(&root, spec).unwrap_err(), owner(&root, spec).unwrap_err()];
        for message in messages.map(|error| error.to_string()) {
            assert!(message.contains(&format!("cannot find {name} `4294967295`")), "{message}");
        }
    }
    assert!(matches!(owner(&root, "who"), Err(UserError::NoUser { name }) if name == "who"));
}

#[test]
fn an_image_without_the_files() {
    let (_dir, root) = root(None, None);
    assert_eq!(lookup(&root, "").unwrap(), user(0, 0, &[], "/root"));
    assert_eq!(lookup(&root, "root:root").unwrap(), user(0, 0, &[], "/root"));
    assert_eq!(lookup(&root, "1:2").unwrap(), user(1, 2, &[], "/"));
    assert!(lookup(&root, "web").is_err());
}

// rule: copy.owner-names
#[test]
fn owners_for_copies() {
    let (_dir, root) = root(Some(PASSWD), Some(GROUP));
    for (spec, expected) in [
        ("web", (101, 102)),
        ("101", (101, 101)),
        ("55:log", (55, 30)),
        ("web:0", (101, 0)),
        (":log", (0, 30)),
        ("", (0, 0)),
    ] {
        assert_eq!(owner(&root, spec).unwrap(), expected, "{spec}");
    }
}
