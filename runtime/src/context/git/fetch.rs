//! Fetches a commit of a repository, and of its history no more than the server makes us.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gix_hash::{Kind as HashKind, ObjectId};
use gix_pack::Bundle;
use gix_pack::bundle::write::Options as PackOptions;
use gix_protocol::fetch::negotiate::{Action, Round, one_round};
use gix_protocol::fetch::{Arguments, Context, Negotiate, Options, Response, Shallow, Tags};
use gix_protocol::handshake::Ref;
use gix_protocol::ls_refs::RefPrefixes;
use gix_protocol::{Handshake, LsRefsCommand};
use gix_transport::Service;
use gix_transport::bstr::BString;
use gix_transport::client::blocking_io::Transport;
use gix_utils::progress::Discard;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::error::GitError;
use super::line::{Line, Progress};
use super::objects::{Commit, OBJECT_LIMIT, Objects};
use super::reference::{self, Reference, References};
use super::remote::Remote;
use super::transport::connect;

/// How often a repository is asked in all.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// Which commit is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// A branch, a tag, or all digits of a commit; none for the default branch.
    pub(crate) reference: Option<&'a str>,
    /// What the commit, or the annotated tag that names it, has to begin with.
    pub(crate) checksum: Option<&'a str>,
    /// Whether the commit that `checksum` names in full is asked for, whatever the reference is at.
    pub(crate) by_commit: bool,
}

/// What a fetch needs from its surroundings.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Of a runtime; the thread that fetches is none of its workers.
    pub(crate) handle: Handle,
    /// Stops the fetch.
    pub(crate) cancel: CancellationToken,
    /// Told of the bytes that came.
    pub(crate) progress: Progress,
    /// What the build knows already.
    pub(crate) references: Arc<References>,
}

/// A commit that was fetched, with all of its files.
pub(crate) struct Fetched {
    /// What leads to it; none if it was asked for by its digits.
    pub(super) reference: Option<Reference>,
    pub(super) commit: Commit,
    pub(super) objects: Objects,
    /// Names the commits whose parents did not come; none if there is no such commit.
    pub(super) shallow: Option<PathBuf>,
}

/// Fetches a commit into a directory, which must be empty. `first` is the repository that the build
/// names, of which `remote` may be a submodule.
///
/// Blocks. What can pass (no connection, a connection that breaks, 408, 429, 5xx) is tried again.
pub(crate) fn fetch(
    (remote, first): (&Remote, &Remote),
    wanted: &Wanted<'_>,
    access: &Access<'_>,
    surroundings: &Surroundings,
    into: &Path,
) -> Result<Fetched, GitError> {
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        let Surroundings { handle, cancel, progress, references } = surroundings.clone();
        let line = Line::new(handle, cancel, progress, remote.shown());
        let visit = Visit { remote, first, wanted, access, line, references, into };
        match visit.fetch() {
            Err(error) if attempt < ATTEMPTS && error.may_pass() => visit.line.pause(wait)?,
            other => return other,
        }
        wait *= 2;
    }
    unreachable!("the last attempt returns")
}

/// Whether a text is a commit's, or another object's, name in full.
pub(super) fn object_id(text: &str) -> Option<ObjectId> {
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if lower { ObjectId::from_hex(text.as_bytes()).ok() } else { None }
}

/// One attempt.
struct Visit<'a> {
    remote: &'a Remote,
    first: &'a Remote,
    wanted: &'a Wanted<'a>,
    access: &'a Access<'a>,
    line: Arc<Line>,
    references: Arc<References>,
    into: &'a Path,
}

/// How much is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The commit without its history.
    Commit,
    /// Everything that a branch or a tag leads to.
    Everything,
}

/// A connection that was greeted.
struct Session {
    transport: Box<dyn Transport>,
    handshake: Handshake,
}

