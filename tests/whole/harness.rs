//! The harness itself, without kaniko: what the other tests take for granted.

use kaniko_tests::built::{Image, digest};
use kaniko_tests::registry::Registry;
use kaniko_tests::{base, tool, tree};

#[test]
fn bases_run() {
    let registry = Registry::start();
    let busybox = registry.push(&base::busybox(), "busybox:1");
    assert!(digest(&busybox).starts_with("sha256:"));
    assert_eq!(Image::pull(&busybox).run(&["sh", "-c", "echo $((6 * 7))"]), "42\n");
    let debian = registry.push(&base::debian(), "debian:1");
    let said = Image::pull(&debian).run(&["bash", "-c", "apt-get --version | head -n 1"]);
    assert!(said.starts_with("apt "), "{said}");
}

#[test]
fn the_listing_from_inside_is_the_listing_from_outside() {
    let image = Image::of_layout(&base::busybox());
    let root = image.unpack();
    let inside = "chroot \"$1\" /bin/sh -c 'mkfifo /x; ln /x /y; echo a > /z; chmod 6751 /z'";
    tool::script(inside, &[&root.display().to_string()]);
    let seen = tool::run("chroot", [&root.display().to_string(), "/bin/sh", "-c", tree::LISTING]);
    tree::assert_same(&tree::listed(seen.lines()), &tree::of(root));
}
