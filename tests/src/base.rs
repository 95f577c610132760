//! Base images made of what this machine has: busybox, and Debian from this machine's mirrors.
//!
//! They are kept between runs in `$KANIKO_TEST_CACHE`, or else in `$HOME/.cache/kaniko-tests`.
#![expect(clippy::disallowed_methods, reason = "the cache's place is said by the environment")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde_json::json;

use crate::layout::{self, ARCHITECTURE, Layer};
use crate::tool;

/// Raised when a base is made in another way.
const VERSION: u32 = 1;

const BUSYBOX: &str = "/bin/busybox";

/// A layout with busybox in `/bin`, its commands as symbolic links (and `[[` as a hard link).
pub fn busybox() -> PathBuf {
    let program = fs::read(BUSYBOX)
        .unwrap_or_else(|error| panic!("these tests need `{BUSYBOX}`; try tests/run: {error}"));
    cached("busybox", &layout::hex(&program), |to| {
        let mut layer = Layer::default()
            .directory("bin/", 0o755)
            .file("bin/busybox", 0o755, &program)
            .hardlink("bin/[[", "bin/busybox");
        let applets = tool::run(BUSYBOX, ["--list"]);
        for applet in applets.lines().filter(|applet| !["busybox", "[["].contains(applet)) {
            layer = layer.symlink(&format!("bin/{applet}"), "busybox");
        }
        for directory in ["dev/", "etc/", "proc/", "sys/", "usr/", "var/"] {
            layer = layer.directory(directory, 0o755);
        }
        let layer = layer
            .directory("root/", 0o700)
            .directory("tmp/", 0o1777)
            .file(
                "etc/passwd",
                0o644,
                b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
            )
            .file("etc/group", 0o644, b"root:x:0:\nuser:x:1000:\n");
        let config = json!({ "Env": ["PATH=/bin"], "Cmd": ["sh"] });
        layout::write(to, &[layer.finish()], &config);
    })
}

/// A layout with a minimal Debian of this machine's release, which reaches this machine's mirrors
/// with this machine's settings and certificates.
pub fn debian() -> PathBuf {
    bootstrapped("debian", &[])
}

/// As [`debian`], with the packages `installed` in it, and with `available` and all that they need
/// in `/repository`, which is the only place that its apt knows. It needs no network.
///
/// # Panics
///
/// If a package does not exist.
pub fn debian_with(installed: &[String], available: &[String]) -> PathBuf {
    bootstrapped(
        "suite",
        &[
            format!("--include={}", installed.join(",")),
            "--dpkgopt=force-unsafe-io".to_owned(),
            format!("--customize-hook=set -- \"$1\" {}; {REPOSITORY}", available.join(" ")),
        ],
    )
}

