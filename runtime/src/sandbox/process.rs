//! The builder's side of a step's helper: starts it, listens, ends it.

use std::io;
use std::os::unix::net::UnixStream;
use std::process::{ExitStatus, Stdio};

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::spec::{self, Report, Spec};
use super::{Exit, Helper, SandboxError, blocking, orphans, output};
use crate::event::Stream;

/// Runs a step whose root is ready. `descriptors` are what the specification names, without the
/// socket for reports.
pub(super) async fn run<Told: Future<Output = ()> + Send>(
    helper: &Helper,
    spec: Spec,
    descriptors: Vec<OwnedFd>,
    output: impl Fn(Stream, String) -> Told + Send + Sync,
    cancel: CancellationToken,
) -> Result<Exit, SandboxError> {
    let started = start(helper, descriptors.len() + 1).map_err(SandboxError::Start)?;
    let Started { mut child, control, report, their_report, stdout, stderr } = started;
    let ended = CancellationToken::new();
    let supervise = async {
        // The stream is kept open until the command has ended: its end of file is the helper's
        // order to end everything.
        let sent = blocking(move || {
            let mut all: Vec<BorrowedFd<'_>> = vec![their_report.as_fd()];
            all.extend(descriptors.iter().map(OwnedFd::as_fd));
            // A helper that is dead already is found out below.
            spec::send(&control, &spec, &all).ok();
            Ok(control)
        })
        .await;
        let report = tokio::select! {
            biased;
            report = read_report(report) => report.ok(),
            () = cancel.cancelled() => None,
        };
        drop(sent);
        let waited = child.wait().await;
        // Else it has ended everything itself.
        let undone = !waited.as_ref().is_ok_and(ExitStatus::success);
        let left = if undone { blocking(|| orphans::end().map_err(left)).await } else { Ok(()) };
        ended.cancel();
        let waited = waited.map_err(SandboxError::Start);
        left.and(waited.map(|_| report))
    };
    let (report, out, err) = tokio::join!(
        supervise,
        output::lines(stdout, ended.clone(), |line| output(Stream::Stdout, line)),
        output::lines(stderr, ended.clone(), |line| output(Stream::Stderr, line)),
    );
    let report = report?;
    out.and(err).map_err(SandboxError::Start)?;
    match report {
        Some(Report::Exited(code)) => Ok(Exit::Code(code)),
        Some(Report::Killed(signal)) => Ok(Exit::Signal(signal)),
        Some(Report::Failed(failure)) => {
            let source = failure.error();
            Err(SandboxError::Setup { stage: failure.stage, source })
        }
        None if cancel.is_cancelled() => Err(SandboxError::Cancelled),
        None => Err(SandboxError::Lost),
    }
}

fn left(source: io::Error) -> SandboxError {
    SandboxError::Setup { stage: "end what the command left".to_owned(), source }
}

struct Started {
    child: Child,
    control: UnixStream,
    report: tokio::net::UnixStream,
    their_report: UnixStream,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
}

fn start(helper: &Helper, descriptors: usize) -> io::Result<Started> {
    let (control, their_control) = UnixStream::pair()?;
    let (report, their_report) = UnixStream::pair()?;
    let (stdout, their_stdout) = io::pipe()?;
    let (stderr, their_stderr) = io::pipe()?;
    report.set_nonblocking(true)?;
    // Its environment is empty: what is in the builder's is none of a step's business, and the
    // step's own comes with the specification.
    let child = Command::new(&helper.program)
        .args(&helper.arguments)
        .arg(descriptors.to_string())
        .env_clear()
        .current_dir("/")
        // An interrupt from the terminal is for the builder, which then ends the step in order.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(their_control)))
        .stdout(Stdio::from(their_stdout))
        .stderr(Stdio::from(their_stderr))
        .spawn()?;
    Ok(Started {
        child,
        control,
        report: tokio::net::UnixStream::from_std(report)?,
        their_report,
        stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
        stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
    })
}

/// Reads the first report; what comes after it is a consequence.
async fn read_report(mut from: tokio::net::UnixStream) -> io::Result<Report> {
    let length = from.read_u64_le().await?;
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}
