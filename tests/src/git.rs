//! A git repository on a server of its own.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::tool;

/// A repository that is served for as long as the test lives.
pub struct Repository {
    directory: TempDir,
    /// Where it is to be fetched from.
    pub url: String,
}

impl Repository {
    /// One whose branch `main` has these files.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let work = directory.path().join("r.git");
        for (name, content) in files {
            let path = work.join(name);
            fs::create_dir_all(path.parent().expect("it is below another")).expect("it is ours");
            fs::write(path, content).expect("the directory is ours");
        }
        let work = work.display().to_string();
        tool::script(
            "export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1; cd \"$1\"; git init -q -b main; git add -A; \
             git -c user.name=n -c user.email=e commit -q -m x",
            &[&work],
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it listens");
        let base = format!("--base-path={}", directory.path().display());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = OwnedFd::from(stream.expect("a client connects"));
                let output = stream.try_clone().expect("there are descriptors");
                let mut command = Command::new("git");
                command.args(["daemon", "--inetd", "--export-all", &base]);
                command.env("HOME", "/nonexistent").env("GIT_CONFIG_COUNT", "1");
                command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
                command.stdin(stream).stdout(output).stderr(Stdio::null());
                let mut child = command.spawn().expect("these tests need git");
                std::thread::spawn(move || child.wait());
            }
        });
        Self { directory, url: format!("git://{address}/r.git") }
    }

    /// The commit that `main` is at.
    pub fn commit(&self) -> String {
        let work = self.directory.path().join("r.git").display().to_string();
        tool::run("git", ["-C", &work, "rev-parse", "HEAD"]).trim().to_owned()
    }
}
