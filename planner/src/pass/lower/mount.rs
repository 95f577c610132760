//! `RUN --mount`: untyped fields → a typed mount (BuildKit `commands_runmount.go`).

use ir::instruction::MountKey;
use ir::op::{Mount, Op, Sharing};
use ir::{Code, Diagnostic, NodeId, Span, suggest};

use super::{Current, Lowering, Site, bad, weight};
use crate::pass::resolve::From;
use crate::path;
use crate::step::{MountStep, Word};

mod unused;

/// The types of a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// The fields of one mount, each with its last value.
#[derive(Debug, Default)]
struct Fields {
    kind: Kind,
    from: Option<Word>,
    source: Option<Word>,
    target: Option<Word>,
    readonly: Option<(bool, Span)>,
    id: Option<Word>,
    sharing: Option<(Sharing, Span)>,
    required: bool,
    size: Option<u64>,
    mode: Option<(u32, Span)>,
    uid: Option<(u32, Span)>,
    gid: Option<(u32, Span)>,
    env: Option<Word>,
    span: Span,
}

impl Fields {
    /// Whether it is said that it can, or cannot, be written.
    fn is_readonly(&self) -> Option<bool> {
        self.readonly.map(|(readonly, _)| readonly)
    }

    /// Whether a cache begins as a directory that is made for it: as in BuildKit, one that is told
    /// its mode or owner, but not where in its source it begins.
    fn is_made(&self) -> bool {
        let told = self.mode.or(self.uid).or(self.gid).is_some();
        told && source(self) == "/"
    }
}

impl Lowering<'_> {
    pub(super) fn mounts(
        &mut self,
        current: &Current,
        steps: &[MountStep],
        site: Site<'_>,
    ) -> Result<Vec<Mount>, Diagnostic> {
        let mut mounts = Vec::new();
        let mut agents = 0;
        for step in steps {
            site.budget.spend(weight::carried(&current.stage), step.span)?;
            let fields = read(step)?;
            check(&fields)?;
            let unused = unused::replaced(step).chain(unused::keys(&fields));
            self.warnings.extend(unused.map(|warning| site.place.at(warning)));
            let mount = match fields.kind {
                Kind::Bind => self.bind(current, &fields, site)?,
                Kind::Cache => self.cache(current, &fields, site)?,
                Kind::Tmpfs => {
                    let target = target(current, &fields)?;
                    let size = fields.size.filter(|size| *size > 0);
                    Mount::Tmpfs { target, size, readonly: fields.is_readonly() == Some(true) }
                }
                Kind::Secret => secret(current, &fields)?,
                Kind::Ssh => {
                    let mount = ssh(current, &fields, agents)?;
                    agents += 1;
                    mount
                }
            };
            mounts.push(mount);
        }
        Ok(mounts)
    }

    /// The file system of a `from`; none where there is none.
    fn mount_source(
        &mut self,
        current: &Current,
        from: Option<&Word>,
        site: Site<'_>,
    ) -> Result<Option<NodeId>, Diagnostic> {
        let Some(from) = from else { return Ok(None) };
        let from = From { word: from.clone(), indices: false };
        self.source(current, &from, site).map(Some)
    }

    fn bind(
        &mut self,
        current: &Current,
        fields: &Fields,
        site: Site<'_>,
    ) -> Result<Mount, Diagnostic> {
        let from = self.mount_source(current, fields.from.as_ref(), site)?;
        Ok(Mount::Bind {
            target: target(current, fields)?,
            from: from.unwrap_or_else(|| self.main_context()),
            source: source(fields),
            writable: fields.is_readonly() == Some(false),
        })
    }

    fn cache(
        &mut self,
        current: &Current,
        fields: &Fields,
        site: Site<'_>,
    ) -> Result<Mount, Diagnostic> {
        let from = self.mount_source(current, fields.from.as_ref(), site)?;
        let seeds = |id: &NodeId| self.nodes[id.index()].op != Op::Scratch;
        let from = from.filter(|from| !fields.is_made() && seeds(from));
        let written = fields.target.as_ref().map_or("", |target| &target.value);
        let id = match &fields.id {
            Some(id) => id.value.clone(),
            None => path::clean(written),
        };
        let namespace = self.world.options.build_args.get("BUILDKIT_CACHE_MOUNT_NS");
        let id = match namespace.filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => format!("{namespace}/{id}"),
            None => id,
        };
        Ok(Mount::Cache {
            target: target(current, fields)?,
            id,
            sharing: fields.sharing.map(|(sharing, _)| sharing).unwrap_or_default(),
            from,
            source: source(fields),
            mode: number(fields.mode, 0o755),
            uid: number(fields.uid, 0),
            gid: number(fields.gid, 0),
            readonly: fields.is_readonly() == Some(true),
        })
    }
}

