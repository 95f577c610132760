//! `COPY` and `ADD`.

use std::collections::BTreeMap;

use ir::op::{CopyOp, CopySource, GitOp, HttpOp, InlineFile, InlineOp, MergeOp, Mode, Op};
use ir::{Code, Diagnostic, NodeId, Origin};

use super::{Current, Lowering, Site, bad, commit, origin};
use crate::giturl::{BadGitUrl, GitUrl, GitUrlError};
use crate::pass::resolve::From;
use crate::step::{CopyKind, CopyStep, Word};
use crate::{chmod, path};

/// What a word of `COPY` or `ADD` names.
enum Named {
    Path,
    Http,
    Git(GitUrl),
}

impl Lowering<'_> {
    pub(super) fn copy(
        &mut self,
        current: &mut Current,
        copy: CopyStep,
        site: Site<'_>,
    ) -> Result<(), Diagnostic> {
        let mode = copy.chmod.as_ref().map(mode).transpose()?;
        check_checksum(&copy)?;
        let from = match &copy.kind {
            CopyKind::Copy { from: Some(from), .. } => {
                let from = From { word: from.clone(), indices: true };
                Some(self.source(current, &from, site)?)
            }
            CopyKind::Copy { from: None, .. } | CopyKind::Add { .. } => None,
        };
        let mut sources = Vec::new();
        for word in &copy.sources {
            sources.push(match named(word)? {
                Named::Path => self.path_source(&copy, word, from),
                Named::Http => {
                    let (op, unpack) = http(&copy, word)?;
                    let path = path::rooted_name(&op.filename);
                    let from = self.add(Op::Http(op), origin(&current.stage, site));
                    CopySource { from, path, unpack }
                }
                Named::Git(url) => {
                    let warning = useless_unpack(&copy, word);
                    self.warnings.extend(warning.map(|warning| site.place.at(warning)));
                    let op = git(&copy, word, url)?;
                    let from = self.add(Op::Git(op), origin(&current.stage, site));
                    CopySource { from, path: "/".to_owned(), unpack: false }
                }
            });
        }
        self.heredoc_sources(current, &copy, &mut sources, site)?;
        // BuildKit ignores `--link` where there is a mode.
        let link = copy.link && mode.is_none();
        if link {
            check_numbers(&copy.chown)?;
        }
        let created_by = created_by(&copy);
        let root = if link { self.empty() } else { current.stage.root };
        let stage = &mut current.stage;
        let op = CopyOp {
            root,
            sources,
            destination: path::join_directory(
                &stage.config.config.working_dir,
                &copy.destination.value,
            ),
            owner: Some(copy.chown.value).filter(|owner| !owner.is_empty()),
            mode,
            exclude: copy.exclude,
            parents: matches!(copy.kind, CopyKind::Copy { parents: true, .. }),
        };
        let origin = origin(stage, site);
        let before = std::mem::replace(&mut stage.root, self.add(Op::Copy(op), origin.clone()));
        commit(stage, created_by, true);
        if link && self.nodes[before.index()].op != Op::Scratch {
            let text = format!("{} (put on what is before it)", origin.text);
            let merge = MergeOp { root: before, layer: stage.root };
            stage.root = self.add(Op::Merge(merge), Origin { text, ..origin });
        }
        Ok(())
    }

    /// The root that layers of their own are made in.
    fn empty(&mut self) -> NodeId {
        if let Some(empty) = self.empty {
            return empty;
        }
        let text = "an empty root for --link".to_owned();
        let empty = self.add(Op::Scratch, Origin { text, ..Origin::default() });
        self.empty = Some(empty);
        empty
    }

    fn path_source(&mut self, copy: &CopyStep, word: &Word, from: Option<NodeId>) -> CopySource {
        let from = from.unwrap_or_else(|| self.main_context());
        let (unpack, parents) = match copy.kind {
            CopyKind::Copy { parents, .. } => (false, parents),
            CopyKind::Add { unpack, .. } => (unpack != Some(false), false),
        };
        let path = match word.value.split_once("/./") {
            Some((pivot, rest)) if parents => {
                let (pivot, rest) = (path::rooted(pivot), path::rooted(rest));
                format!("{}/.{rest}", pivot.trim_end_matches('/'))
            }
            _ => path::rooted(&word.value),
        };
        CopySource { from, path, unpack }
    }

    /// The files of the heredocs, all in one node; of one name, both have the last one's text.
    fn heredoc_sources(
        &mut self,
        current: &Current,
        copy: &CopyStep,
        sources: &mut Vec<CopySource>,
        site: Site<'_>,
    ) -> Result<(), Diagnostic> {
        if copy.heredocs.is_empty() {
            return Ok(());
        }
        let last: BTreeMap<&String, &String> =
            copy.heredocs.iter().map(|(name, content)| (name, content)).collect();
        let mut files = Vec::new();
        for (name, _) in &copy.heredocs {
            let content = last[name];
            site.budget.spend(content.len(), site.place.span)?;
            files.push(InlineFile { name: name.clone(), content: content.clone() });
        }
        let from = self.add(Op::Inline(InlineOp { files }), origin(&current.stage, site));
        sources.extend(copy.heredocs.iter().map(|(name, _)| CopySource {
            from,
            path: path::rooted_name(name),
            unpack: false,
        }));
        Ok(())
    }
}

