//! A build of a program on Debian, with packages from its mirrors.

use kaniko_tests::base;
use kaniko_tests::built::Image;
use kaniko_tests::kaniko::Build;
use kaniko_tests::registry::Registry;
use kaniko_tests::tool;

const PROGRAM: &str = r#"
#include <stdio.h>
int main(void) { puts("compiled"); return 0; }
"#;

#[test]
fn a_program_is_compiled_in_one_stage_and_runs_in_another() {
    let registry = Registry::start();
    let base = registry.push(&base::debian(), "debian:1");
    let to = registry.name("built:1");
    let dockerfile = format!(
        "FROM {base} AS build\n\
         RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libcap2-bin\n\
         WORKDIR /src\n\
         COPY main.c .\n\
         RUN gcc -O2 -o program main.c && setcap cap_net_bind_service=+ep program\n\
         FROM {base}\n\
         COPY --from=build /src/program /usr/local/bin/\n\
         RUN program > /said\n\
         CMD [\"program\"]\n"
    );
    let build = Build::of(&dockerfile).file("main.c", PROGRAM);
    let (tarball, layout) = (build.path("image.tar"), build.path("layout"));
    let _outcome = build
        .option("--tar-path", tarball.to_str().unwrap())
        .option("--oci-layout-path", layout.to_str().unwrap())
        .push(&to)
        .succeed();

    let image = Image::pull(&to);
    for image in [&image, &Image::of_archive(&tarball), &Image::of_layout(&layout)] {
        assert_eq!(image.run(&["sh", "-c", "program && cat /said"]), "compiled\ncompiled\n");
    }
    assert_eq!(image.config()["config"]["Cmd"], serde_json::json!(["program"]));
    assert_eq!(image.diff_ids().len(), 3, "a base of one layer, and what two steps changed");
    let program = image.unpack().join("usr/local/bin/program");
    let capability = ["-n", "security.capability", "--absolute-names", "-e", "hex"];
    let program = program.display().to_string();
    let attribute = tool::run("getfattr", capability.into_iter().chain([program.as_str()]));
    assert!(attribute.contains("security.capability=0x01000002000400"), "{attribute}");
}

#[test]
fn packages_of_a_base_are_removed_by_whiteouts() {
    let registry = Registry::start();
    let base = registry.push(&base::debian(), "debian:1");
    let to = registry.name("built:1");
    let dockerfile =
        format!("FROM {base}\nRUN dpkg --purge --force-all tzdata && rm -rf /usr/share/doc\n");
    Build::of(&dockerfile).push(&to).succeed();
    let image = Image::pull(&to);
    let root = image.unpack();
    assert!(!root.join("usr/share/zoneinfo").exists() && !root.join("usr/share/doc").exists());
    assert!(root.join("usr/share/common-licenses").exists());
}