fn number(given: Option<(u32, Span)>, default: u32) -> u32 {
    given.map_or(default, |(number, _)| number)
}

fn source(fields: &Fields) -> String {
    path::rooted(fields.source.as_ref().map_or("", |source| &source.value))
}

/// Where to mount it; without a `target` that is the working directory.
fn target(current: &Current, fields: &Fields) -> Result<String, Diagnostic> {
    let written = fields.target.as_ref().map_or("", |target| &target.value);
    let target = path::join(&current.stage.config.config.working_dir, written);
    if target == "/" && written.is_empty() {
        return Err(bad(Code::BadMount, fields.span, "the mount has no `target`")
            .help("add `target=` and the path to mount it at"));
    }
    if target == "/" {
        let span = fields.target.as_ref().map_or(fields.span, |target| target.span);
        return Err(bad(Code::BadMount, span, "a mount cannot be put at `/`")
            .help("mount it at a directory of its own"));
    }
    Ok(target)
}

/// An empty `id`, `source` or `target` is as good as none.
fn secret(current: &Current, fields: &Fields) -> Result<Mount, Diagnostic> {
    let text = |word: &Option<Word>| word.as_ref().map(|word| word.value.clone());
    let id = text(&fields.source).or_else(|| text(&fields.id));
    let id = id.or_else(|| text(&fields.target).map(|target| path::base(&target).to_owned()));
    let Some(id) = id else {
        let message = "a secret needs an `id`, a `source` or a `target`";
        return Err(bad(Code::BadMount, fields.span, message)
            .help("add `id=` and the name that the secret is given by"));
    };
    let directory = &current.stage.config.config.working_dir;
    let target = text(&fields.target).map(|target| path::join(directory, &target));
    let env = text(&fields.env);
    let target = match (&env, target) {
        (Some(_), target) => target,
        (None, Some(target)) => Some(target),
        (None, None) => Some(format!("/run/secrets/{}", path::base(&id))),
    };
    Ok(Mount::Secret {
        id,
        target,
        env,
        required: fields.required,
        mode: number(fields.mode, 0o400),
        uid: number(fields.uid, 0),
        gid: number(fields.gid, 0),
    })
}

fn ssh(current: &Current, fields: &Fields, agents: usize) -> Result<Mount, Diagnostic> {
    if let Some(source) = &fields.source {
        return Err(bad(Code::BadMount, source.span, "an ssh mount has no `source`")
            .help("name the agent with `id=`, or remove it"));
    }
    let directory = &current.stage.config.config.working_dir;
    let target = match &fields.target {
        Some(target) => path::join(directory, &target.value),
        None => format!("/run/buildkit/ssh_agent.{agents}"),
    };
    Ok(Mount::Ssh {
        id: fields.id.as_ref().map_or_else(|| "default".to_owned(), |id| id.value.clone()),
        target,
        required: fields.required,
        mode: number(fields.mode, 0o600),
        uid: number(fields.uid, 0),
        gid: number(fields.gid, 0),
    })
}

/// Reads the fields in order: `size` and `required` must come behind the `type` that has them.
fn read(step: &MountStep) -> Result<Fields, Diagnostic> {
    let mut fields = Fields { span: step.span, ..Fields::default() };
    for (key, value, span) in &step.fields {
        match value {
            Some(word) => field(&mut fields, *key, word, *span)?,
            None => flag(&mut fields, *key, *span)?,
        }
    }
    Ok(fields)
}

fn flag(fields: &mut Fields, key: MountKey, span: Span) -> Result<(), Diagnostic> {
    match key {
        MountKey::Readonly => fields.readonly = Some((true, span)),
        MountKey::Readwrite => fields.readonly = Some((false, span)),
        MountKey::Required => {
            can_require(fields, span)?;
            fields.required = true;
        }
        MountKey::Relabel => {}
        MountKey::Type
        | MountKey::From
        | MountKey::Source
        | MountKey::Target
        | MountKey::Id
        | MountKey::Sharing
        | MountKey::Size
        | MountKey::Mode
        | MountKey::Uid
        | MountKey::Gid
        | MountKey::Env => {
            return Err(bad(Code::BadMount, span, "this key of a mount needs a value")
                .help("write `=` and the value behind it"));
        }
    }
    Ok(())
}

