//! Which credentials are found for which repository.

use super::*;

/// The only source.
fn only(json: &str) -> Credentials {
    Credentials::of(vec![source(json, "config.json").unwrap()])
}

fn source(json: &str, path: &str) -> Result<Source, CredentialsError> {
    Source::docker_config(Place::File(path.into()), json)
}

async fn origin(credentials: &Credentials, image: &str) -> Option<String> {
    let found = credentials.find(&image.parse().unwrap()).await;
    Some(found.credential?.origin.to_string())
}

async fn user(credentials: &Credentials, image: &str) -> Option<String> {
    match credentials.find(&image.parse().unwrap()).await.credential?.login {
        Login::Password { user, password } => Some(format!("{user}:{}", password.reveal())),
        Login::Identity(token) => Some(format!("identity {}", token.reveal())),
        Login::Token(token) => Some(format!("token {}", token.reveal())),
    }
}

#[tokio::test]
async fn the_longest_key_wins() {
    let credentials = only(
        r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnA6dwA="},
            "docker.io/team": {"username": "team", "password": "t"},
            "https://r.io": {"username": "all", "password": "x"},
            "r.io/org": {"username": "org", "password": "x"},
            "r.io/org/app": {"identitytoken": "id", "auth": "PHRva2VuPjo="},
            "r.io:5000": {"registrytoken": "rt"},
            "empty.io": {}, "null.io": null
        }, "HttpHeaders": {"x": "y"}}"#,
    );
    for (image, expected) in [
        ("alpine", Some("hub:p:w")),
        ("team/x", Some("team:t")),
        ("teams/x", Some("hub:p:w")),
        ("r.io/x", Some("all:x")),
        ("r.io/org/other", Some("org:x")),
        ("r.io/organ/other", Some("all:x")),
        ("r.io/org/app", Some("identity id")),
        ("r.io/org/app/sub", Some("identity id")),
        ("r.io:5000/x", Some("token rt")),
        ("empty.io/x", None),
        ("null.io/x", None),
        ("evil-r.io/x", None),
    ] {
        assert_eq!(user(&credentials, image).await.as_deref(), expected, "{image}");
    }
}

#[tokio::test]
async fn a_missing_helper_is_told_and_the_file_is_asked() {
    let credentials = only(
        r#"{"credsStore": "of-nobody", "auths": {"r.io": {"username": "u", "password": "p"}}}"#,
    );
    let found = credentials.find(&"other.io/x".parse().unwrap()).await;
    assert!(found.credential.is_none());
    assert!(matches!(found.trouble, Some(HelperError::Run { .. })));
    assert_eq!(user(&credentials, "r.io/x").await.as_deref(), Some("u:p"));
}

