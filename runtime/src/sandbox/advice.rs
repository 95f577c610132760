//! What would lift an obstacle that a probe ran into.

use super::Mapping;
use super::ladder::{CHANGE_ROOT, DEVICE, FRESH_PROC, PRIVATE_MOUNTS, USER_NAMESPACE};
use super::spec::Failure;
use super::survey::Help;

const fn kubernetes(setting: &'static str) -> Help {
    Help { of: "Kubernetes", setting }
}

const fn docker(setting: &'static str) -> Help {
    Help { of: "Docker", setting }
}

const fn machine(setting: &'static str) -> Help {
    Help { of: "machine", setting }
}

const SECCOMP: [Help; 3] = [
    kubernetes("securityContext: {seccompProfile: {type: Unconfined}}"),
    docker("--security-opt seccomp=unconfined"),
    machine("sysctl kernel.unprivileged_userns_clone=1, where there is such a setting"),
];

const APPARMOR: [Help; 3] = [
    kubernetes("securityContext: {appArmorProfile: {type: Unconfined}}"),
    docker("--security-opt apparmor=unconfined"),
    machine("sysctl kernel.apparmor_restrict_unprivileged_userns=0, where there is such a setting"),
];

const NO_NAMESPACES: [Help; 1] = [machine("sysctl user.max_user_namespaces=15000")];

const MASKED: [Help; 2] = [
    kubernetes("hostUsers: false, securityContext: {procMount: Unmasked}"),
    docker("--security-opt systempaths=unconfined"),
];

const MAP_ROOT: [Help; 2] =
    [kubernetes("securityContext: {capabilities: {add: [SETFCAP]}}"), docker("--cap-add SETFCAP")];

const MAP_IDS: [Help; 3] = [
    kubernetes(
        "securityContext: {runAsUser: 0}, or {allowPrivilegeEscalation: true} and newuidmap with file capabilities in the image",
    ),
    docker("--user 0"),
    machine("newuidmap and newgidmap, and lines for the user in /etc/subuid and /etc/subgid"),
];

const DEVICES: [Help; 2] = [
    kubernetes(
        "securityContext: {runAsUser: 0, capabilities: {add: [MKNOD]}}, without hostUsers: false",
    ),
    docker("--user 0 --cap-add MKNOD"),
];

const CHROOT: [Help; 2] = [
    kubernetes("securityContext: {runAsUser: 0, capabilities: {add: [SYS_CHROOT]}}"),
    docker("--user 0 --cap-add SYS_CHROOT"),
];

const fn kaniko(setting: &'static str) -> Help {
    Help { of: "kaniko", setting }
}

/// What takes the rung that is not taken by itself.
pub(super) const ASK_FOR_IN_PLACE: [Help; 1] = [kaniko("--isolation=in-place")];

/// What that wants of a container.
pub(super) const IN_PLACE: [Help; 1] = [kaniko(
    "--isolation=in-place, as root in the unchanged executor image (it has `/kaniko/.executor-image`), without a volume at the work directory",
)];

/// What would help against the failure of a probe.
pub(super) fn on(failure: &Failure) -> &'static [Help] {
    let denied = failure.errno == libc::EACCES;
    match failure.stage.as_str() {
        // The limits are zero, or reached.
        USER_NAMESPACE if [libc::ENOSPC, libc::EUSERS].contains(&failure.errno) => &NO_NAMESPACES,
        USER_NAMESPACE => &SECCOMP,
        FRESH_PROC => &MASKED,
        DEVICE => &DEVICES,
        CHANGE_ROOT => &CHROOT,
        "write `uid_map`" => &MAP_ROOT,
        "run `newuidmap`" | "map ids with `newuidmap`" | "map ids with `newgidmap`" => &MAP_IDS,
        // Security modules say that it is denied, filters that it is not permitted.
        PRIVATE_MOUNTS => &APPARMOR,
        stage if stage.contains("mount") && denied => &APPARMOR,
        stage if stage.contains("mount") => &SECCOMP,
        _ => &[],
    }
}

/// What would give commands the users that a map does not have.
pub(super) fn on_users(mapping: Mapping) -> &'static [Help] {
    match mapping {
        Mapping::Machine | Mapping::All | Mapping::Subordinate => &[],
        Mapping::Swapped => &MAP_ROOT,
        Mapping::Single => &MAP_IDS,
    }
}
