//! `ADD` of archives.

use super::*;

/// An archive of a directory and a file in it.
fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o750);
        header.set_uid(12);
        header.set_gid(34);
        header.set_mtime(99);
        builder.append_data(&mut header, path, content.as_bytes()).unwrap();
    };
    add("in/", tar::EntryType::Directory, "");
    add("in/x", tar::EntryType::Regular, "unpacked");
    builder.into_inner().unwrap()
}

#[test]
fn archives_are_unpacked_by_their_content() {
    let scene = Scene::new().with("context", &["plain.tar", "l -> a.txt", "d/f"]);
    fs::write(scene.context("a.txt"), archive()).unwrap();
    let mut op = op(&["a.txt", "plain.tar", "l", "d"], "/u/v");
    for source in &mut op.sources {
        source.unpack = true;
    }
    assert_eq!(scene.run(&op).unwrap(), Vec::<String>::new());
    let files: Vec<_> = ["in/x", "plain.tar", "f"]
        .map(|path| fs::read_to_string(scene.root("u/v").join(path)).unwrap())
        .to_vec();
    assert_eq!(files, ["unpacked", "content of plain.tar", "content of d/f"]);
    // The link led to an archive, which came as a file.
    assert!(fs::read(scene.root("u/v/l")).unwrap() == archive());
    let meta = fs::metadata(scene.root("u/v/in")).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.mtime()), (0o750, 99));

    op.sources.truncate(1);
    op.sources[0].unpack = false;
    op.destination = "/w/".to_owned();
    scene.run(&op).unwrap();
    assert!(scene.root("w/a.txt").is_file());
}

#[test]
fn what_is_unpacked_belongs_to_whom_it_says_or_to_whom_was_asked_for() {
    assert!(rustix::process::geteuid().is_root(), "this test changes owners: run it as root");
    let scene = Scene::new();
    fs::write(scene.context("a.tar"), archive()).unwrap();
    let mut op = op(&["a.tar"], "/said");
    op.sources[0].unpack = true;
    scene.run(&op).unwrap();
    op.owner = Some("5:6".to_owned());
    op.destination = "/asked".to_owned();
    op.mode = Some(Mode::Octal(0o700));
    scene.run(&op).unwrap();
    let owner = |path: &str| {
        let meta = fs::metadata(scene.root(path)).unwrap();
        (meta.uid(), meta.gid())
    };
    assert_eq!(["said", "said/in/x"].map(owner), [(0, 0), (12, 34)]);
    assert_eq!(["asked", "asked/in", "asked/in/x"].map(owner), [(5, 6); 3]);
    // A mode is for what is copied.
    let mode = |path: &str| fs::metadata(scene.root(path)).unwrap().mode() & 0o7777;
    assert_eq!(["asked", "asked/in", "asked/in/x"].map(mode), [0o755, 0o750, 0o750]);
}
