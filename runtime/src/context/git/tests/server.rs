//! Real servers of real repositories, on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// How an HTTP server behaves.
#[derive(Clone, Default)]
pub(super) struct Http {
    /// What `Authorization` has to be.
    pub(super) authorization: Option<String>,
    /// Whether the client's wish for the second version of the protocol is not heard.
    pub(super) old: bool,
    /// How many requests are answered with 503 first.
    pub(super) failures: usize,
    /// Where every request is sent on to.
    pub(super) redirect: Option<String>,
}

/// A server, and what it was asked.
pub(super) struct Server {
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
    /// A line for each request: method, path, and whether it came with credentials.
    pub(super) requests: Arc<Mutex<Vec<String>>>,
}

fn serve(mut answer: impl FnMut(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    address
}

/// A program that gets each connection as its standard input and output.
fn serve_by(program: impl Fn() -> Command + Send + 'static) -> String {
    serve(move |stream| {
        let output = OwnedFd::from(stream.try_clone().unwrap());
        // What it is started with has the connection, and goes here.
        let mut program = program();
        let program = program.stdin(OwnedFd::from(stream)).stdout(output).stderr(Stdio::null());
        let mut child = program.spawn().unwrap();
        std::thread::spawn(move || child.wait());
    })
}

/// `git daemon` for the repositories below a directory.
pub(super) fn daemon(root: &Path) -> String {
    let root = root.to_owned();
    serve_by(move || {
        let mut command = super::git_command(&root);
        command.args(["daemon", "--inetd", "--export-all", "--informative-errors"]);
        command.arg(format!("--base-path={}", root.display()));
        command
    })
}

/// `sshd`, which lets in who has the key `user` of a directory, and proves itself with its key `host`.
pub(super) fn sshd(keys: &Path) -> String {
    let config = keys.join("sshd_config");
    let lines = format!(
        "HostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\n",
        keys.display()
    );
    std::fs::write(&config, lines).unwrap();
    serve_by(move || {
        let mut command = Command::new("/usr/sbin/sshd");
        command.arg("-i").arg("-f").arg(&config);
        command
    })
}

/// `git http-backend` for the repositories below a directory.
pub(super) fn http(root: &Path, behaviour: Http) -> Server {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (root, seen) = (root.to_owned(), Arc::clone(&requests));
    let address = serve(move |stream| {
        let (root, seen, behaviour) = (root.clone(), Arc::clone(&seen), behaviour.clone());
        std::thread::spawn(move || answer(stream, &root, &seen, &behaviour));
    });
    Server { address, requests }
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut request = Self { method, path, query, headers, body: Vec::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn answer(mut stream: TcpStream, root: &Path, seen: &Mutex<Vec<String>>, behaviour: &Http) {
    let Some(request) = Request::read(&stream) else { return };
    let sent = request.header("authorization");
    let count = {
        let mut seen = seen.lock().unwrap();
        let who = if sent.is_some() { " authorized" } else { "" };
        seen.push(format!("{} {}{who}", request.method, request.path));
        seen.len()
    };
    let mut refuse = |status: &str, more: &str| {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n{more}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    };
    if count <= behaviour.failures {
        return refuse("503 Busy", "");
    }
    if let Some(to) = &behaviour.redirect {
        let more = format!("Location: {to}{}?{}\r\n", request.path, request.query);
        return refuse("301 Moved", &more);
    }
    match (&behaviour.authorization, sent) {
        (Some(wanted), Some(sent)) if wanted == sent => {}
        (Some(_), Some(_)) => return refuse("403 Forbidden", ""),
        (Some(_), None) => return refuse("401 Who", "WWW-Authenticate: Basic realm=x\r\n"),
        (None, _) => {}
    }
    let output = backend(&request, root, behaviour);
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(output[..end].to_vec()).unwrap();
    let (body, mut status) = (&output[end + 4..], "200 OK");
    let mut lines = String::new();
    for line in head.lines() {
        match line.split_once(": ") {
            Some(("Status", known)) => status = known,
            _ => lines.extend([line, "\r\n"]),
        }
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // The client may have gone.
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok();
}

fn backend(request: &Request, root: &Path, behaviour: &Http) -> Vec<u8> {
    let mut command = super::git_command(root);
    command.arg("http-backend").env("GIT_HTTP_EXPORT_ALL", "1").env("GIT_PROJECT_ROOT", root);
    command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", &request.path);
    command
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string());
    command.env("CONTENT_TYPE", request.header("content-type").unwrap_or_default());
    if let (Some(version), false) = (request.header("git-protocol"), behaviour.old) {
        command.env("HTTP_GIT_PROTOCOL", version);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = request.body.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    output.stdout
}

/// An ssh agent that knows the key `user` of a directory, until it is dropped.
pub(super) struct Agent {
    child: std::process::Child,
    pub(super) socket: PathBuf,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Agent {
    pub(super) fn start(keys: &Path) -> Self {
        let socket = keys.join("agent");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It says where it listens once it does.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        super::run(Command::new("ssh-add").arg(keys.join("user")).env("SSH_AUTH_SOCK", &socket));
        Self { child, socket }
    }
}
