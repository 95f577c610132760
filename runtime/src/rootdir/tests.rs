//! Both ways to resolve a path give the same result, and neither leaves the root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use super::*;

fn tree() -> (tempfile::TempDir, RootDir) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/file"), "inside").unwrap();
    fs::write(dir.path().join("secret"), "outside").unwrap();
    symlink("/a", root.join("absolute")).unwrap();
    symlink("../../../../a/file", root.join("a/b/up")).unwrap();
    symlink("../../secret", root.join("a/escape")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("b/../file", root.join("a/dots")).unwrap();
    symlink("/not/there", root.join("dangling")).unwrap();
    let handle = RootDir::open(&root).unwrap();
    (dir, handle)
}

#[test]
fn both_ways_agree_and_stay_inside() {
    let (_dir, root) = tree();
    let flags = OFlags::PATH;
    for path in [
        "",
        "/",
        ".",
        "a",
        "a/file",
        "/a/file",
        "absolute/file",
        "a/b/up",
        "a/escape",
        "loop",
        "a/dots",
        "dangling",
        "a/b/../../../a/file",
        "../../secret",
        "a/file/x",
        "missing/x",
        "absolute/b/up",
    ] {
        for flags in [flags, flags | OFlags::NOFOLLOW] {
            let identity =
                |fd: OwnedFd| File::from(fd).metadata().map(|m| (m.ino(), m.dev())).unwrap();
            let kernel = root.open_at(Path::new(path), flags, Mode::empty()).map(identity);
            let walked = root
                .open_walking(relative(Path::new(path)), flags | OFlags::CLOEXEC, Mode::empty())
                .map(identity);
            match (kernel, walked) {
                (Ok(kernel), Ok(walked)) => assert_eq!(kernel, walked, "{path}"),
                (Err(_), Err(_)) => {}
                (kernel, walked) => panic!("{path}: {kernel:?} but {walked:?}"),
            }
        }
    }
}

#[test]
fn a_link_out_of_the_root_leads_nowhere() {
    let (_dir, root) = tree();
    assert!(root.open_file(Path::new("a/escape")).is_err());
    assert_eq!(root.resolve(Path::new("a/escape")).unwrap(), Path::new("secret"));
    assert_eq!(root.resolve(Path::new("a/b/up")).unwrap(), Path::new("a/file"));
    assert_eq!(root.resolve(Path::new("/dangling/x")).unwrap(), Path::new("not/there/x"));
}

#[test]
fn directories_are_made_through_links_and_only_where_missing() {
    let (dir, root) = tree();
    let mut made = Vec::new();
    root.create_dir_all(Path::new("/absolute/new/deep"), |path, _| {
        made.push(path.to_owned());
        Ok(())
    })
    .unwrap();
    assert_eq!(made, [Path::new("a/new"), Path::new("a/new/deep")]);
    assert!(dir.path().join("root/a/new/deep").is_dir());
    assert!(root.create_dir_all(Path::new("a/file/x"), |_, _| Ok(())).is_err());
}

/// The kernel takes 4,095 bytes at once; a tree can be deeper.
#[test]
fn paths_of_any_length_are_opened() {
    let dir = tempfile::tempdir().unwrap();
    let root = RootDir::open(dir.path()).unwrap();
    let path: PathBuf = std::iter::repeat_n("d".repeat(99), 100).collect();
    assert!(path.as_os_str().len() > 9000);
    root.create_dir_all(&path, |_, _| Ok(())).unwrap();
    let (parent, name) = root.parent(&path.join("file")).unwrap();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    drop(rustix::fs::openat(&parent, name, flags, Mode::RUSR | Mode::WUSR).unwrap());
    assert!(root.lstat(&path.join("file")).unwrap().is_some());
    assert!(root.lstat(&path.join("none")).unwrap().is_none());
    assert!(root.lstat(&path.join("none").join(&path)).unwrap().is_none());
    let top = Path::new(path.iter().next().unwrap());
    symlink("file", dir.path().join(top).join("link")).unwrap();
    let mut up = path.clone();
    up.extend(std::iter::repeat_n("..", 99));
    assert_eq!(root.resolve(&up.join("link")).unwrap(), top.join("file"));
    up.extend(std::iter::repeat_n("..", 101));
    let inode = |path: &Path| root.stat(path).unwrap().unwrap().st_ino;
    assert_eq!(inode(&up), inode(Path::new("")));
    crate::remove::tree(&dir.path().join(top)).unwrap();
}
