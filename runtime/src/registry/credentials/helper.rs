//! Programs that know credentials (`docker-credential-*`), and what they say.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::{Login, Secret};

/// What helpers call Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// How long a credential helper may take; some ask a cloud.
const HELPER_TIMEOUT: Duration = Duration::from_mins(1);
/// The most that a credential helper may say, in bytes.
const HELPER_LIMIT: u64 = 1 << 20;

/// Why a credential helper gave no credentials.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It cannot be run.
    #[error("cannot run `{program}`")]
    Run {
        /// Which program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("cannot get credentials from `{program}`: it did not end in {} seconds", HELPER_TIMEOUT.as_secs())]
    Timeout {
        /// Which program.
        program: String,
    },
    /// It failed.
    #[error("cannot get credentials from `{program}`: {message}")]
    Failed {
        /// Which program.
        program: String,
        /// Its words, or its exit status.
        message: String,
    },
    /// It said something else than credentials.
    #[error("cannot read the credentials that `{program}` gave")]
    Answer {
        /// Which program.
        program: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: Secret,
}

/// Asks a helper (docker-credential-helpers, "Development"). None if it knows nothing of the
/// registry.
pub(super) async fn ask(program: &str, registry: &str) -> Result<Option<Login>, HelperError> {
    let key = if registry == "docker.io" { HUB_KEY } else { registry };
    let run = run(program, key);
    let program = || program.to_owned();
    let (success, answer) = match tokio::time::timeout(HELPER_TIMEOUT, run).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(source)) => return Err(HelperError::Run { program: program(), source }),
        Err(_) => return Err(HelperError::Timeout { program: program() }),
    };
    if !success {
        let message = String::from_utf8_lossy(&answer).trim().to_owned();
        if message.contains("credentials not found") {
            return Ok(None);
        }
        return Err(HelperError::Failed { program: program(), message });
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&answer).map_err(|_| HelperError::Answer { program: program() })?;
    Ok(Login::of_pair(&answer.username, answer.secret))
}

/// Whether the program succeeded, and what it wrote.
async fn run(program: &str, key: &str) -> std::io::Result<(bool, Vec<u8>)> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    // A helper need not read the key to say that it cannot help.
    stdin.write_all(key.as_bytes()).await.ok();
    drop(stdin);
    let mut answer = Vec::new();
    let stdout = child.stdout.take().expect("it is piped");
    stdout.take(HELPER_LIMIT).read_to_end(&mut answer).await?;
    Ok((child.wait().await?.success(), answer))
}