impl Visit<'_> {
    fn fetch(&self) -> Result<Fetched, GitError> {
        let mut session = self.open()?;
        let reference = match self.pinned() {
            Some(_) => None,
            None => Some(self.known(&mut session)?),
        };
        let id = reference.as_ref().map(|reference| reference.id).or_else(|| self.pinned());
        let Some(id) = id else { unreachable!("what is not pinned is resolved") };
        if let Some(reference) = &reference {
            self.check(&[Some(reference.id), reference.tagged])?;
        } else {
            self.check(&[Some(id)])?;
        }
        // Where the server does not part with a commit that no branch is at, or with one that comes
        // without its history.
        let index = match self.receive(&mut session, vec![id], Extent::Commit) {
            Err(GitError::Protocol { .. }) => {
                drop(session);
                let mut session = self.open()?;
                let refs = self.list(&mut session, reference::all_prefixes())?;
                let mut ids = reference::ids(&refs);
                if let Some(reference) = &reference
                    && !ids.contains(&reference.id)
                {
                    ids.push(reference.id);
                }
                self.receive(&mut session, ids, Extent::Everything)?
            }
            other => other?,
        };
        let no_commit = || GitError::NoCommit { url: self.url(), commit: id.to_string() };
        let objects = Objects::open(&index.ok_or_else(no_commit)?, &self.line.url)?;
        if !objects.has(&id) {
            return Err(no_commit());
        }
        let commit = objects.commit(id)?;
        let shallow = self.into.join("shallow");
        Ok(Fetched { reference, commit, objects, shallow: shallow.is_file().then_some(shallow) })
    }

    fn url(&self) -> String {
        self.line.url.clone()
    }

    /// The commit, if it needs no server to say which it is.
    fn pinned(&self) -> Option<ObjectId> {
        let named = self.wanted.reference.and_then(object_id);
        let sum = self.wanted.checksum.filter(|_| self.wanted.by_commit).and_then(object_id);
        named.or(sum)
    }

    fn check(&self, ids: &[Option<ObjectId>]) -> Result<(), GitError> {
        let Some(expected) = self.wanted.checksum else { return Ok(()) };
        let found = ids.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
        if !expected.is_empty() && found.iter().any(|found| found.starts_with(expected)) {
            return Ok(());
        }
        let (expected, found) = (super::error::shown(expected), found.join(" or "));
        Err(GitError::Checksum { url: self.url(), expected, found })
    }

    fn open(&self) -> Result<Session, GitError> {
        let mut transport = connect(self.remote, self.first, self.access, &self.line)?;
        let nobody = |_| Ok(None);
        let service = Service::UploadPack;
        let handshake =
            gix_protocol::handshake(&mut transport, service, nobody, Vec::new(), &mut Discard);
        let handshake = handshake.map_err(|error| self.line.reason(&error))?;
        let format = handshake.capabilities.capability("object-format");
        let format = format.and_then(|format| format.value().map(ToOwned::to_owned));
        if format.is_some_and(|format| format != "sha1") {
            let message = "its objects are not named by SHA-1".to_owned();
            return Err(GitError::Protocol { url: self.url(), message });
        }
        Ok(Session { transport, handshake })
    }

    /// The references whose name begins with one of `prefixes`, and maybe others.
    fn list(&self, session: &mut Session, prefixes: Vec<BString>) -> Result<Vec<Ref>, GitError> {
        if let Some(refs) = &session.handshake.refs {
            return Ok(refs.clone());
        }
        let mut wanted = RefPrefixes::new();
        wanted.extend(prefixes);
        let command = LsRefsCommand::new(Some(wanted), &session.handshake.capabilities, agent());
        let refs = command.invoke_blocking(&mut session.transport, &mut Discard, false);
        refs.map_err(|error| self.line.reason(&error))
    }

    /// What the branch or tag is at, for this build.
    fn known(&self, session: &mut Session) -> Result<Reference, GitError> {
        let place = self.references.place(&self.remote.text(), self.wanted.reference);
        place.or_resolve(|| self.resolve(session))
    }

    /// What the branch or tag is at by now.
    fn resolve(&self, session: &mut Session) -> Result<Reference, GitError> {
        let name = self.wanted.reference;
        let refs = self.list(session, reference::prefixes(name))?;
        reference::choose(&refs, name).ok_or_else(|| match name {
            Some(name) => {
                GitError::NoReference { url: self.url(), reference: super::error::shown(name) }
            }
            None => GitError::NoDefault { url: self.url() },
        })
    }

    /// Receives a pack with some commits. Returns where its index is; none if nothing was sent.
    fn receive(
        &self,
        session: &mut Session,
        ids: Vec<ObjectId>,
        extent: Extent,
    ) -> Result<Option<PathBuf>, GitError> {
        let mut index = None;
        let shallow = match extent {
            Extent::Commit => Shallow::DepthAtRemote(NonZeroU32::MIN),
            Extent::Everything => Shallow::NoChange,
        };
        let options = Options {
            shallow_file: self.into.join("shallow"),
            shallow: &shallow,
            tags: Tags::None,
            reject_shallow_remote: false,
        };
        let context = Context {
            handshake: &mut session.handshake,
            transport: &mut session.transport,
            user_agent: agent(),
            trace_packetlines: false,
        };
        let done = gix_protocol::fetch(
            &mut Wants(ids),
            |pack, progress, interrupt| {
                let options =
                    PackOptions { alloc_limit_bytes: Some(OBJECT_LIMIT), ..PackOptions::default() };
                let bases = None::<gix_object::find::Never>;
                let (into, kind) = (Some(self.into), HashKind::Sha1);
                let written = Bundle::write_to_directory(
                    pack, into, progress, interrupt, bases, kind, options,
                )?;
                index = written.index_path;
                Ok(true)
            },
            Discard,
            &self.line.stopped,
            context,
            options,
        );
        match done {
            Ok(_) => Ok(index),
            Err(error) => Err(self.broken(&error)),
        }
    }

    fn broken(&self, error: &gix_error::Error) -> GitError {
        let failed = error.downcast_any_ref::<std::io::Error>();
        match failed.and_then(std::io::Error::raw_os_error) {
            // The connection's own errors are known to the line.
            Some(code) => GitError::Write {
                path: self.into.to_owned(),
                source: std::io::Error::from_raw_os_error(code),
            },
            None => self.line.reason(error),
        }
    }
}

fn agent() -> gix_protocol::command::Feature {
    ("agent", Some(gix_protocol::agent("kaniko")))
}

/// Asks for objects as one who has none.
struct Wants(Vec<ObjectId>);

impl Negotiate for Wants {
    fn mark_complete_and_common_ref(&mut self) -> gix_error::Result<Action> {
        Ok(Action::MustNegotiate { remote_ref_target_known: vec![false; self.0.len()] })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        for id in &self.0 {
            arguments.want(id);
        }
        !self.0.is_empty()
    }

    fn one_round(
        &mut self,
        _state: &mut one_round::State,
        _arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix_error::Result<(Round, bool)> {
        let round = Round {
            haves_sent: 0,
            in_vain: 0,
            haves_to_send: 0,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}
