//! Registries to test against: Debian's, and one that says what it is told to.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use ir::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A distribution registry on a port of its own. It ends with the value.
pub(super) struct Registry {
    process: Child,
    pub host: String,
    dir: tempfile::TempDir,
}

impl Registry {
    pub(super) fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// One that `user` may use with `right horse`.
    pub(super) fn with_password() -> Self {
        Self::start_with(|dir| {
            let file = dir.join("htpasswd");
            let line = "user:$2y$05$abcdefghijklmnopqrstuuB05BVy0V7KomGh8K56xgiHLq3Wkqh46\n";
            std::fs::write(&file, line).unwrap();
            format!("auth: {{htpasswd: {{realm: test, path: {file:?}}}}}\n")
        })
    }

    /// `more` gets the server's directory and gives further lines of its config.
    #[expect(clippy::disallowed_methods, reason = "tests run real registries")]
    pub(super) fn start_with(more: impl FnOnce(&Path) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let more = more(dir.path());
        let (http, more) = match more.strip_prefix("tls:") {
            Some(_) => (format!(", {}", more.trim_end()), String::new()),
            None => (String::new(), more),
        };
        let config = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {:?}}}}}\n\
             http: {{addr: '127.0.0.1:0'{http}}}\n{more}",
            dir.path().join("storage"),
        );
        let path = dir.path().join("config.yml");
        std::fs::write(&path, config).unwrap();
        let mut process = std::process::Command::new("docker-registry")
            .arg("serve")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("these tests need `docker-registry` (Debian's package of that name)");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let behind = line.split_once("listening on ")?.1;
                Some(behind.split([',', '"']).next()?.to_owned())
            })
            .expect("docker-registry says where it listens");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process, host, dir }
    }

    /// Where it keeps a blob.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let blobs = self.dir.path().join("storage/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(&hex).join("data")
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What a [`Fake`] does with a request.
pub(super) struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How many bytes of the body are sent before the connection breaks.
    cut: usize,
}

impl Reply {
    pub(super) fn new(status: &'static str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        Self { status, headers: Vec::new(), cut: body.len(), body }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn cut(mut self, length: usize) -> Self {
        self.cut = length;
        self
    }
}

/// A server that answers what a function says, and remembers the requests (their heads, and
/// their bodies if they are short).
pub(super) struct Fake {
    pub host: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) async fn start(reply: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, own_host) = (Arc::clone(&requests), host.clone());
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, host, reply) = (Arc::clone(&log), own_host.clone(), Arc::clone(&reply));
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !complete(&request) {
                        let mut buffer = [0; 4096];
                        match stream.read(&mut buffer).await {
                            Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                            Ok(0) | Err(_) => return,
                        }
                        // A TLS handshake: there is none here.
                        if request[0] == 0x16 {
                            return;
                        }
                    }
                    let request = String::from_utf8(request).unwrap();
                    let reply = reply(&request, &host);
                    log.lock().unwrap().push(request);
                    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", reply.status);
                    for (name, value) in &reply.headers {
                        write!(head, "{name}: {value}\r\n").unwrap();
                    }
                    write!(head, "Content-Length: {}\r\n\r\n", reply.body.len()).unwrap();
                    stream.write_all(head.as_bytes()).await.unwrap();
                    stream.write_all(&reply.body[..reply.cut]).await.unwrap();
                });
            }
        });
        Self { host, requests }
    }

    /// The requests so far whose first line begins so.
    pub(super) fn requests(&self, beginning: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.starts_with(beginning)).cloned().collect()
    }
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.is_none_or(|length| body.len() >= length.trim().parse().unwrap())
}