/// Names of owners are those of the root that is copied to, which `--link` does not look at.
fn check_numbers(chown: &Word) -> Result<(), Diagnostic> {
    // Everyone knows root.
    let known = |id: &&str| id.is_empty() || *id == "root" || id.parse::<u32>().is_ok();
    match chown.value.split(':').find(|id| !known(id)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("`--link` knows no image that says who `{name}` is");
            Err(bad(Code::BadFlagValue, chown.span, message)
                .help("give `--chown` numbers, or remove `--link`"))
        }
    }
}

/// The download, and whether it is unpacked.
fn http(copy: &CopyStep, word: &Word) -> Result<(HttpOp, bool), Diagnostic> {
    let CopyKind::Add { checksum, unpack, .. } = &copy.kind else { return Err(needs_add(word)) };
    let checksum = checksum.as_ref().map(|checksum| {
        let digest = checksum.value.parse();
        digest.map_err(|error: ir::DigestError| {
            bad(Code::BadFlagValue, checksum.span, error.to_string())
                .help("take it from `sha256sum` of the file, with `sha256:` before it")
        })
    });
    let checksum = checksum.transpose()?;
    let op = HttpOp { url: word.value.clone(), filename: filename(&word.value), checksum };
    Ok((op, *unpack == Some(true)))
}

/// A repository is no archive, which BuildKit does not mind.
fn useless_unpack(copy: &CopyStep, word: &Word) -> Option<Diagnostic> {
    let CopyKind::Add { unpack: Some(true), .. } = &copy.kind else { return None };
    let message = format!("`--unpack` has no effect on `{}`: it is a git repository", word.value);
    Some(Diagnostic::warning(Code::WithoutEffect, word.span, message).help("remove the flag"))
}

/// What flags and the URL both say must agree.
fn git(copy: &CopyStep, word: &Word, url: GitUrl) -> Result<GitOp, Diagnostic> {
    let CopyKind::Add { checksum, keep_git_dir, .. } = &copy.kind else {
        return Err(needs_add(word));
    };
    if let (Some(flag), Some(query)) = (checksum, &url.checksum)
        && flag.value != *query
    {
        let message = format!("`--checksum={}` contradicts `{query}` in the URL", flag.value);
        return Err(bad(Code::BadFlagValue, flag.span, message).help("remove one of the two"));
    }
    if let (Some(flag), Some(query)) = (keep_git_dir, url.keep_git_dir)
        && *flag != query
    {
        let message = format!("`--keep-git-dir={flag}` contradicts the URL");
        return Err(bad(Code::BadFlagValue, word.span, message).help("remove one of the two"));
    }
    let op = url.into_op();
    Ok(GitOp {
        keep_git_dir: keep_git_dir.unwrap_or(op.keep_git_dir),
        checksum: checksum.as_ref().map(|flag| flag.value.clone()).or(op.checksum),
        // As in BuildKit; a build check tells.
        commit_time: false,
        ..op
    })
}