/// A hook of mmdebstrap that makes the repository. `$1` is the root, what follows are packages.
const REPOSITORY: &str = r#"
root=$1; shift
rm "$root"/usr/sbin/policy-rc.d 2>/dev/null || true
chroot "$root" apt-get -qq update
chroot "$root" apt-get -qq install -y --download-only --no-install-recommends "$@" >/dev/null
mkdir "$root/repository"
mv "$root"/var/cache/apt/archives/*.deb "$root/repository"
cd "$root/repository"
for file in *.deb; do
    dpkg-deb --field "$file"
    echo "Filename: ./$file"
    echo "Size: $(stat -c %s "$file")"
    echo "SHA256: $(sha256sum "$file" | cut -d ' ' -f 1)"
    echo
done > Packages
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/repository ./' > "$root/etc/apt/sources.list"
"#;

/// A Debian that mmdebstrap makes with some further options.
fn bootstrapped(name: &str, options: &[String]) -> PathBuf {
    let sources = apt_files("sources.list.d", &["list", "sources"]);
    let settings = apt_settings();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("apt reads it too");
    let mut state: Vec<String> = sources.iter().chain(&settings).map(read).collect();
    state.extend_from_slice(options);
    let suite = tool::script(". /etc/os-release; echo \"$VERSION_CODENAME\"", &[]);
    let key = format!("{suite}\n{ARCHITECTURE}\n{}", state.join("\n"));
    cached(name, &layout::hex(key.as_bytes()), |to| {
        let tar = to.with_extension("tar");
        bootstrap(suite.trim(), (&sources, &settings), options, &tar);
        let content = fs::read(&tar).expect("mmdebstrap wrote it");
        fs::remove_file(&tar).expect("the directory is ours");
        let config = json!({ "Env": [format!("PATH={}", tool::PATH)], "Cmd": ["bash"] });
        layout::write(to, &[content], &config);
    })
}

fn bootstrap(
    suite: &str,
    (sources, settings): (&[PathBuf], &[PathBuf]),
    more: &[String],
    tar: &Path,
) {
    let text = |path: &PathBuf| path.display().to_string();
    let options = settings.iter().map(|path| format!("--aptopt={}", text(path)));
    let hooks = [
        // mmdebstrap's own names of what is copied in below.
        r#"rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap"#.to_owned(),
        copy_in(sources),
        copy_in(settings),
        copy_in(&apt_files("keyrings", &["gpg", "asc"])),
        copy_in(&apt_files("trusted.gpg.d", &["gpg", "asc"])),
        copy_in(&apt_files("auth.conf.d", &["conf"])),
        copy_in(&["/etc/ssl/certs/ca-certificates.crt".into()]),
        copy_in(&files("/usr/local/share/ca-certificates", &["crt"])),
        copy_in(&files("/usr/share/keyrings", &["gpg", "asc"])),
        r#"rm -rf "$1"/var/lib/apt/lists/*"#.to_owned(),
    ]
    .map(|hook| format!("--customize-hook={hook}"));
    let fixed = ["--quiet", "--mode=root", "--format=tar", "--variant=minbase"].map(str::to_owned);
    let target = [suite.to_owned(), text(&tar.to_path_buf())];
    let more = more.iter().cloned();
    let arguments = fixed.into_iter().chain(options).chain(hooks).chain(more).chain(target);
    tool::run("mmdebstrap", arguments.chain(sources.iter().map(text)));
}

/// A hook that copies files of this machine to the same place.
fn copy_in(paths: &[PathBuf]) -> String {
    let copy = |path: &PathBuf| format!(r#"install -D -m 644 "{0}" "$1{0}""#, path.display());
    let copies: Vec<String> = paths.iter().map(copy).collect();
    if copies.is_empty() { "true".to_owned() } else { copies.join(" && ") }
}

/// Files of apt's settings that say how to reach a mirror, and not what to fetch beside packages.
fn apt_settings() -> Vec<PathBuf> {
    let mut paths = apt_files("apt.conf.d", &[]);
    paths.retain(|path| {
        let text = fs::read_to_string(path).expect("apt reads it too");
        text.contains("Acquire::") && !text.contains("IndexTargets")
    });
    paths
}

/// Files of a directory of apt, and the file of its name without `.d`.
fn apt_files(directory: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let directory = Path::new("/etc/apt").join(directory);
    let mut paths = files(&directory, extensions);
    let one = directory.with_extension("");
    if one.is_file() && one != directory {
        paths.push(one);
    }
    paths
}

/// Files of a directory with one of some extensions, or none where none is asked for, in order.
fn files(directory: impl AsRef<Path>, extensions: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let fits = |path: &PathBuf| match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) => extensions.contains(&extension),
        None => extensions.is_empty(),
    };
    let mut paths: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(fits).filter(|p| p.is_file()).collect();
    paths.sort();
    paths
}

/// A directory that is made once. It has its name only when it is whole, and one process at a
/// time makes it.
pub(crate) fn cached(name: &str, key: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let cache = std::env::var_os("KANIKO_TEST_CACHE").map_or_else(
        || {
            let home = std::env::var_os("HOME").expect("HOME or KANIKO_TEST_CACHE is set");
            Path::new(&home).join(".cache/kaniko-tests")
        },
        PathBuf::from,
    );
    fs::create_dir_all(&cache).expect("the cache can be made");
    let directory = cache.join(format!("{name}-{VERSION}-{}", &key[..16]));
    let lock = File::create(cache.join(format!("{name}.lock"))).expect("the cache is ours");
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).expect("the cache can be locked");
    if !directory.is_dir() {
        let partial = directory.with_extension("partial");
        fs::remove_dir_all(&partial).ok();
        fs::create_dir(&partial).expect("the cache is ours");
        make(&partial);
        fs::rename(&partial, &directory).expect("the cache is ours");
    }
    directory
}
