//! Seccomp profiles of container engines, as the runtime gets them: an engine's profile has rules
//! with conditions, and the engine leaves those out that do not apply to a container.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::layout::ARCHITECTURE;
use crate::{base, tool};

/// Whose profile.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Docker's, which containerd's default follows.
    Docker,
    /// Podman's, which CRI-O's default follows.
    Podman,
}

/// Where Debian's packages have them.
const DOCKER: (&str, &str) = (
    "golang-github-docker-docker-dev",
    "./usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json",
);
const PODMAN: &str = "/usr/share/containers/seccomp.json";

impl Profile {
    /// The `linux.seccomp` of a container with some capabilities, as `CAP_CHOWN`.
    ///
    /// # Panics
    ///
    /// If the profile is not to be had.
    pub fn of(self, capabilities: &[&str]) -> Value {
        let path = match self {
            Self::Docker => docker(),
            Self::Podman => PathBuf::from(PODMAN),
        };
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("these tests need {}; try tests/run: {error}", path.display())
        });
        applied(&serde_json::from_str(&text).expect("a profile is JSON"), capabilities)
    }
}

/// The profile out of Debian's package of Docker's source, as the engine itself has it compiled in.
fn docker() -> PathBuf {
    let (package, file) = DOCKER;
    let directory = base::cached("seccomp", &crate::layout::hex(file.as_bytes()), |to| {
        let script = "cd \"$1\" && apt-get -qq -o APT::Sandbox::User=root download \"$2\" && \
                      dpkg-deb --fsys-tarfile \"$2\"*.deb | tar -x -O \"$3\" > profile.json && \
                      rm \"$2\"*.deb";
        tool::script(script, &[&to.display().to_string(), package, file]);
    });
    directory.join("profile.json")
}

/// What is left of a profile when its conditions are decided.
fn applied(profile: &Value, capabilities: &[&str]) -> Value {
    let rules = profile["syscalls"].as_array().expect("a profile has rules");
    let rules: Vec<Value> = rules
        .iter()
        .filter(|rule| {
            let (needed, unwanted) = (&rule["includes"], &rule["excludes"]);
            let has = |condition: &Value, name: &str| holds(&condition[name], name, capabilities);
            has(needed, "caps") != Some(false)
                && has(needed, "arches") != Some(false)
                && has(unwanted, "caps") != Some(true)
                && has(unwanted, "arches") != Some(true)
        })
        .map(rule)
        .collect();
    let architectures: &[&str] = match ARCHITECTURE {
        "amd64" => &["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        _ => &["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    };
    let mut all = json!({
        "defaultAction": profile["defaultAction"],
        "architectures": architectures,
        "syscalls": rules,
    });
    copy(&profile["defaultErrnoRet"], "defaultErrnoRet", &mut all);
    all
}

/// Whether a condition holds; nothing where there is none.
fn holds(condition: &Value, kind: &str, capabilities: &[&str]) -> Option<bool> {
    let names = condition.as_array().filter(|names| !names.is_empty())?;
    let mut names = names.iter().map(|name| name.as_str().expect("conditions are names"));
    Some(match kind {
        "caps" => names.all(|name| capabilities.contains(&name)),
        _ => names.any(|name| name == ARCHITECTURE),
    })
}

/// A rule without its conditions and comments.
fn rule(rule: &Value) -> Value {
    let arguments: Vec<Value> = rule["args"].as_array().into_iter().flatten().cloned().collect();
    let mut plain = json!({ "names": rule["names"], "action": rule["action"], "args": arguments });
    copy(&rule["errnoRet"], "errnoRet", &mut plain);
    plain
}

fn copy(value: &Value, name: &str, to: &mut Value) {
    if !value.is_null() {
        to[name] = value.clone();
    }
}