fn needs_add(word: &Word) -> Diagnostic {
    let message = format!("`COPY` cannot fetch `{}`", word.value);
    bad(Code::BadArgument, word.span, message).help("use `ADD` for it")
}

fn named(word: &Word) -> Result<Named, Diagnostic> {
    kind(&word.value).map_err(|BadGitUrl { reason, help }| {
        let message = format!("`{}` is no git source: {reason}", word.value);
        bad(Code::BadArgument, word.span, message).help(help)
    })
}

/// What a source names, or why it cannot be a git repository.
fn kind(source: &str) -> Result<Named, BadGitUrl> {
    match GitUrl::parse(source) {
        Ok(url) if !url.like_path => Ok(Named::Git(url)),
        Err(GitUrlError::Bad(reason)) => Err(reason),
        Ok(_) | Err(GitUrlError::NotGit) => {
            let http = ["http://", "https://"].iter().any(|scheme| source.starts_with(scheme));
            Ok(if http { Named::Http } else { Named::Path })
        }
    }
}

/// Whether a source of `COPY` or `ADD` is a path, not a URL.
pub(crate) fn is_path(source: &str) -> bool {
    matches!(kind(source), Ok(Named::Path))
}

/// Whether a source of `ADD` is a git repository.
pub(crate) fn is_git(source: &str) -> bool {
    matches!(kind(source), Ok(Named::Git(_)))
}

/// The last element of the URL's path, or a name that says that there is none.
fn filename(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let decoded = decode(rest.find('/').map_or("", |slash| &rest[slash..]));
    match path::base(&decoded) {
        "" | "." | ".." | "/" => "__unnamed__".to_owned(),
        name => name.to_owned(),
    }
}

/// Percent-decoding; what is no valid escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let hex = hex.filter(|hex| !hex.starts_with('+'));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mode(word: &Word) -> Result<Mode, Diagnostic> {
    chmod::parse(&word.value).ok_or_else(|| {
        let message = format!("`{}` is no file mode", word.value);
        bad(Code::BadFlagValue, word.span, message)
            .help("write it as an octal number up to 7777, or as in `u=rwX,go=rX`")
    })
}

fn check_checksum(copy: &CopyStep) -> Result<(), Diagnostic> {
    let CopyKind::Add { checksum: Some(checksum), .. } = &copy.kind else { return Ok(()) };
    let (message, help) = match &copy.sources[..] {
        [only] => match named(only)? {
            Named::Path => {
                ("`--checksum` needs a URL as its source", "remove it: a local file is its own")
            }
            Named::Http | Named::Git(_) => return Ok(()),
        },
        _ => ("`--checksum` is for a single source", "write an `ADD` for each of the sources"),
    };
    Err(bad(Code::BadFlagValue, checksum.span, message).help(help))
}

fn created_by(copy: &CopyStep) -> String {
    let mut words: Vec<String> = Vec::new();
    match &copy.kind {
        CopyKind::Copy { parents, .. } => {
            words.push("COPY".to_owned());
            words.extend(parents.then(|| "--parents".to_owned()));
        }
        CopyKind::Add { .. } => words.push("ADD".to_owned()),
    }
    if !copy.chown.value.is_empty() {
        words.push(format!("--chown={}", copy.chown.value));
    }
    words.extend(copy.chmod.as_ref().map(|chmod| format!("--chmod={}", chmod.value)));
    words.extend(copy.sources.iter().map(|source| source.value.clone()));
    words.extend(copy.heredocs.iter().map(|(name, _)| format!("<<{name}")));
    words.push(copy.destination.value.clone());
    words.push("# buildkit".to_owned());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::filename;

    #[test]
    fn a_download_is_named_after_its_path() {
        for (url, expected) in [
            ("http://x/", "__unnamed__"),
            ("http://x", "__unnamed__"),
            ("http://x/a/b?q=1", "b"),
            ("http://x/a/b/#c", "b"),
            ("https://x/a%20b", "a b"),
            ("https://x/%2e%2e", "__unnamed__"),
            ("https://x/a%2Fb", "b"),
            ("https://x/100%", "100%"),
        ] {
            assert_eq!(filename(url), expected, "{url}");
        }
    }
}
