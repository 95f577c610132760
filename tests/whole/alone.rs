//! The program alone: in a root that holds nothing else, as in an image made `FROM scratch`.

use std::fs;

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::bundle::{Container, DOCKER, Limits};
use kaniko_tests::kaniko::{self, Build};
use kaniko_tests::registry::Registry;
use kaniko_tests::tool;

/// A name that only the container's own `hosts` knows.
const NAME: &str = "registry.test";

fn root_of_a_pod() -> Limits {
    Limits {
        user: 0,
        capabilities: DOCKER.into(),
        seccomp: None,
        no_new_privileges: false,
        masked: true,
        own_users: None,
    }
}

#[test]
fn the_program_needs_no_library() {
    let binary = kaniko::binary().display().to_string();
    let headers = tool::run("readelf", ["--program-headers", "--dynamic", &binary]);
    for word in ["INTERP", "(NEEDED)"] {
        assert!(
            !headers.contains(word),
            "it is not static; build it with `cargo static`: {headers}"
        );
    }
}

#[test]
fn it_pulls_over_https_and_builds_with_commands() {
    let registry = Registry::with_tls(NAME);
    registry.push(&base::busybox(), "base:1");
    let (_, port) = registry.address().split_once(':').unwrap();
    let reference = format!("{NAME}:{port}");
    let dockerfile = format!(
        "FROM {reference}/base:1\nRUN echo built > /built\nFROM scratch\nCOPY --from=0 /built /\n"
    );
    let container = Container::new(&kaniko::binary(), root_of_a_pod())
        .machine_network()
        .file("etc/hosts", &format!("127.0.0.1 localhost {NAME}\n"))
        .file("etc/resolv.conf", "nameserver 127.0.0.1\n")
        .file("etc/ssl/certs/ca-certificates.crt", &registry.authority());
    Build::of(&dockerfile).at(container).push(&format!("{reference}/built:1")).succeed();
    assert_eq!(registry.tags("built"), ["1"]);
}

#[test]
fn it_refuses_a_certificate_that_it_does_not_know() {
    let registry = Registry::with_tls(NAME);
    registry.push(&base::busybox(), "base:1");
    let (_, port) = registry.address().split_once(':').unwrap();
    let container = Container::new(&kaniko::binary(), root_of_a_pod())
        .machine_network()
        .file("etc/hosts", &format!("127.0.0.1 localhost {NAME}\n"));
    Build::of(&format!("FROM {NAME}:{port}/base:1\nRUN true\n"))
        .at(container)
        .no_push()
        .fail()
        .says(&["certificate"]);
}

/// Not even a device: random numbers come from the kernel by a system call.
#[test]
fn it_builds_in_an_empty_directory() {
    let root = tempfile::tempdir().unwrap();
    for directory in ["context", "tmp"] {
        fs::create_dir(root.path().join(directory)).unwrap();
    }
    fs::copy(kaniko::binary(), root.path().join("executor")).unwrap();
    fs::write(root.path().join("context/file"), "content").unwrap();
    fs::write(root.path().join("context/Dockerfile"), "FROM scratch\nCOPY file /\n").unwrap();
    let build = ["/executor", "--context", "/context", "--no-push", "--tar-path", "/image.tar"];
    tool::run("chroot", [root.path().to_str().unwrap()].iter().chain(&build));
    let image = Image::of_archive(&root.path().join("image.tar"));
    assert_eq!(fs::read_to_string(image.unpack().join("file")).unwrap(), "content");
}
