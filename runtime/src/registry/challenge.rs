//! How a registry wants to be asked: the `WWW-Authenticate` header (RFC 9110, section 11.6.1).

use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry wants in `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password.
    Basic,
    /// A token (distribution `spec/auth/token.md`).
    Bearer {
        /// Who gives it.
        realm: Url,
        /// Whom it is for, in the words of who gives it.
        service: Option<String>,
        /// What it should allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best of the challenges of an answer that this client knows.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok());
        let mut known: Vec<Self> = values.flat_map(parse).collect();
        let bearer = known.iter().position(|c| matches!(c, Self::Bearer { .. })).unwrap_or(0);
        (!known.is_empty()).then(|| known.swap_remove(bearer))
    }
}

fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut rest = header;
    while let Some((scheme, behind)) = token(rest) {
        let mut parameters = Vec::new();
        rest = behind;
        while let Some((name, value, behind)) = parameter(rest) {
            parameters.push((name.to_ascii_lowercase(), value));
            rest = behind;
        }
        challenges.extend(challenge(scheme, &parameters));
    }
    challenges
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let find = |name: &str| {
        let value = parameters.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone());
        value.filter(|value| !value.is_empty())
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            let realm = find("realm")?.parse::<Url>().ok()?;
            let usable = matches!(realm.scheme(), "http" | "https");
            let (service, scope) = (find("service"), find("scope"));
            usable.then_some(Challenge::Bearer { realm, service, scope })
        }
        _ => None,
    }
}

/// A word, after any spaces and commas.
fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(c))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `name=value` or `name="value"`.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = token(text)?;
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?.trim_start();
    let Some(quoted) = rest.strip_prefix('"') else {
        // Not only a token: registries write URLs without quotes.
        let end = rest.find([',', ' ', '\t']).unwrap_or(rest.len());
        return Some((name, rest[..end].to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((name, value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.parse().unwrap(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_as_registries_write_them() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.r.io/token",service="r.io",scope="repository:a/b:pull,push""#,
                vec![bearer(
                    "https://auth.r.io/token",
                    Some("r.io"),
                    Some("repository:a/b:pull,push"),
                )],
            ),
            (
                "bearer REALM=https://r.io/t?x=1, Service=r",
                vec![bearer("https://r.io/t?x=1", Some("r"), None)],
            ),
            (r#"Basic realm="a \"b\", c""#, vec![Challenge::Basic]),
            ("Basic", vec![Challenge::Basic]),
            (
                r#"Negotiate, Basic realm="x", Bearer realm="http://r/t" , scope="""#,
                vec![Challenge::Basic, bearer("http://r/t", None, None)],
            ),
            (r#"Bearer service="no realm""#, vec![]),
            (r#"Bearer realm="file:///etc/passwd""#, vec![]),
            (r#"Bearer realm="unfinished"#, vec![]),
            ("", vec![]),
            ("=,=", vec![]),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn a_token_is_better_than_a_password() {
        let mut headers = HeaderMap::new();
        assert_eq!(Challenge::of(&headers), None);
        headers.append(WWW_AUTHENTICATE, "Basic realm=x".parse().unwrap());
        assert_eq!(Challenge::of(&headers), Some(Challenge::Basic));
        headers.append(WWW_AUTHENTICATE, "Bearer realm=http://r/t".parse().unwrap());
        assert_eq!(Challenge::of(&headers), Some(bearer("http://r/t", None, None)));
    }

    proptest! {
        #[test]
        fn any_header_is_read_to_an_end(header in r#"([a-zA-Z]{1,3}|[ ,="\\:/é])*"#) {
            parse(&header);
        }
    }
}
