//! Sockets in a step that lead to an agent of the builder's.
//!
//! The agent's own socket could be mounted, but it has the owner and mode that it has; and a
//! chroot has no mounts. So each connection is passed on.

use std::io;
use std::path::PathBuf;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

/// A socket that listens in a step, and the agent behind it.
#[derive(Debug)]
pub(super) struct Relay {
    pub listener: std::os::unix::net::UnixListener,
    pub agent: PathBuf,
}

/// Relays that run; dropping this ends them and their connections.
#[derive(Debug)]
pub(super) struct Running(Vec<AbortHandle>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Starts to accept connections.
pub(super) fn start(relays: Vec<Relay>) -> io::Result<Running> {
    let mut running = Running(Vec::new());
    for Relay { listener, agent } in relays {
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        running.0.push(tokio::spawn(accept(listener, agent)).abort_handle());
    }
    Ok(running)
}

async fn accept(listener: UnixListener, agent: PathBuf) {
    // Aborted with this task, as they belong to it.
    let mut connections = JoinSet::new();
    while let Ok((mut inside, _)) = listener.accept().await {
        let agent = agent.clone();
        connections.spawn(async move {
            // Who asks sees a connection that was closed, as from an agent that went away.
            if let Ok(mut outside) = UnixStream::connect(agent).await {
                tokio::io::copy_bidirectional(&mut inside, &mut outside).await.ok();
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
