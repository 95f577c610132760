//! Opens a connection to a repository, by the way that its URL says.

use std::io::{self, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use gix_transport::Protocol;
use gix_transport::bstr::{BString, ByteSlice as _};
use gix_transport::client::blocking_io::Transport;
use gix_transport::client::blocking_io::http::Transport as HttpTransport;
use gix_transport::client::git::ConnectMode;
use gix_transport::client::git::blocking_io::Connection;
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::process::Command;

use super::access::Access;
use super::error::GitError;
use super::http;
use super::line::{Line, Reader, Writer};
use super::remote::{Means, Remote};

/// The port of `git daemon`.
const DAEMON_PORT: u16 = 9418;
/// Where ssh looks for programs of its own.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Connects. `first` is the repository that the build names, of which `remote` may be a submodule.
pub(super) fn connect(
    remote: &Remote,
    first: &Remote,
    access: &Access<'_>,
    line: &Arc<Line>,
) -> Result<Box<dyn Transport>, GitError> {
    match remote.means {
        Means::Http => over_http(remote, first, access, line),
        Means::Daemon => daemon(remote, line),
        Means::Ssh => ssh(remote, access, line),
    }
}

fn over_http(
    remote: &Remote,
    first: &Remote,
    access: &Access<'_>,
    line: &Arc<Line>,
) -> Result<Box<dyn Transport>, GitError> {
    let Ok(ours) = Url::parse(&remote.text()) else {
        return Err(GitError::Url { url: remote.shown(), reason: "it cannot be read" });
    };
    let connection = http::Connection {
        line: Arc::clone(line),
        client: access.http.clone(),
        authorization: access.authorization(remote, first)?,
        host: remote.authority(),
        ours,
        moved: None,
    };
    let transport = HttpTransport::new_http(connection, remote.url().clone(), Protocol::V2, false);
    Ok(Box::new(transport))
}

fn daemon(remote: &Remote, line: &Arc<Line>) -> Result<Box<dyn Transport>, GitError> {
    let (host, port) = (remote.host().to_owned(), remote.url().port);
    let stream = line.wait(TcpStream::connect((host.as_str(), port.unwrap_or(DAEMON_PORT))));
    let stream = stream.map_err(|error| line.reason(&gix_error::Error::from_error(error)))?;
    let (read, write) = stream.into_split();
    let reader = BufReader::new(Reader { line: Arc::clone(line), from: read });
    let writer = Writer { line: Arc::clone(line), to: write, _keep: () };
    let path: BString = remote.path().to_owned();
    let host = Some((host, port));
    let mode = ConnectMode::Daemon;
    Ok(Box::new(Connection::new(reader, writer, Protocol::V2, path, host, mode, false)))
}

/// Runs the machine's `ssh`, which asks the agent alone, and nobody who sits at a terminal.
///
/// As BuildKit does, a server that nobody knows yet is trusted. One that is known must have the key
/// that it is known by.
fn ssh(
    remote: &Remote,
    access: &Access<'_>,
    line: &Arc<Line>,
) -> Result<Box<dyn Transport>, GitError> {
    let Some(agent) = access.agent else {
        return Err(GitError::NoAgent { url: remote.shown() });
    };
    let mut command = Command::new("ssh");
    command.env_clear().env("PATH", PATH).env("SSH_AUTH_SOCK", agent);
    command.env("GIT_PROTOCOL", "version=2");
    let mut known = String::from("UserKnownHostsFile=/dev/null");
    if let Some(file) = access.known_hosts {
        // The first is written to.
        known = format!("{known} \"{}\"", file.display());
    }
    command.args(["-F", "/dev/null", "-T", "-o", "BatchMode=yes", "-o", "ForwardX11=no"]);
    command.args(["-o", "SendEnv=GIT_PROTOCOL", "-o", "StrictHostKeyChecking=accept-new"]);
    command.args(["-o", &known, "-o", "LogLevel=ERROR", "-o", "IdentityFile=none"]);
    if let Some(port) = remote.url().port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["-l", remote.url().user().unwrap_or("git"), "--", remote.host()]);
    command.arg(format!("git-upload-pack {}", quoted(&remote.path().to_str_lossy())));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = {
        let _inside = line.handle().enter();
        command.kill_on_drop(true).spawn()
    };
    let mut child = started.map_err(|source| GitError::NoSsh { url: remote.shown(), source })?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        let source = io::ErrorKind::BrokenPipe.into();
        return Err(GitError::NoSsh { url: remote.shown(), source });
    };
    line.listen(stderr);
    let reader = BufReader::new(Reader { line: Arc::clone(line), from: stdout });
    let writer = Writer { line: Arc::clone(line), to: stdin, _keep: child };
    let path: BString = remote.path().to_owned();
    let (host, mode) = (None::<(String, Option<u16>)>, ConnectMode::Process);
    Ok(Box::new(Connection::new(reader, writer, Protocol::V2, path, host, mode, false)))
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted("/a b/'; touch x;'"), r"'/a b/'\''; touch x;'\'''");
    }
}