fn field(fields: &mut Fields, key: MountKey, word: &Word, at: Span) -> Result<(), Diagnostic> {
    let truth = || ir::parse_bool(&word.value).ok_or_else(|| wrong(word, "truth value", TRUTH));
    let some = || Some(word.clone()).filter(|word| !word.value.is_empty());
    let text = word.value.as_str();
    let decimal = || {
        // The highest number is nobody's: to the kernel it means "leave it".
        let id = text.parse().ok().filter(|id| !text.starts_with('+') && *id != u32::MAX);
        id.map(|id| Some((id, at))).ok_or_else(|| wrong(word, "number of a user or group", OWNER))
    };
    match key {
        MountKey::Type => fields.kind = choice(word, "type", "type of a mount", &KINDS)?,
        MountKey::From => fields.from = some(),
        MountKey::Source => fields.source = some(),
        MountKey::Target => fields.target = some(),
        MountKey::Readonly => fields.readonly = Some((truth()?, at)),
        MountKey::Readwrite => fields.readonly = Some((!truth()?, at)),
        MountKey::Required => {
            can_require(fields, at)?;
            fields.required = truth()?;
        }
        MountKey::Id => fields.id = some(),
        MountKey::Sharing => {
            let sharing = choice(word, "sharing", "way of sharing a cache", &SHARING)?;
            fields.sharing = Some((sharing, at));
        }
        MountKey::Size if fields.kind == Kind::Tmpfs => {
            fields.size = Some(ir::parse_size(text).ok_or_else(|| wrong(word, "size", SIZE))?);
        }
        MountKey::Size => {
            let message = "only a tmpfs has a `size`, and its `type` must come first";
            return Err(
                bad(Code::BadMount, at, message).help("remove it, or write `type=tmpfs` before it")
            );
        }
        MountKey::Mode => {
            let octal = u32::from_str_radix(text, 8).ok().filter(|_| !text.starts_with('+'));
            fields.mode = Some((octal.ok_or_else(|| wrong(word, "octal mode", MODE))?, at));
        }
        MountKey::Uid => fields.uid = decimal()?,
        MountKey::Gid => fields.gid = decimal()?,
        MountKey::Env => fields.env = some(),
        MountKey::Relabel => {}
    }
    Ok(())
}

fn can_require(fields: &Fields, span: Span) -> Result<(), Diagnostic> {
    if matches!(fields.kind, Kind::Secret | Kind::Ssh) {
        return Ok(());
    }
    let message =
        "only a secret and an ssh mount can be `required`, and the `type` must come first";
    Err(bad(Code::BadMount, span, message)
        .help("remove it, or write `type=secret` or `type=ssh` before it"))
}

const KINDS: [(&str, Kind); 5] = [
    ("bind", Kind::Bind),
    ("cache", Kind::Cache),
    ("secret", Kind::Secret),
    ("ssh", Kind::Ssh),
    ("tmpfs", Kind::Tmpfs),
];

const SHARING: [(&str, Sharing); 3] =
    [("locked", Sharing::Locked), ("private", Sharing::Private), ("shared", Sharing::Shared)];

const TRUTH: &str = "write `true` or `false`";
const OWNER: &str = "write a number: names are not looked up here";
const MODE: &str = "write an octal number, such as `0755`";
const SIZE: &str = "write a number and a unit, such as `64m`";

/// A value that is one of a few words, in any case.
fn choice<T: Copy>(
    word: &Word,
    key: &str,
    what: &str,
    choices: &[(&str, T)],
) -> Result<T, Diagnostic> {
    let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word.value));
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names = || choices.iter().map(|(name, _)| *name);
        let help = match suggest::nearest(&word.value, names()) {
            Some(name) => format!("write `{key}={name}`"),
            None => format!("use one of `{}`", names().collect::<Vec<_>>().join("`, `")),
        };
        wrong(word, what, &help)
    })
}

/// The problem of a value that is not what the key takes.
fn wrong(word: &Word, what: &str, help: &str) -> Diagnostic {
    let message = format!("`{}` is no {what}", suggest::shown(&word.value));
    bad(Code::BadMount, word.span, message).help(help)
}

/// What contradicts the type.
fn check(fields: &Fields) -> Result<(), Diagnostic> {
    let refuse =
        |span: Span, message: &str, help: &str| Err(bad(Code::BadMount, span, message).help(help));
    if matches!(fields.kind, Kind::Bind | Kind::Tmpfs)
        && let Some((_, span)) = fields.mode.or(fields.uid).or(fields.gid)
    {
        let message = "a bind or tmpfs mount has no `mode`, `uid` or `gid`";
        return refuse(span, message, "remove it");
    }
    if let Some((_, span)) = fields.sharing
        && fields.kind != Kind::Cache
    {
        return refuse(span, "only a cache can be shared", "remove it, or write `type=cache`");
    }
    if fields.kind == Kind::Secret {
        if let Some(from) = &fields.from {
            return refuse(from.span, "a secret has no `from`", "remove it");
        }
        if let (Some(_), Some(id)) = (&fields.source, &fields.id) {
            let message = "`source` and `id` of a secret mean the same";
            return refuse(id.span, message, "remove one of the two");
        }
    }
    Ok(())
}
