//! What a command may use: `--ulimit` and `--shm-size`.

use std::fmt;
use std::io;
use std::str::FromStr;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use serde::{Deserialize, Serialize};

use super::spec::Failure;

/// What Docker gives to `/dev/shm`, in bytes.
const SHARED_MEMORY: u64 = 64 << 20;

/// The names that Docker has for what `setrlimit(2)` limits.
const RESOURCES: [(&str, Resource); 15] = [
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// What commands may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The last one of a resource counts.
    pub resources: Vec<Ulimit>,
    /// Size of `/dev/shm` in bytes; none is Docker's 64 MiB. In a chroot, where that is a directory
    /// of the root, it bounds nothing.
    pub shared_memory: Option<u64>,
}

impl Limits {
    /// Size of `/dev/shm` in bytes.
    pub(super) fn shared_memory(&self) -> u64 {
        self.shared_memory.unwrap_or(SHARED_MEMORY)
    }
}

/// A limit of one resource: `NAME=SOFT[:HARD]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ulimit {
    /// One of [`RESOURCES`].
    resource: Resource,
    /// None is no limit.
    soft: Option<u64>,
    /// None is no limit.
    hard: Option<u64>,
}

/// A limit that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UlimitError {
    /// Not in the form of one.
    #[error("it is not NAME=SOFT or NAME=SOFT:HARD with numbers, -1 for no limit")]
    Form,
    /// Nothing is called so.
    #[error("nothing is called `{name}` that can be limited; these are: {known}")]
    Name {
        /// What was written.
        name: String,
        /// What could be.
        known: String,
    },
    /// The soft one is above the hard one.
    #[error("its soft limit is above its hard one")]
    Order,
}

impl FromStr for Ulimit {
    type Err = UlimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, limits) = text.split_once('=').ok_or(UlimitError::Form)?;
        let known = RESOURCES.iter().find(|(known, _)| *known == name);
        let &(_, resource) = known.ok_or_else(|| UlimitError::Name {
            name: name.to_owned(),
            known: RESOURCES.map(|(known, _)| known).join(", "),
        })?;
        let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
        let (soft, hard) = (limit(soft)?, limit(hard)?);
        if hard.is_some_and(|hard| soft.is_none_or(|soft| soft > hard)) {
            return Err(UlimitError::Order);
        }
        Ok(Self { resource, soft, hard })
    }
}

fn limit(text: &str) -> Result<Option<u64>, UlimitError> {
    match text {
        "-1" => Ok(None),
        // A sign that Rust reads and that is none here.
        _ if text.starts_with('+') => Err(UlimitError::Form),
        _ => text.parse().map(Some).map_err(|_| UlimitError::Form),
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |limit: Option<u64>| limit.map_or("-1".to_owned(), |limit| limit.to_string());
        let name = RESOURCES.iter().find(|(_, resource)| *resource == self.resource);
        let (name, _) = name.expect("it was found there");
        write!(f, "{name}={}:{}", number(self.soft), number(self.hard))
    }
}

impl TryFrom<String> for Ulimit {
    type Error = UlimitError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Ulimit> for String {
    fn from(limit: Ulimit) -> Self {
        limit.to_string()
    }
}

/// Limits this process and what it starts. Before it gives up its capabilities: to raise a hard
/// limit takes one.
pub(super) fn apply(limits: &[Ulimit]) -> Result<(), Failure> {
    let counts = |(at, limit): &(usize, &Ulimit)| {
        !limits[at + 1..].iter().any(|later| later.resource == limit.resource)
    };
    for (_, limit) in limits.iter().enumerate().filter(counts) {
        let wanted = Rlimit { current: limit.soft, maximum: limit.hard };
        rustix::process::setrlimit(limit.resource, wanted).map_err(|error| {
            let own = rustix::process::getrlimit(limit.resource).maximum;
            let stage = match own {
                Some(own) if error == Errno::PERM => {
                    format!("set `--ulimit {limit}` where the builder itself is limited to {own}")
                }
                Some(_) | None => format!("set `--ulimit {limit}`"),
            };
            Failure::new(stage, &io::Error::from(error))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_with_docker() {
        for (text, printed) in [
            ("nofile=1024:2048", "nofile=1024:2048"),
            ("nofile=1024", "nofile=1024:1024"),
            ("memlock=-1", "memlock=-1:-1"),
            ("memlock=-1:-1", "memlock=-1:-1"),
            ("stack=8388608:-1", "stack=8388608:-1"),
            ("core=0", "core=0:0"),
        ] {
            let limit: Ulimit = text.parse().unwrap();
            assert_eq!(limit.to_string(), printed);
            assert_eq!(printed.parse(), Ok(limit));
        }
    }

    #[test]
    fn what_limits_nothing_is_refused() {
        for text in ["", "nofile", "nofile=", "nofile=x", "nofile=1:2:3", "nofile=-2", "core=+1"] {
            assert_eq!(text.parse::<Ulimit>(), Err(UlimitError::Form), "{text}");
        }
        for text in ["nofile=2:1", "nofile=-1:1"] {
            assert_eq!(text.parse::<Ulimit>(), Err(UlimitError::Order), "{text}");
        }
        let error = "files=1".parse::<Ulimit>().unwrap_err();
        assert!(error.to_string().contains("`files`") && error.to_string().contains("nofile"));
    }
}
