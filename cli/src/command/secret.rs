//! `--secret` and `--ssh`: what commands and downloads may see of the caller's, as buildx reads them.

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use crate::environment::{Environment, absolute};
use crate::error::CommandError;

const SECRET_HELP: &str =
    "write `id=ID`, and `src=FILE` or `env=NAME` where it is not of that name";
const SSH_HELP: &str = "start an agent so that SSH_AUTH_SOCK is set, or write `--ssh ID=SOCKET`";
const KEY_HELP: &str = "start an agent that has the key: `eval $(ssh-agent)`, `ssh-add FILE`";

/// Reads the secrets of `--secret` by their ids.
pub(crate) fn secrets(
    environment: &Environment,
    arguments: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, CommandError> {
    let mut secrets = BTreeMap::new();
    for argument in arguments {
        let error = |what: &str| {
            CommandError::user_with_help(format!("`--secret {argument}`: {what}"), SECRET_HELP)
        };
        let Secret { id, from } = Secret::parse(argument).map_err(|what| error(&what))?;
        let content = match from.settled(&id, environment.get(&id).is_some()) {
            Place::File(file) => {
                let path = absolute(Path::new(&file));
                let read = std::fs::read(&path);
                read.map_err(|error| CommandError::Read { what: "the secret", path, error })?
            }
            Place::Variable(name) => {
                let value = environment.get(&name);
                value.ok_or_else(|| error("the variable is not set"))?.as_bytes().to_vec()
            }
        };
        if secrets.insert(id, content).is_some() {
            return Err(error("the id is given twice"));
        }
    }
    Ok(secrets)
}

/// Reads the sockets of `--ssh` by their ids.
pub(crate) fn agents(
    environment: &Environment,
    arguments: &[String],
) -> Result<BTreeMap<String, PathBuf>, CommandError> {
    let mut agents = BTreeMap::new();
    for argument in arguments {
        let error = |what: &str, help| {
            CommandError::user_with_help(format!("`--ssh {argument}` {what}"), help)
        };
        let (id, socket) = match argument.split_once('=') {
            Some((id, socket)) => (id, Some(socket)),
            None => (argument.as_str(), environment.get("SSH_AUTH_SOCK")),
        };
        let Some(socket) = socket.filter(|socket| !socket.is_empty() && !id.is_empty()) else {
            return Err(error("leads to no agent", SSH_HELP));
        };
        let path = absolute(Path::new(socket));
        match std::fs::metadata(&path) {
            Ok(found) if found.file_type().is_socket() => {}
            Ok(_) => return Err(error("names a file that is no agent's socket", KEY_HELP)),
            Err(source) => {
                let what = format!("leads to no agent: `{}`: {source}", path.display());
                return Err(error(&what, SSH_HELP));
            }
        }
        if agents.insert(id.to_owned(), path).is_some() {
            return Err(error("gives the id twice", SSH_HELP));
        }
    }
    Ok(agents)
}

/// `id=ID[,src=FILE][,env=NAME][,type=file|env]`
#[derive(Debug, PartialEq, Eq)]
struct Secret {
    id: String,
    from: From,
}

/// Where it is, as far as that is said.
#[derive(Debug, PartialEq, Eq)]
enum From {
    Said(Place),
    /// In a variable of its id if there is one, else in a file of that name.
    Either,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(String),
    Variable(String),
}

impl From {
    fn settled(self, id: &str, is_variable: bool) -> Place {
        match self {
            Self::Said(place) => place,
            Self::Either if is_variable => Place::Variable(id.to_owned()),
            Self::Either => Place::File(id.to_owned()),
        }
    }
}

impl Secret {
    fn parse(text: &str) -> Result<Self, String> {
        let (mut id, mut file, mut variable, mut kind) = (None, None, None, None);
        for field in fields(text).ok_or("it has a quote that does not end")? {
            let (key, value) = field
                .split_once('=')
                .ok_or_else(|| format!("`{field}` is not id=, src=, env= or type="))?;
            let value = Some(value.to_owned());
            match key.to_ascii_lowercase().as_str() {
                "id" => id = value,
                "src" | "source" => file = value,
                "env" => variable = value,
                "type" => kind = value,
                _ => return Err(format!("`{field}` is not id=, src=, env= or type=")),
            }
        }
        let id = id.filter(|id| !id.is_empty()).ok_or("it has no id")?;
        let own = || id.clone();
        let from = match (kind.as_deref(), file, variable) {
            // As with buildx: of both the variable counts, and with `type=env` `src` names one.
            (None | Some("env"), _, Some(name)) => From::Said(Place::Variable(name)),
            (Some("env"), name, None) => From::Said(Place::Variable(name.unwrap_or_else(own))),
            (None, Some(file), None) => From::Said(Place::File(file)),
            (None, None, None) => From::Either,
            (Some("file"), file, None) => From::Said(Place::File(file.unwrap_or_else(own))),
            (Some("file"), _, Some(_)) => return Err("`type=file` has no env=".to_owned()),
            (Some(kind), _, _) => return Err(format!("`type={kind}` is not file or env")),
        };
        Ok(Self { id, from })
    }
}

/// The fields of a record of RFC 4180. None if a quote does not end, or not before a comma.
fn fields(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
            Some(mut quoted) => {
                let mut field = String::new();
                loop {
                    let (part, behind) = quoted.split_once('"')?;
                    field += part;
                    match behind.strip_prefix('"') {
                        Some(more) => {
                            field.push('"');
                            quoted = more;
                        }
                        None => break (field, behind),
                    }
                }
            }
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Some(fields),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> From {
        From::Said(Place::File(name.to_owned()))
    }

    fn variable(name: &str) -> From {
        From::Said(Place::Variable(name.to_owned()))
    }

    #[test]
    fn secrets_are_spelled_as_with_buildx() {
        for (text, from) in [
            ("id=x", From::Either),
            ("id=x,src=f", file("f")),
            ("source=f,ID=x", file("f")),
            ("id=x,env=V", variable("V")),
            ("id=x,src=f,env=V", variable("V")),
            ("type=file,id=x", file("x")),
            ("id=x,type=file,src=f", file("f")),
            ("id=x,type=env", variable("x")),
            ("id=x,type=env,src=V", variable("V")),
            ("id=x,type=env,env=V", variable("V")),
            ("id=x,\"src=a,b \"\"c\"\"\"", file("a,b \"c\"")),
            ("id=x,src=a=b", file("a=b")),
        ] {
            assert_eq!(Secret::parse(text), Ok(Secret { id: "x".to_owned(), from }), "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for (text, message) in [
            ("", "`` is not id=, src=, env= or type="),
            ("x", "`x` is not id=, src=, env= or type="),
            ("src=f", "it has no id"),
            ("id=", "it has no id"),
            ("id=x,mode=1", "`mode=1` is not id=, src=, env= or type="),
            ("id=x,type=vault", "`type=vault` is not file or env"),
            ("id=x,type=file,env=V", "`type=file` has no env="),
            ("id=x,\"src=f", "it has a quote that does not end"),
            ("\"id=x\"y", "it has a quote that does not end"),
        ] {
            assert_eq!(Secret::parse(text), Err(message.to_owned()), "{text}");
        }
    }
}
