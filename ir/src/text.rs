//! The text form of a graph: one line an operation, for people, golden files and bug reports.

use std::fmt;

use crate::graph::{Graph, NodeId, Stage};
use crate::instruction::{Network, Security};
use crate::op::{CopyOp, Mode, Mount, Op, RunOp, Sharing};

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, node) in self.iter() {
            writeln!(f, "{id} = {}", node.op)?;
        }
        for (index, stage) in self.stages.iter().enumerate() {
            let target = if index == self.target { " target" } else { "" };
            writeln!(f, "{stage}{target}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "stage {name:?} = {}", self.root)?,
            None => write!(f, "stage {} = {}", self.index, self.root)?,
        }
        let config = serde_json::to_string(&self.config.config).map_err(|_| fmt::Error)?;
        write!(f, " {} config {config}", self.platform)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => f.write_str("scratch"),
            Self::Image(image) => match image.digest {
                Some(digest) => {
                    write!(f, "image {} {}", image.reference.with_digest(digest), image.platform)
                }
                None => write!(f, "image {} unresolved {}", image.reference, image.platform),
            },
            Self::Local(local) => {
                write!(f, "local {:?}", local.name)?;
                match local.ignore.len() {
                    0 => Ok(()),
                    1 => f.write_str(" ignore 1 pattern"),
                    count => write!(f, " ignore {count} patterns"),
                }
            }
            Self::Git(git) => {
                write!(f, "git {:?}", git.url)?;
                if let Some(reference) = &git.reference {
                    write!(f, " at {reference:?}")?;
                }
                if !git.subdirectory.is_empty() {
                    write!(f, " in {:?}", git.subdirectory)?;
                }
                if let Some(checksum) = &git.checksum {
                    write!(f, " checksum {checksum:?}")?;
                }
                f.write_str(if git.keep_git_dir { " keep-git-dir" } else { "" })?;
                f.write_str(if git.submodules { "" } else { " without submodules" })?;
                f.write_str(if git.commit_time { " mtime commit" } else { "" })?;
                f.write_str(if git.fetch_by_commit { " fetch-by-commit" } else { "" })
            }
            Self::Http(http) => {
                write!(f, "http {:?} as {:?}", http.url, http.filename)?;
                match &http.checksum {
                    Some(checksum) => write!(f, " checksum {checksum}"),
                    None => Ok(()),
                }
            }
            Self::Inline(inline) => {
                f.write_str("inline")?;
                for file in &inline.files {
                    write!(f, " {:?} {:?}", file.name, file.content)?;
                }
                Ok(())
            }
            Self::Run(run) => write_run(f, run),
            Self::Copy(copy) => write_copy(f, copy),
            Self::Mkdir(mkdir) => {
                write!(f, "mkdir {} {:?}", mkdir.root, mkdir.path)?;
                if mkdir.owner.is_empty() { Ok(()) } else { write!(f, " owner {:?}", mkdir.owner) }
            }
            Self::Merge(merge) => write!(f, "merge {} <- {}", merge.root, merge.layer),
        }
    }
}

fn write_run(f: &mut fmt::Formatter<'_>, run: &RunOp) -> fmt::Result {
    write!(f, "run {} {:?} cwd {:?}", run.root, run.argv, run.cwd)?;
    if !run.user.is_empty() {
        write!(f, " user {:?}", run.user)?;
    }
    for (name, value) in &run.env {
        write!(f, " env {name}={value:?}")?;
    }
    for mount in &run.mounts {
        write!(f, " mount {mount}")?;
    }
    for script in &run.scripts {
        write!(f, " script {:?} {:?}", script.name, script.content)?;
    }
    f.write_str(match run.network {
        Network::Default => "",
        Network::None => " network none",
        Network::Host => " network host",
    })?;
    f.write_str(match run.security {
        Security::Sandbox => "",
        Security::Insecure => " security insecure",
    })?;
    match &run.hostname {
        Some(hostname) => write!(f, " hostname {hostname:?}"),
        None => Ok(()),
    }
}

fn write_copy(f: &mut fmt::Formatter<'_>, copy: &CopyOp) -> fmt::Result {
    write!(f, "copy {} <-", copy.root)?;
    let mut last: Option<NodeId> = None;
    for source in &copy.sources {
        if last != Some(source.from) {
            write!(f, " {}", source.from)?;
            last = Some(source.from);
        }
        write!(f, " {:?}{}", source.path, if source.unpack { " unpack" } else { "" })?;
    }
    write!(f, " to {:?}", copy.destination)?;
    if let Some(owner) = &copy.owner {
        write!(f, " owner {owner:?}")?;
    }
    match &copy.mode {
        None => {}
        Some(Mode::Octal(mode)) => write!(f, " mode {mode:04o}")?,
        Some(Mode::Symbolic(mode)) => write!(f, " mode {mode:?}")?,
    }
    for pattern in &copy.exclude {
        write!(f, " exclude {pattern:?}")?;
    }
    f.write_str(if copy.parents { " parents" } else { "" })
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { target, from, source, writable } => {
                write!(f, "bind {target:?} from {from} {source:?}")?;
                f.write_str(if *writable { " writable" } else { "" })
            }
            Self::Cache { target, id, sharing, from, source, mode, uid, gid, readonly } => {
                write!(f, "cache {target:?} id {id:?}")?;
                f.write_str(match sharing {
                    Sharing::Shared => "",
                    Sharing::Private => " private",
                    Sharing::Locked => " locked",
                })?;
                if let Some(from) = from {
                    write!(f, " from {from} {source:?}")?;
                }
                write!(f, " mode {mode:04o} owner {uid}:{gid}")?;
                f.write_str(if *readonly { " readonly" } else { "" })
            }
            Self::Tmpfs { target, size, readonly } => {
                write!(f, "tmpfs {target:?}")?;
                size.map_or(Ok(()), |size| write!(f, " size {size}"))?;
                f.write_str(if *readonly { " readonly" } else { "" })
            }
            Self::Secret { id, target, env, required, mode, uid, gid } => {
                write!(f, "secret {id:?}")?;
                if let Some(target) = target {
                    write!(f, " as {target:?} mode {mode:04o} owner {uid}:{gid}")?;
                }
                if let Some(env) = env {
                    write!(f, " env {env}")?;
                }
                f.write_str(if *required { " required" } else { "" })
            }
            Self::Ssh { id, target, required, mode, uid, gid } => {
                write!(f, "ssh {id:?} as {target:?} mode {mode:04o} owner {uid}:{gid}")?;
                f.write_str(if *required { " required" } else { "" })
            }
        }
    }
}
