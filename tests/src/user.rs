//! An ordinary user of the machine, who has subordinate ids.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::kaniko::{self, Call, Place};
use crate::tool;

/// An id that this machine gives to nobody.
const ID: &str = "4711";

/// Adds the user to an `/etc` that nobody else sees, and becomes it.
const BECOME: &str = r#"
ip link set lo up
mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/scratch" etc /etc
mount --bind "$2" "$3"
user=$4
echo "builder:x:$user:$user::/:/bin/sh" >> /etc/passwd
echo "builder:x:$user:" >> /etc/group
echo "builder:300000:65536" | tee /etc/subuid > /etc/subgid
shift 4
exec setpriv "--reuid=$user" "--regid=$user" --clear-groups --inh-caps=-all "$@"
"#;

/// The user, who is there only for kaniko.
#[derive(Debug)]
pub struct User {
    directory: TempDir,
    shown: (PathBuf, PathBuf),
}

impl User {
    /// One who sees what is at a path of the machine at another one.
    ///
    /// # Panics
    ///
    /// If no directory can be made.
    pub fn with(from: &Path, to: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        for name in ["upper", "scratch"] {
            fs::create_dir(directory.path().join(name)).expect("the directory is ours");
        }
        Self { directory, shown: (from.to_owned(), to.to_owned()) }
    }
}

impl Place for User {
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command {
        let binary = directory.join("kaniko");
        // The checkout may be where only root gets to.
        fs::copy(kaniko::binary(), &binary).expect("the binary can be read");
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory, open).expect("the directory is ours");
        tool::run("chown", ["-R", &format!("{ID}:{ID}"), &directory.display().to_string()]);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--net", "--propagation", "private", "sh", "-euc", BECOME, "become"])
            .args([self.directory.path(), &self.shown.0, &self.shown.1])
            .arg(ID)
            .arg(binary)
            .arg("build")
            .args(call.arguments)
            .env_clear()
            .envs(call.environment.iter().cloned())
            .current_dir(directory);
        command
    }
}
