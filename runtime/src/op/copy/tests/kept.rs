//! What copies keep of their sources, and directories of what they were.

use super::*;

#[test]
fn copies_keep_what_the_file_system_keeps() {
    let scene = Scene::new().with("context", &["d/f", "d/s/", "d/l -> f"]);
    let chmod = |path: &str, mode| {
        fs::set_permissions(scene.context(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("d/f", 0o4751);
    chmod("d/s", 0o1730);
    chmod("d", 0o700);
    let fifo = scene.context("d/p");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scene.context("d/socket")).unwrap();
    let deletion = rustix::fs::FileType::CharacterDevice;
    let (at, mode) = (scene.context("d/0:0"), rustix::fs::Mode::from_raw_mode(0o644));
    rustix::fs::mknodat(rustix::fs::CWD, &at, deletion, mode, 0).unwrap();
    age(&scene.context(""));
    scene.copy(&["d"], "/new/place").unwrap();
    let meta = |path: &str| fs::symlink_metadata(scene.root(path)).unwrap();
    assert_eq!(meta("new/place/f").mode() & 0o7777, 0o4751);
    assert_eq!(meta("new/place/s").mode() & 0o7777, 0o1730);
    assert!(meta("new/place/p").file_type().is_fifo());
    assert!(!scene.root("new/place/socket").exists());
    assert!(!scene.root("new/place/0:0").exists(), "it would read as a deletion");
    for path in ["f", "s", "l", "p", ""] {
        let meta = meta(&format!("new/place/{path}"));
        assert_eq!((meta.mtime(), meta.mtime_nsec()), (5, 6), "{path}");
    }
    // The destination itself is made, not copied.
    assert_eq!(meta("new/place").mode() & 0o7777, 0o755);
    assert_eq!(meta("new").mode() & 0o7777, 0o755);
    assert_eq!((meta("new").mtime(), meta("new").mtime_nsec()), (NOW.seconds, 7));
}

#[test]
fn what_is_copied_may_all_be_of_one_time() {
    let scene = Scene::new().with("context", &["d/s/f", "d/l -> s"]).with("root", &["there/"]);
    let root = RootDir::open(&scene.root("")).unwrap();
    let tree = local(&scene.context(""), &[], Path::new("")).unwrap();
    let dates = Dates { made: NOW, copied: Some(NOW) };
    for destination in ["/there", "/new"] {
        let op = op(&["d"], destination);
        let cancel = CancellationToken::new();
        let bounds = Bounds { limits: UnpackLimits::default(), cancel: &cancel };
        copy(&op, &root, &|_| tree.clone(), dates, bounds).unwrap();
    }
    let time = |path: &str| fs::symlink_metadata(scene.root(path)).unwrap().mtime();
    assert_eq!(["there/s/f", "there/l", "there/s", "new", "new/s"].map(time), [NOW.seconds; 5]);
    assert_eq!(time("there"), 5, "it was there");
}

// rule: copy.existing
#[test]
fn directories_that_exist_stay_as_they_are_but_for_what_is_copied_over_them() {
    let scene = Scene::new()
        .with("context", &["d/sub/x", "f"])
        .with("root", &["there/sub/", "there/other/"]);
    let chmod = |path: PathBuf, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(scene.root("there"), 0o1777);
    chmod(scene.root("there/sub"), 0o711);
    chmod(scene.context("d/sub"), 0o750);
    scene.copy(&["f"], "/there/other/").unwrap();
    scene.copy(&["d"], "/there").unwrap();
    for (path, mode) in [("", 0o755), ("there", 0o1777), ("there/other", 0o755)] {
        let meta = fs::metadata(scene.root(path)).unwrap();
        assert_eq!((meta.mtime(), meta.mtime_nsec()), (5, 6), "{path}");
        if !path.is_empty() {
            assert_eq!(meta.mode() & 0o7777, mode, "{path}");
        }
    }
    // A directory of the source takes its own along, as in BuildKit.
    assert_eq!(fs::metadata(scene.root("there/sub")).unwrap().mode() & 0o7777, 0o750);
}

#[test]
fn modes_are_changed() {
    let scene = Scene::new().with("context", &["d/f", "d/s/x", "d/l -> f"]);
    fs::set_permissions(scene.context("d/s/x"), fs::Permissions::from_mode(0o700)).unwrap();
    let mut op = op(&["d"], "/a/b/");
    op.mode = Some(Mode::Symbolic("u=rwX,go=rX".to_owned()));
    scene.run(&op).unwrap();
    let mode = |path: &str| fs::metadata(scene.root(path)).unwrap().mode() & 0o7777;
    assert_eq!(
        ["a", "a/b", "a/b/s", "a/b/s/x", "a/b/f"].map(mode),
        [0o755, 0o755, 0o755, 0o755, 0o644]
    );
    op.mode = Some(Mode::Octal(0o4711));
    op.destination = "/c/d".to_owned();
    scene.run(&op).unwrap();
    for path in ["c/d/s", "c/d/s/x", "c/d/f"] {
        assert_eq!(mode(path), 0o4711, "{path}");
    }
    // What is made on the way is no copy: mkdir(2) takes permissions only.
    assert_eq!(["c", "c/d"].map(mode), [0o711, 0o711]);
    op.mode = Some(Mode::Symbolic("go=".to_owned()));
    op.destination = "/e/f".to_owned();
    scene.run(&op).unwrap();
    assert_eq!(["e", "e/f", "e/f/s", "e/f/s/x"].map(mode), [0o755, 0o755, 0o700, 0o700]);
}

#[test]
fn layers_of_their_own_bring_everything_along() {
    let scene = Scene::new()
        .with("context", &["d/s/f", "d/s/l -> f"])
        .with("root", &["d/s/deep/er/old", "d/s/f/old"]);
    fs::set_permissions(scene.context("d/s"), fs::Permissions::from_mode(0o1711)).unwrap();
    fs::set_permissions(scene.root("d"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::hard_link(scene.context("d/s/f"), scene.context("d/s/g")).unwrap();
    age(&scene.context(""));
    scene.link(&["d"], "/d/");
    let meta = |path: &str| fs::symlink_metadata(scene.root(path)).unwrap();
    assert_eq!(meta("d/s/f").ino(), meta("d/s/g").ino());
    assert!(scene.root("d/s/deep/er/old").exists() && meta("d/s/f").is_file());
    assert_eq!((meta("d/s").mode() & 0o7777, meta("d/s").mtime()), (0o1711, 5));
    // Where the layer has a directory, that is what it looks like.
    assert_eq!((meta("d").mode() & 0o7777, meta("d").mtime()), (0o755, 5));
}

// rule: copy.missing-directories
#[test]
fn owners_are_root_or_the_trees_or_as_asked_for() {
    assert!(rustix::process::geteuid().is_root(), "this test changes owners: run it as root");
    let mut scene = Scene::new().with("context", &["d/f", "d/l -> f"]);
    for path in ["d/f", "d/l", "d"] {
        std::os::unix::fs::lchown(scene.context(path), Some(12), Some(34)).unwrap();
    }
    let owner = |scene: &Scene, path: &str| {
        let meta = fs::symlink_metadata(scene.root(path)).unwrap();
        (meta.uid(), meta.gid())
    };
    scene.copy(&["."], "/from/context").unwrap();
    scene.owners = Owners::Kept;
    scene.copy(&["."], "/from/stage").unwrap();
    let mut op = op(&["."], "/asked/for");
    op.owner = Some("5:6".to_owned());
    scene.run(&op).unwrap();
    for path in ["d", "d/f", "d/l"] {
        assert_eq!(owner(&scene, &format!("from/context/{path}")), (0, 0), "{path}");
        assert_eq!(owner(&scene, &format!("from/stage/{path}")), (12, 34), "{path}");
        assert_eq!(owner(&scene, &format!("asked/for/{path}")), (5, 6), "{path}");
    }
    assert_eq!(owner(&scene, "from/stage"), (0, 0));
    assert_eq!(["asked", "asked/for"].map(|path| owner(&scene, path)), [(5, 6), (5, 6)]);
}

// rule: copy.links
#[test]
fn hard_links_are_kept_and_those_of_the_root_are_not_written_through() {
    let scene = Scene::new().with("context", &["d/a", "d/z/"]).with("root", &["old"]);
    fs::hard_link(scene.context("d/a"), scene.context("d/z/b")).unwrap();
    fs::hard_link(scene.root("old"), scene.root("a")).unwrap();
    scene.copy(&["d"], "/").unwrap();
    let inode = |path: &str| fs::metadata(scene.root(path)).unwrap().ino();
    assert_eq!(inode("a"), inode("z/b"));
    assert_eq!(fs::read_to_string(scene.root("old")).unwrap(), "content of old");
    assert_eq!(fs::read_to_string(scene.root("a")).unwrap(), "content of d/a");
    // Who writes to the copy of one source does not change that of another.
    symlink("a", scene.context("d/l")).unwrap();
    scene.copy(&["d/z/b", "d/[al]", "d/z"], "/apart/").unwrap();
    for path in ["apart/a", "apart/b", "apart/l"] {
        assert_eq!(fs::metadata(scene.root(path)).unwrap().nlink(), 1, "{path}");
    }
}

#[test]
fn content_arrives_whole_and_holes_stay_holes() {
    use std::io::{Seek as _, Write as _};
    let scene = Scene::new();
    let mut file = fs::File::create(scene.context("sparse")).unwrap();
    for at in [0, 3 << 20, 8 << 20] {
        file.seek(io::SeekFrom::Start(at)).unwrap();
        file.write_all(b"data").unwrap();
    }
    file.set_len(16 << 20).unwrap();
    drop(file);
    let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(scene.context("large"), &large).unwrap();
    for index in 0..200 {
        fs::write(scene.context(&format!("small{index}")), format!("{index}")).unwrap();
    }
    scene.copy(&["."], "/").unwrap();
    let read = |path: PathBuf| fs::read(path).unwrap();
    assert!(read(scene.root("sparse")) == read(scene.context("sparse")));
    assert!(read(scene.root("large")) == large);
    for index in 0..200 {
        assert_eq!(read(scene.root(&format!("small{index}"))), index.to_string().as_bytes());
    }
    let blocks = |path: PathBuf| fs::metadata(path).unwrap().blocks();
    assert!(blocks(scene.root("sparse")) <= 2 * blocks(scene.context("sparse")));
}

#[test]
fn equal_copies_are_equal() {
    let scenes = [(); 2].map(|()| {
        let files: Vec<String> = (0..300).map(|index| format!("d{}/f{index}", index % 7)).collect();
        let mut names: Vec<&str> = files.iter().map(String::as_str).collect();
        names.extend(["d0/l -> f0", "e/empty/"]);
        let scene = Scene::new().with("context", &names).with("root", &["d1/f1", "d1/old"]);
        for index in 0..20 {
            fs::hard_link(scene.context("d3/f3"), scene.context(&format!("e/h{index}"))).unwrap();
        }
        age(&scene.context(""));
        scene.copy(&["."], "/").unwrap();
        scene.copy(&["d*"], "/more/of/it").unwrap();
        scene
    });
    let entries = scenes.each_ref().map(|scene| {
        let root = RootDir::open(&scene.root("")).unwrap();
        let paths = scene.listing().into_iter().map(|line| {
            let path = line.split(" -> ").next().unwrap().split(" = ").next().unwrap();
            PathBuf::from(path)
        });
        let entry = |path: PathBuf| {
            use rustix::fd::AsFd as _;
            let (parent, name) = root.parent(&path).unwrap();
            let links = fs::symlink_metadata(scene.root("").join(&path)).unwrap().nlink();
            (crate::layer::metadata::entry_at(parent.as_fd(), &name, path).unwrap(), links)
        };
        paths.map(entry).collect::<Vec<_>>()
    });
    assert!(entries[0].len() > 600, "{}", entries[0].len());
    assert_eq!(entries[0], entries[1]);
}
