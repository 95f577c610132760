//! The Dockerfile and its ignore file: where they are looked for.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::environment::absolute;
use crate::error::CommandError;

/// Finds and reads the Dockerfile: as given, then in the context; then so `dockerfile`, if it was
/// to be called `Dockerfile`. The path has the name that was asked for, in the directory where it was
/// found; it is none for standard input.
pub(super) fn dockerfile(
    given: &Path,
    context: &Path,
) -> Result<(Option<PathBuf>, Vec<u8>), CommandError> {
    const WHAT: &str = "the Dockerfile";
    if given == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| CommandError::Read { what: WHAT, path: given.into(), error })?;
        return Ok((None, bytes));
    }
    let mut candidates = vec![absolute(given), context.join(given)];
    let name = given.file_name().unwrap_or_default();
    if name == "Dockerfile" {
        let lower = given.with_file_name("dockerfile");
        candidates.extend([absolute(&lower), context.join(lower)]);
    }
    for path in &candidates {
        match read(path, context) {
            Ok(bytes) => return Ok((Some(path.with_file_name(name)), bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CommandError::Read { what: WHAT, path: path.clone(), error });
            }
        }
    }
    candidates.dedup();
    let looked: Vec<String> =
        candidates.iter().map(|path| format!("`{}`", path.display())).collect();
    Err(CommandError::user_with_help(
        format!("cannot find the Dockerfile: looked for {}", looked.join(" and ")),
        "name it with `--dockerfile`",
    ))
}

/// The patterns of `<Dockerfile>.dockerignore` beside the Dockerfile, else of `.dockerignore` in
/// the context.
pub(super) fn ignore_patterns(
    dockerfile: Option<&Path>,
    context: &Path,
) -> Result<Vec<String>, CommandError> {
    let beside = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    for path in beside.into_iter().chain([context.join(".dockerignore")]) {
        let text = match read(&path, context).and_then(text) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(CommandError::Read { what: "the ignore file", path, error });
            }
        };
        return grammar::parse_ignore(&text)
            .map_err(|error| CommandError::user(format!("`{}`: {error}", path.display())));
    }
    Ok(Vec::new())
}

/// Reads a file. What the context holds is a stranger's, and what is in the file is shown where it
/// is wrong: so it has to be a file, and no link out of the context. What somebody names elsewhere
/// may be anything, as the pipe of `<(…)`.
fn read(path: &Path, context: &Path) -> io::Result<Vec<u8>> {
    let context = context.canonicalize().unwrap_or_else(|_| context.to_owned());
    if path.parent().unwrap_or(path).canonicalize()?.starts_with(&context) {
        let target = path.canonicalize()?;
        if !target.starts_with(&context) {
            return Err(io::Error::other("it is a link out of the context"));
        }
        if !target.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
    }
    std::fs::read(path)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where there are these files, each holding its own name.
    fn found(files: &[&str], given: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        for name in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let given = given.replace('@', &directory.path().display().to_string());
        let (_, bytes) = dockerfile(Path::new(&given), &directory.path().join("context")).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_dockerfile_may_be_in_lower_case() {
        let (upper, lower) = ("context/Dockerfile", "context/dockerfile");
        assert_eq!(found(&[upper, lower], "Dockerfile").as_deref(), Some(upper));
        assert_eq!(found(&[lower], "Dockerfile").as_deref(), Some(lower));
        assert_eq!(found(&["dockerfile"], "@/Dockerfile").as_deref(), Some("dockerfile"));
        assert_eq!(found(&[upper], "@/Dockerfile"), None);
        assert_eq!(found(&["context/other"], "Other"), None);
        assert_eq!(
            found(&["context/sub/dockerfile"], "sub/Dockerfile").as_deref(),
            Some("context/sub/dockerfile")
        );
    }

    #[test]
    fn the_ignore_file_beside_the_dockerfile_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let patterns = |dockerfile: Option<&str>| {
            ignore_patterns(dockerfile.map(path).as_deref(), directory.path()).unwrap()
        };
        assert_eq!(patterns(Some("b.Dockerfile")), [""; 0]);
        std::fs::write(path(".dockerignore"), "common\n").unwrap();
        std::fs::write(path("a.Dockerfile.dockerignore"), "own\n").unwrap();
        assert_eq!(patterns(Some("a.Dockerfile")), ["own"]);
        assert_eq!(patterns(Some("b.Dockerfile")), ["common"]);
        assert_eq!(patterns(None), ["common"]);
        // It is named after what was asked for, not after what was found.
        std::fs::write(path("dockerfile"), "").unwrap();
        std::fs::write(path("Dockerfile.dockerignore"), "asked\n").unwrap();
        let (found, _) = dockerfile(&path("Dockerfile"), directory.path()).unwrap();
        assert_eq!(ignore_patterns(found.as_deref(), directory.path()).unwrap(), ["asked"]);
    }

    #[test]
    fn what_the_context_holds_has_to_be_a_file_of_it() {
        use std::os::unix::fs::symlink;

        let directory = tempfile::tempdir().unwrap();
        let (context, outside) =
            (directory.path().join("context"), directory.path().join("secret"));
        std::fs::create_dir(&context).unwrap();
        std::fs::write(&outside, "secret").unwrap();
        std::fs::write(context.join("file"), "own").unwrap();
        let links =
            [("inside", Path::new("file")), ("out", &outside), ("null", "/dev/null".as_ref())];
        for (name, target) in links {
            symlink(target, context.join(name)).unwrap();
        }
        let read = |name| dockerfile(&context.join(name), &context).map(|(_, bytes)| bytes);
        assert_eq!(read("inside").ok().as_deref(), Some(&b"own"[..]));
        assert!(read("out").is_err() && read("null").is_err() && read(".").is_err());
        // Elsewhere anything may be meant.
        let named = directory.path().join("named");
        symlink(&outside, &named).unwrap();
        let (_, bytes) = dockerfile(&named, &context).unwrap_or_default();
        assert_eq!(bytes, b"secret");
    }
}
