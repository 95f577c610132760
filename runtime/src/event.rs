//! What happens during a build, for whoever shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ir::{Digest, NodeId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes that move between two [`Event::Progress`] of one transfer.
const METER_STEP: u64 = 1 << 20;

/// Bytes of commands' output that wait to be shown.
const ROOM: usize = 4 << 20;

/// What a line takes up beside its bytes.
const LINE_COST: usize = 128;

/// One thing that happened. The cli renders these as a live view, plain lines or JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The build is about to run; how was decided once and holds for all of it.
    Chosen {
        /// `overlay` or `tree`.
        snapshotter: &'static str,
        /// `namespaces` or `chroot`; none when no node runs a command.
        isolation: Option<&'static str>,
        /// Why stronger ways fell out, one line each.
        passed_over: Vec<String>,
    },
    /// A node began.
    Started {
        /// Which.
        node: NodeId,
    },
    /// A command wrote a line, without its line end; bytes that are no UTF-8 were replaced.
    Output {
        /// Which node's command.
        node: NodeId,
        /// Where it wrote.
        stream: Stream,
        /// The line.
        line: String,
    },
    /// Bytes moved.
    Progress {
        /// For which task.
        task: Task,
        /// What is moved, for people (`layer sha256:1234…`).
        what: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// A node's changes became a layer.
    Layer {
        /// Whose changes.
        node: NodeId,
        /// Digest of the blob.
        digest: Digest,
        /// Size of the blob in bytes.
        size: u64,
    },
    /// A node ended.
    Finished {
        /// Which.
        node: NodeId,
        /// How.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// The image went somewhere.
    Exported {
        /// Destination reference or path.
        to: String,
        /// Digest of the manifest.
        digest: Digest,
    },
    /// Something that is no error, but that someone should know.
    Notice {
        /// One line, lower case, no period.
        message: String,
    },
}

/// Where a command wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What bytes are moved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// A node: a base is pulled, a layer is packed.
    Node(NodeId),
    /// The image is pushed or written.
    Export,
}

/// How a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// It failed; the message is one line.
    Failed {
        /// Why.
        message: String,
    },
    /// Something else failed, or the build was stopped.
    Cancelled,
}

/// Where events go. Cheap to clone; sending never blocks and never fails.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::UnboundedSender<Sent>,
    room: Arc<Semaphore>,
}

/// Where events come out, in the order in which they were sent.
#[derive(Debug)]
pub struct Heard(mpsc::UnboundedReceiver<Sent>);

#[derive(Debug)]
struct Sent {
    event: Event,
    /// Given back when the event is taken out.
    _room: Option<OwnedSemaphorePermit>,
}

impl Heard {
    /// The next event; none when nobody is left to send one.
    pub async fn recv(&mut self) -> Option<Event> {
        Some(self.0.recv().await?.event)
    }
}

impl Events {
    /// A channel: what is sent to the first comes out of the second.
    pub fn channel() -> (Self, Heard) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, room: Arc::new(Semaphore::new(ROOM)) }, Heard(receiver))
    }

    /// Sends a line of a command's output once there is room for it: a command that writes faster
    /// than its output is shown has to wait, as it would for a pipe.
    pub(crate) async fn output(&self, node: NodeId, stream: Stream, line: String) {
        let cost = (line.len() + LINE_COST).min(ROOM);
        let cost = u32::try_from(cost).expect("the room is less than 4 GiB");
        let room = Arc::clone(&self.room).acquire_many_owned(cost).await;
        let room = Some(room.expect("nobody closes it"));
        self.sender.send(Sent { event: Event::Output { node, stream, line }, _room: room }).ok();
    }

    /// Tells of bytes that move: what the result is called with, the bytes so far, is passed on now
    /// and then and, where the total is known, at the end.
    pub(crate) fn meter(
        &self,
        task: Task,
        what: String,
        total: Option<u64>,
    ) -> impl Fn(u64) + Send + Sync + 'static {
        let events = self.clone();
        let told = AtomicU64::new(0);
        move |done| {
            let last = told.load(Ordering::Relaxed);
            // It may also fall, where a transfer begins anew.
            if Some(done) == total || done < last || done - last >= METER_STEP {
                told.store(done, Ordering::Relaxed);
                events.send(Event::Progress { task, what: what.clone(), done, total });
            }
        }
    }

    /// Sends an event; nobody listening is fine.
    pub fn send(&self, event: Event) {
        // The receiver is gone when the cli is: then there is nobody left to tell.
        self.sender.send(Sent { event, _room: None }).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_waits_until_it_is_heard() {
        let (events, mut heard) = Events::channel();
        let send = |line: String| events.output(NodeId::from_index(0), Stream::Stdout, line);
        let half = "x".repeat(ROOM / 2 - LINE_COST);
        send(half.clone()).await;
        send(half.clone()).await;
        let third = send(half);
        tokio::pin!(third);
        tokio::select! {
            biased;
            () = &mut third => panic!("there is no room for it"),
            event = heard.recv() => assert!(event.is_some()),
        }
        third.await;
    }
}
