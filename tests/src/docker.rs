//! Docker's daemon, and an image of kaniko that kaniko itself builds for it.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::kaniko::{self, Build, Call, Place};
use crate::tool;

const IMAGE: &str = "executor:1";

/// A daemon of its own, which changes nothing of the machine's network, with an image of kaniko that
/// has nothing in it but the binary. Ends with the test.
#[derive(Debug)]
pub struct Docker {
    process: Child,
    directory: TempDir,
    volumes: Vec<String>,
}

impl Docker {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it does not start, or kaniko cannot build its own image.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        fs::write(path("daemon.json"), "{}").expect("the directory is ours");
        let log = File::create(path("log")).expect("the directory is ours");
        let process = Command::new("dockerd")
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .args(["--config-file", &path("daemon.json"), "--data-root", &path("data")])
            .args(["--exec-root", &path("exec"), "--pidfile", &path("pid")])
            .args(["--host", &format!("unix://{}", path("socket"))])
            .env_clear()
            .env("PATH", tool::PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("these tests need `dockerd`; try tests/run: {error}"));
        let mut docker = Self { process, directory, volumes: Vec::new() };
        docker.wait();
        let archive = docker.build_image();
        tool::run("docker", ["--host", &docker.address(), "load", "--input", &archive]);
        docker
    }

    /// Shows containers what is at a path of the machine at another one.
    #[must_use]
    pub fn bind(mut self, from: &Path, to: &Path) -> Self {
        self.volumes.push(format!("--volume={}:{}:ro", from.display(), to.display()));
        self
    }

    /// The image, built by the kaniko that it is about.
    fn build_image(&self) -> String {
        let archive = self.path("executor.tar");
        let dockerfile = "FROM scratch\nCOPY --chmod=755 kaniko /kaniko/executor\n\
                          ENTRYPOINT [\"/kaniko/executor\"]\n";
        let binary = fs::read(kaniko::binary()).expect("the binary can be read");
        Build::of(dockerfile)
            .file("kaniko", binary)
            .option("--compression-level", "1")
            .option("--destination", IMAGE)
            .option("--tar-path", &archive)
            .no_push()
            .succeed();
        archive
    }

    fn wait(&mut self) {
        let socket = self.path("socket");
        for _ in 0..600 {
            if Path::new(&socket).exists() {
                return;
            }
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                let log = fs::read_to_string(self.path("log")).unwrap_or_default();
                panic!("dockerd ended: {status}: {log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("dockerd does not listen within half a minute");
    }

    fn address(&self) -> String {
        format!("unix://{}", self.path("socket"))
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

impl Place for Docker {
    fn command(&self, directory: &Path, call: &Call<'_>) -> Command {
        let mut command = Command::new("docker");
        command
            .args(["--host", &self.address(), "run", "--rm", "--network", "none"])
            .arg(format!("--volume={0}:{0}", directory.display()))
            .args(&self.volumes)
            .env_clear()
            .env("HOME", self.directory.path());
        for (name, value) in call.environment {
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.arg(IMAGE).args(call.arguments);
        command
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        // Not killed: it has to unmount what it mounted, and end what it started.
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            rustix::process::kill_process(id, Signal::TERM).ok();
        }
        self.process.wait().ok();
    }
}
