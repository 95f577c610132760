//! Roots with busybox in them, and what a step in one has to say.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ir::instruction::{Network, Security};
use ir::op::InlineFile;
use kaniko_runtime::event::Stream;
use kaniko_runtime::sandbox::{Exit, Isolation, Limits, Sandbox, SandboxError, Step, StepMount};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use tokio_util::sync::CancellationToken;

/// What the cases share.
pub(crate) struct Bench {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) sandbox: Sandbox,
    pub(crate) isolation: Isolation,
    work: PathBuf,
    made: AtomicUsize,
}

/// A root of its own for one case.
pub(crate) struct Root {
    pub(crate) path: PathBuf,
    pub(crate) scratch: PathBuf,
}

/// What a step is made of; what a case does not say is plain.
pub(crate) struct Plan {
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) user: String,
    pub(crate) mounts: Vec<StepMount>,
    pub(crate) scripts: Vec<InlineFile>,
    pub(crate) network: Network,
    pub(crate) security: Security,
    pub(crate) hostname: Option<&'static str>,
    pub(crate) hosts: Vec<(String, IpAddr)>,
    pub(crate) limits: Limits,
    pub(crate) cancel: CancellationToken,
    /// The root, if it is attached nowhere.
    pub(crate) root: Option<OwnedFd>,
}

/// How a step went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

impl Plan {
    /// A shell command.
    pub(crate) fn sh(script: &str) -> Self {
        Self::argv(&["/bin/sh", "-c", script])
    }

    pub(crate) fn argv(argv: &[&str]) -> Self {
        Self {
            argv: argv.iter().map(ToString::to_string).collect(),
            env: vec![("PATH".to_owned(), "/bin".to_owned())],
            cwd: "/".to_owned(),
            user: String::new(),
            mounts: Vec::new(),
            scripts: Vec::new(),
            network: Network::Default,
            security: Security::Sandbox,
            hostname: None,
            hosts: Vec::new(),
            limits: Limits::default(),
            cancel: CancellationToken::new(),
            root: None,
        }
    }

    pub(crate) fn user(self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self }
    }

    pub(crate) fn mount(mut self, mount: StepMount) -> Self {
        self.mounts.push(mount);
        self
    }
}

impl Bench {
    pub(crate) fn new(
        runtime: tokio::runtime::Runtime,
        sandbox: Sandbox,
        isolation: Isolation,
        work: &Path,
    ) -> Self {
        Self { runtime, sandbox, isolation, work: work.to_owned(), made: AtomicUsize::new(0) }
    }

    /// A new directory.
    pub(crate) fn directory(&self) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.work.join(number.to_string());
        fs::create_dir(&path).unwrap();
        path
    }

    pub(crate) fn root(&self) -> Root {
        let path = self.directory();
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::create_dir_all(path.join("tmp")).unwrap();
        fs::create_dir_all(path.join("etc")).unwrap();
        fs::copy(crate::BUSYBOX, path.join("bin/busybox")).unwrap();
        for applet in [
            "sh", "cat", "id", "ls", "sleep", "env", "pwd", "echo", "touch", "mkdir", "rm", "ps",
            "hostname", "stat", "grep", "mount", "ip", "kill", "dd", "script", "umask", "test",
            "nc", "ln", "readlink", "head", "wc", "chmod", "setsid", "chroot", "tty", "seq",
            "mknod", "tr", "cut", "tee", "find", "tail", "df", "cp", "cmp", "mkfifo", "sort",
            "uniq", "pidof", "stty", "mv",
        ] {
            symlink("busybox", path.join("bin").join(applet)).unwrap();
        }
        let passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:101:102::/home/web:/bin/sh\n";
        fs::write(path.join("etc/passwd"), passwd).unwrap();
        fs::write(path.join("etc/group"), "root:x:0:\nweb:x:102:\nlog:x:30:web\n").unwrap();
        Root { path, scratch: self.directory() }
    }

    /// Runs a step in a root of its own.
    pub(crate) fn run(&self, plan: Plan) -> Outcome {
        self.run_in(&self.root(), plan).unwrap()
    }

    pub(crate) fn run_in(&self, root: &Root, plan: Plan) -> Result<Outcome, SandboxError> {
        self.runtime.block_on(self.step(root, plan, |_, _| {}))
    }

    pub(crate) async fn step(
        &self,
        root: &Root,
        plan: Plan,
        heard: impl Fn(Stream, &str) + Send + Sync,
    ) -> Result<Outcome, SandboxError> {
        let directory = match &plan.root {
            Some(mount) => mount.try_clone().unwrap(),
            None => open(&root.path),
        };
        let scratch = root.scratch.join("step");
        fs::create_dir(&scratch).unwrap();
        let step = Step {
            root: directory.as_fd(),
            mount: plan.root,
            argv: &plan.argv,
            env: &plan.env,
            cwd: &plan.cwd,
            user: &plan.user,
            mounts: plan.mounts,
            scripts: &plan.scripts,
            network: plan.network,
            security: plan.security,
            hostname: plan.hostname,
            hosts: &plan.hosts,
            limits: &plan.limits,
            scratch: &scratch,
        };
        let lines = Mutex::new((Vec::new(), Vec::new()));
        let output = |stream, line: String| {
            heard(stream, &line);
            let mut lines = lines.lock().unwrap();
            match stream {
                Stream::Stdout => lines.0.push(line),
                Stream::Stderr => lines.1.push(line),
            }
            std::future::ready(())
        };
        let exit = self.sandbox.run(step, output, plan.cancel).await;
        // A mount that was left would keep it.
        fs::remove_dir_all(&scratch).unwrap();
        let (out, err) = lines.into_inner().unwrap();
        Ok(Outcome { exit: exit?, out, err })
    }
}

pub(crate) fn open(path: &Path) -> OwnedFd {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).unwrap()
}

impl Root {
    /// Puts this program and the libraries it is linked with into the root: it can connect to
    /// sockets, which busybox cannot.
    pub(crate) fn install_client(&self) {
        fs::copy("/proc/self/exe", self.path.join("bin/client")).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        for line in maps.lines().filter(|line| line.contains(".so")) {
            let library = Path::new(&line[line.find('/').unwrap()..]);
            let mut copies = vec![self.path.join(library.strip_prefix("/").unwrap())];
            let name = library.file_name().unwrap();
            if name.to_string_lossy().starts_with("ld-") {
                // The loader is asked for by another path than it is found at.
                copies.extend(["lib", "lib64"].map(|lib| self.path.join(lib).join(name)));
            }
            for copy in copies {
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(library, copy).unwrap();
            }
        }
    }

    /// Every entry with what a layer would record of it.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.path, &mut found);
        found.sort();
        found
    }
}

fn list(path: &Path, found: &mut Vec<String>) {
    let meta = fs::symlink_metadata(path).unwrap();
    found.push(format!(
        "{} {:o} {}:{} {} {}.{}",
        path.display(),
        meta.mode(),
        meta.uid(),
        meta.gid(),
        if meta.is_dir() { 0 } else { meta.size() },
        meta.mtime(),
        meta.mtime_nsec()
    ));
    if meta.is_dir() {
        #[expect(clippy::disallowed_methods, reason = "the listing is sorted")]
        for entry in fs::read_dir(path).unwrap() {
            list(&entry.unwrap().path(), found);
        }
    }
}
