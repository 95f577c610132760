//! Which credentials are found for which repository.

use super::*;

async fn user(credentials: &Credentials, image: &str) -> Option<String> {
    match credentials.find(&image.parse().unwrap()).await.login? {
        Login::Password { user, password } => Some(format!("{user}:{}", password.reveal())),
        Login::Identity(token) => Some(format!("identity {}", token.reveal())),
        Login::Token(token) => Some(format!("token {}", token.reveal())),
    }
}

#[tokio::test]
async fn the_longest_key_wins() {
    let credentials = Credentials::from_docker_config(
        r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnA6dwA="},
            "docker.io/team": {"username": "team", "password": "t"},
            "https://r.io": {"username": "all", "password": "x"},
            "r.io/org": {"username": "org", "password": "x"},
            "r.io/org/app": {"identitytoken": "id", "auth": "PHRva2VuPjo="},
            "r.io:5000": {"registrytoken": "rt"},
            "empty.io": {}, "null.io": null
        }, "HttpHeaders": {"x": "y"}}"#,
    )
    .unwrap();
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
    let credentials = Credentials::from_docker_config(
        r#"{"credsStore": "of-nobody", "auths": {"r.io": {"username": "u", "password": "p"}}}"#,
    )
    .unwrap();
    let found = credentials.find(&"other.io/x".parse().unwrap()).await;
    assert_eq!(found.login, None);
    assert!(matches!(found.trouble, Some(HelperError::Run { .. })));
    assert_eq!(user(&credentials, "r.io/x").await.as_deref(), Some("u:p"));
}

#[test]
fn what_cannot_be_used_is_refused_without_being_quoted() {
    let error = Credentials::from_docker_config(r#"{"auths": {"r.io": {"auth": 5}}}"#).unwrap_err();
    assert!(matches!(error, CredentialsError::Json { line: 1, .. }));
    for auth in ["c2VjcmV0", "c2VjcmV0!", "/w=="] {
        let json = format!(r#"{{"auths": {{"r.io": {{"auth": "{auth}"}}}}}}"#);
        let error = Credentials::from_docker_config(&json).unwrap_err();
        assert!(matches!(&error, CredentialsError::Auth { key } if key == "r.io"), "{auth}");
        assert!(!error.to_string().contains(auth));
    }
    for name in ["../evil", "a b", "x/y"] {
        let json = format!(r#"{{"credHelpers": {{"r.io": "{name}"}}}}"#);
        assert!(Credentials::from_docker_config(&json).is_err(), "{name}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let credentials = Credentials::from_docker_config(
        r#"{"auths": {"r.io": {"username": "u", "password": "hidden"}}}"#,
    )
    .unwrap();
    let shown = format!("{credentials:?} {:?}", credentials.0.logins);
    assert!(shown.contains("r.io") && !shown.contains("hidden"), "{shown}");
}

/// Asks a shell script, for `r.io`.
async fn ask_script(script: &str) -> Result<Option<Login>, HelperError> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("docker-credential-script");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    ask(program.to_str().unwrap().to_owned(), "r.io").await
}

#[tokio::test]
async fn helpers_are_asked_as_docker_does() {
    let login = ask_script(
        r#"read key; echo "{\"ServerURL\": \"$key\", \"Username\": \"$1 $key\", \"Secret\": \"s\"}""#,
    );
    let password = Secret("s".to_owned());
    let expected = Login::Password { user: "get r.io".to_owned(), password };
    assert_eq!(login.await.unwrap(), Some(expected));
    let login = ask_script(r#"echo '{"Username": "<token>", "Secret": "t"}'"#).await.unwrap();
    assert_eq!(login, Some(Login::Identity(Secret("t".to_owned()))));
    let unknown = ask_script("echo credentials not found in native keychain; exit 1").await;
    assert_eq!(unknown.unwrap(), None);
    let failed = ask_script("echo the vault is sealed; exit 1").await.unwrap_err();
    assert!(
        matches!(failed, HelperError::Failed { message, .. } if message == "the vault is sealed")
    );
    let odd = ask_script("echo '{\"Secret\": 1}'").await.unwrap_err();
    assert!(matches!(odd, HelperError::Answer { .. }));
}
