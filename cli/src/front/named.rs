//! `--build-context NAME=SOURCE`: what a name in `FROM` and `--from` is made to stand for.

use std::path::Path;

use ir::ImageRef;
use planner::{BadGitUrl, NamedContext};
use runtime::resolve::Layout;

use super::{Contexts, context_directory, ignore_patterns};
use crate::environment::absolute;
use crate::error::CommandError;

/// What a context may be.
const FORMS: &str = "give a directory, docker-image://REFERENCE, oci-layout://DIRECTORY[:TAG], \
                     an http:// or https:// URL, or that of a git repository";

/// Reads one `NAME=SOURCE`.
pub(super) fn read(argument: &str, contexts: &mut Contexts) -> Result<(), CommandError> {
    let error = |what: &str| CommandError::user(format!("`--build-context {argument}`: {what}"));
    let Some((name, source)) = argument.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(CommandError::user(format!("`--build-context {argument}` is not NAME=SOURCE")));
    };
    let name = name.to_lowercase();
    if name == "context" || name == "scratch" {
        return Err(CommandError::user_with_help(
            format!("`--build-context {argument}`: `{name}` means something of its own"),
            if name == "context" {
                "give the main context with `--context`"
            } else {
                "choose another name; `scratch` is always the empty file system"
            },
        ));
    }
    if name.parse::<ImageRef>().is_err() && !is_stage_name(&name) {
        return Err(error("neither a stage nor an image can have this name"));
    }
    let reference = |text: &str| text.parse::<ImageRef>().map_err(|why| error(&why.to_string()));
    let context = match source.split_once("://") {
        Some(("docker-image", "scratch")) => NamedContext::Scratch,
        Some(("docker-image", image)) => NamedContext::Image(reference(image)?),
        Some(("oci-layout", path)) => {
            let image = reference(&name)?;
            contexts.layouts.insert(image.clone(), layout(path));
            NamedContext::Image(image)
        }
        Some(("dir", path)) => local(&name, Path::new(path), contexts)?,
        // A name on GitHub could as well be a path.
        None if Path::new(source).exists() => local(&name, Path::new(source), contexts)?,
        scheme => match (NamedContext::remote(source), scheme) {
            (Err(BadGitUrl { reason, help }), _) => {
                return Err(CommandError::user_with_help(
                    format!("`--build-context {argument}`: it is no git repository: {reason}"),
                    help,
                ));
            }
            (Ok(Some(context)), _) => context,
            (Ok(None), None) => local(&name, Path::new(source), contexts)?,
            (Ok(None), Some((scheme, _))) => {
                return Err(CommandError::user_with_help(
                    format!("`--build-context {argument}`: cannot read `{scheme}://`"),
                    FORMS,
                ));
            }
        },
    };
    contexts.named.insert(name, context);
    Ok(())
}

fn is_stage_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn local(
    name: &str,
    directory: &Path,
    contexts: &mut Contexts,
) -> Result<NamedContext, CommandError> {
    let directory = context_directory(Some(directory))?;
    let ignore = ignore_patterns(None, &directory)?;
    contexts.directories.insert(name.to_owned(), directory);
    Ok(NamedContext::Local { ignore })
}

/// `DIRECTORY`, `DIRECTORY:TAG` or `DIRECTORY@DIGEST`.
fn layout(path: &str) -> Layout {
    let (path, name) = match (path.split_once("@sha256:"), path.rsplit_once(':')) {
        (Some((path, hex)), _) => (path, Some(format!("sha256:{hex}"))),
        (None, Some((path, tag))) if !tag.contains('/') => (path, Some(tag.to_owned())),
        (None, _) => (path, None),
    };
    Layout { directory: absolute(Path::new(path)), tag: name }
}

#[cfg(test)]
mod tests {
    use super::layout;

    #[test]
    fn an_image_of_a_layout_has_a_tag_or_a_digest() {
        for (written, directory, name) in [
            ("/a", "/a", None),
            ("/a:1", "/a", Some("1")),
            ("/a:b/c", "/a:b/c", None),
            ("/a@sha256:00", "/a", Some("sha256:00")),
        ] {
            let layout = layout(written);
            assert_eq!(layout.directory.to_str(), Some(directory));
            assert_eq!(layout.tag.as_deref(), name, "{written}");
        }
    }
}