#[test]
fn what_cannot_be_used_is_refused_without_being_quoted() {
    let error = source(r#"{"auths": {"r.io": {"auth": 5}}}"#, "x").err().unwrap();
    assert!(matches!(error, CredentialsError::Json { line: 1, .. }));
    for auth in ["c2VjcmV0", "c2VjcmV0!", "/w=="] {
        let json = format!(r#"{{"auths": {{"r.io": {{"auth": "{auth}"}}}}}}"#);
        let error = source(&json, "x").err().unwrap();
        assert!(matches!(&error, CredentialsError::Auth { key, .. } if key == "r.io"), "{auth}");
        assert!(!error.to_string().contains(auth));
    }
    for name in ["../evil", "a b", "x/y"] {
        let json = format!(r#"{{"credHelpers": {{"r.io": "{name}"}}}}"#);
        assert!(source(&json, "x").is_err(), "{name}");
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let credentials = only(r#"{"auths": {"r.io": {"username": "u", "password": "hidden"}}}"#);
    let found = credentials.find(&"r.io/x".parse().unwrap()).await;
    let shown = format!("{credentials:?} {found:?}");
    assert!(shown.contains("config.json") && shown.contains("r.io"), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn the_first_source_that_knows_a_repository_counts() {
    let variables =
        BTreeMap::from([("KANIKO_THIRD_IO_USER", "v"), ("KANIKO_THIRD_IO_PASSWORD", "p")]);
    let variable = Place::Variable("DOCKER_AUTH_CONFIG");
    let first = r#"{"auths": {"first.io": {"username": "1", "password": "a"},
        "both.io/org": {"username": "1", "password": "b"}}, "credHelpers": {"third.io": "of-nobody"}}"#;
    let second = r#"{"auths": {"https://both.io/v2/": {"username": "2", "password": "c"},
        "first.io/org": {"username": "2", "password": "d"}}}"#;
    let credentials = Credentials::of(vec![
        Source::docker_config(variable, first).unwrap(),
        Source::absent(Place::File("/a/config.json".into()), "not there"),
        source(second, "/b/auth.json").unwrap(),
        Source::hosts(&variables).unwrap(),
        Source::variables("CI_REGISTRY", "gitlab.io", "ci", "e").unwrap(),
    ]);
    for (image, expected, from) in [
        ("first.io/org/x", "1:a", "the entry `first.io` of the variable `DOCKER_AUTH_CONFIG`"),
        ("both.io/org/x", "1:b", "the entry `both.io/org` of the variable `DOCKER_AUTH_CONFIG`"),
        ("both.io/x", "2:c", "the entry `https://both.io/v2/` of `/b/auth.json`"),
        (
            "third.io/x",
            "v:p",
            "the variables `KANIKO_THIRD_IO_USER` and `KANIKO_THIRD_IO_PASSWORD`",
        ),
        ("gitlab.io/x", "ci:e", "the variables `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`"),
    ] {
        assert_eq!(user(&credentials, image).await.as_deref(), Some(expected), "{image}");
        assert_eq!(origin(&credentials, image).await.as_deref(), Some(from), "{image}");
    }
    let found = credentials.find(&"third.io/x".parse().unwrap()).await;
    assert!(matches!(found.trouble, Some(HelperError::Run { .. })), "{found:?}");
    assert_eq!(user(&credentials, "other.io/x").await, None);
    assert_eq!(
        credentials.places(),
        " in the variable `DOCKER_AUTH_CONFIG`, `/a/config.json` (not there), `/b/auth.json`, \
         the variables `KANIKO_…_USER`, the variables `CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`"
    );
    assert_eq!(Credentials::anonymous().places(), "");
}

#[tokio::test]
async fn variables_are_named_after_hosts_and_their_domains() {
    let hosts = [
        "INDEX_DOCKER_IO",
        "R_EXAMPLE_COM",
        "EXAMPLE_COM",
        "MY_REGISTRY_ORG_5000",
        "IO",
        "127_0_0_1_5000",
        "0_0_2",
        "LOCALHOST_80",
        "HALF_ORG",
    ];
    let names: Vec<_> = hosts
        .iter()
        .map(|host| (format!("KANIKO_{host}_USER"), format!("KANIKO_{host}_PASSWORD")))
        .collect();
    let mut variables: BTreeMap<&str, &str> = BTreeMap::new();
    for ((user, password), host) in names.iter().zip(hosts) {
        variables.insert(user, host);
        variables.insert(password, "p");
    }
    variables.remove("KANIKO_HALF_ORG_PASSWORD");
    variables.extend([("KANIKO_TOKEN_ORG_USER", "<token>"), ("KANIKO_TOKEN_ORG_PASSWORD", "t")]);
    let credentials = Credentials::of(vec![Source::hosts(&variables).unwrap()]);
    for (image, expected) in [
        ("alpine", Some("INDEX_DOCKER_IO:p")),
        ("r.example.com/x", Some("R_EXAMPLE_COM:p")),
        ("a.b.example.com/x", Some("EXAMPLE_COM:p")),
        ("r.example.com:5000/x", None),
        ("my-registry.org:5000/x", Some("MY_REGISTRY_ORG_5000:p")),
        ("sub.my-registry.org:5000/x", Some("MY_REGISTRY_ORG_5000:p")),
        ("my-registry.org/x", None),
        ("127.0.0.1:5000/x", Some("127_0_0_1_5000:p")),
        ("localhost:80/x", Some("LOCALHOST_80:p")),
        // A whole top-level domain, a part of an address, half a login, the end of a name.
        ("quay.io/x", None),
        ("127.0.0.2/x", None),
        ("half.org/x", None),
        ("evilexample.com/x", None),
        ("token.org/x", Some("identity t")),
    ] {
        assert_eq!(user(&credentials, image).await.as_deref(), expected, "{image}");
    }
    assert!(Source::hosts(&BTreeMap::from([("KANIKO_NO_PUSH", "true")])).is_none());
}

#[tokio::test]
async fn gitlab_says_the_port_of_its_proxy() {
    let proxy = Source::variables("CI_DEPENDENCY_PROXY", "gitlab.io:443", "ci", "p").unwrap();
    let credentials = Credentials::of(vec![proxy]);
    for (image, known) in [
        ("gitlab.io/org/dependency_proxy/containers/alpine", true),
        ("gitlab.io:443/org/dependency_proxy/containers/alpine", true),
        ("gitlab.io:5000/x", false),
        ("sub.gitlab.io/x", false),
    ] {
        assert_eq!(user(&credentials, image).await.is_some(), known, "{image}");
    }
    for (registry, user, password) in [("", "u", "p"), ("r.io", "", "p"), ("r.io", "u", "")] {
        assert!(Source::variables("CI_REGISTRY", registry, user, password).is_none());
    }
}

/// Asks a shell script, for `r.io`.
async fn ask_script(script: &str) -> Result<Option<Login>, HelperError> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("docker-credential-script");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    helper::ask(program.to_str().unwrap(), "r.io").await
}

#[tokio::test]
async fn helpers_are_asked_as_docker_does() {
    let login = ask_script(
        r#"read key; echo "{\"ServerURL\": \"$key\", \"Username\": \"$1 $key\", \"Secret\": \"s\"}""#,
    );
    let password = Secret::from("s");
    let expected = Login::Password { user: "get r.io".to_owned(), password };
    assert_eq!(login.await.unwrap(), Some(expected));
    let login = ask_script(r#"echo '{"Username": "<token>", "Secret": "t"}'"#).await.unwrap();
    assert_eq!(login, Some(Login::Identity(Secret::from("t"))));
    let unknown = ask_script("echo credentials not found in native keychain; exit 1").await;
    assert_eq!(unknown.unwrap(), None);
    let failed = ask_script("echo the vault is sealed; exit 1").await.unwrap_err();
    assert!(
        matches!(failed, HelperError::Failed { message, .. } if message == "the vault is sealed")
    );
    let odd = ask_script("echo '{\"Secret\": 1}'").await.unwrap_err();
    assert!(matches!(odd, HelperError::Answer { .. }));
}
