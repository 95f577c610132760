//! What happens when a registry does not behave, and how it asks for credentials.

use super::server::{Fake, Reply};
use super::*;

#[tokio::test]
async fn a_broken_pull_goes_on_where_it_broke() {
    let bytes = noise(300_000);
    let served = bytes.clone();
    let fake = Fake::start(move |request, _| {
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
        match range.and_then(|range| range.strip_suffix('-')) {
            _ if request.starts_with("GET /v2/ ") => Reply::new("200 OK", ""),
            None => Reply::new("200 OK", &served).cut(100_000),
            Some("100000") => Reply::new("206 Partial Content", &served[100_000..])
                .with("Content-Range", "bytes 100000-299999/300000")
                .cut(50_000),
            // Now it forgets that it can do ranges.
            Some(_) => Reply::new("200 OK", &served),
        }
    })
    .await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(&bytes), 300_000);
    let from = image(&fake.host, "x");
    let path = patient(2).fetch(&from, &layer, &store, |_| {}).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert_eq!(fake.requests("GET /v2/x/blobs/").len(), 3);
}

#[tokio::test]
async fn a_blob_that_many_want_is_fetched_once() {
    let fake = Fake::start(|_, _| Reply::new("200 OK", "layer")).await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    let from = image(&fake.host, "x");
    let client = plain();
    let wanted = (0..5).map(|_| client.fetch(&from, &layer, &store, |_| {}));
    for path in futures_util::future::join_all(wanted).await {
        assert_eq!(path.unwrap(), store.blob(&layer.digest, layer.size).unwrap());
    }
    assert_eq!(fake.requests("GET /v2/x/blobs/").len(), 1);
}

#[tokio::test]
async fn more_than_was_announced_is_not_stored() {
    let fake = Fake::start(|_, _| Reply::new("200 OK", vec![0; 100_000])).await;
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    let error = plain().fetch(&image(&fake.host, "x"), &layer, &store, |_| {}).await.unwrap_err();
    assert!(matches!(error, RegistryError::Size { expected: 5, .. }), "{error}");
}

#[tokio::test]
async fn a_busy_registry_is_asked_again_and_quoted() {
    let fake = Fake::start(|request, _| {
        if request.starts_with("GET /v2/ ") {
            return Reply::new("200 OK", "");
        }
        let body = r#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow\u001b down"}]}"#;
        Reply::new("429 Too Many Requests", body).with("Retry-After", "0")
    })
    .await;
    let error = patient(2).resolve(&image(&fake.host, "x"), &amd64()).await.unwrap_err();
    let RegistryError::Server { status: 429, attempts: 3, message, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(message, "slow down");
    assert_eq!(fake.requests("GET /v2/x/manifests/latest").len(), 3);
}

/// A registry with a token server beside it that gives `one`, `two`, …, of which `good` is good.
async fn with_tokens(good: &'static str) -> Fake {
    let given = AtomicU64::new(0);
    Fake::start(move |request, host| {
        if request.starts_with("GET /token") || request.starts_with("POST /token") {
            let names = ["one", "two", "three"];
            let count = usize::try_from(given.fetch_add(1, Ordering::Relaxed)).unwrap();
            return Reply::new("200 OK", json!({"access_token": names[count]}).to_string());
        }
        if request.contains(&format!("authorization: Bearer {good}\r\n")) {
            return Reply::new("200 OK", "layer");
        }
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="s p",scope="more""#);
        Reply::new("401 Unauthorized", "").with("WWW-Authenticate", challenge)
    })
    .await
}

async fn fetch_layer(client: &Client, host: &str) -> Result<PathBuf, RegistryError> {
    let (_dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(b"layer"), 5);
    client.fetch(&image(host, "a/b"), &layer, &store, |_| {}).await
}

#[tokio::test]
async fn tokens_are_fetched_once_and_again_when_they_are_refused() {
    let fake = with_tokens("one").await;
    let client = plain();
    for _ in 0..3 {
        fetch_layer(&client, &fake.host).await.unwrap();
    }
    let asked = fake.requests("GET /token");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /token?service=s+p&scope=repository%3Aa%2Fb%3Apull&"));

    let fake = with_tokens("two").await;
    fetch_layer(&plain(), &fake.host).await.unwrap();
    assert_eq!(fake.requests("GET /token").len(), 2);

    let fake = with_tokens("none").await;
    let error = fetch_layer(&plain(), &fake.host).await.unwrap_err();
    assert!(matches!(error, RegistryError::CredentialsNeeded { .. }), "{error:?}");
    assert_eq!(fake.requests("GET /token").len(), 2);
}

#[tokio::test]
async fn each_kind_of_login_is_shown_in_its_way() {
    let fetch = async |entry: serde_json::Value| {
        let fake = with_tokens("one").await;
        let config = json!({"auths": {&fake.host: entry}});
        let credentials = credentials(&config);
        let client = client(Settings { credentials, ..Settings::default() });
        fetch_layer(&client, &fake.host).await.unwrap();
        fake
    };
    let fake = fetch(json!({"username": "u", "password": "p"})).await;
    let asked = fake.requests("GET /token").remove(0);
    assert!(asked.contains("authorization: Basic dTpw\r\n") && asked.contains("account=u"));

    let fake = fetch(json!({"identitytoken": "i&t"})).await;
    let asked = fake.requests("POST /token").remove(0);
    let form = asked.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        form,
        "grant_type=refresh_token&client_id=kaniko&scope=repository%3Aa%2Fb%3Apull+more&\
         refresh_token=i%26t&service=s+p"
    );
    let fake = fetch(json!({"registrytoken": "one"})).await;
    assert_eq!(fake.requests("GET /token").len() + fake.requests("POST /token").len(), 0);
}

#[tokio::test]
async fn credentials_go_to_nobody_else() {
    let other = Fake::start(|_, _| Reply::new("200 OK", "layer")).await;
    let elsewhere = format!("http://{}/storage", other.host);
    let fake = Fake::start(move |request, _| {
        if request.contains("authorization: Basic") && request.starts_with("POST") {
            return Reply::new("202 Accepted", "").with("Location", elsewhere.clone());
        }
        if request.contains("authorization: Basic") && request.starts_with("HEAD") {
            return Reply::new("404 Not Found", "");
        }
        if request.contains("authorization: Basic") {
            return Reply::new("307 Temporary Redirect", "").with("Location", elsewhere.clone());
        }
        Reply::new("401 Unauthorized", "").with("WWW-Authenticate", "Basic realm=x")
    })
    .await;
    let client = with_login(&fake.host, "u", "p");
    fetch_layer(&client, &fake.host).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    push_bytes(&client, &image(&fake.host, "x"), dir.path(), b"layer").await.unwrap();
    let (pulled, pushed) = (other.requests("GET /storage"), other.requests("PUT /storage?digest="));
    assert_eq!((pulled.len(), pushed.len()), (1, 1));
    for request in pulled.iter().chain(&pushed) {
        assert!(!request.contains("authorization"), "{request}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_challenge_is_not_about_credentials() {
    let refusal = r#"{"errors": [{"code": "DENIED", "message": "not from this address"}]}"#;
    let fake = Fake::start(move |request, _| {
        if request.starts_with("GET /v2/ ") {
            return Reply::new("200 OK", "");
        }
        Reply::new("403 Forbidden", refusal)
    })
    .await;
    let client = with_login(&fake.host, "u", "p");
    let error = fetch_layer(&client, &fake.host).await.unwrap_err();
    assert!(matches!(error, RegistryError::Forbidden { .. }), "{error:?}");
    assert!(error.to_string().contains("not from this address"), "{error}");
    assert_eq!(fake.requests("GET /v2/a/b/").len(), 1);
}

#[tokio::test]
async fn a_token_server_that_refuses_is_told_with_the_login() {
    let fake = Fake::start(move |request, host| {
        if request.starts_with("GET /token") {
            return Reply::new(
                "401 Unauthorized",
                r#"{"details": "incorrect username or password"}"#,
            );
        }
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"s\"");
        Reply::new("401 Unauthorized", "").with("WWW-Authenticate", challenge)
    })
    .await;
    let error = fetch_layer(&with_login(&fake.host, "u", "p"), &fake.host).await.unwrap_err();
    let RegistryError::CredentialsRefused { who, message, .. } = error else { panic!("{error:?}") };
    assert_eq!(*who, format!("user `u` from the entry `{}` of `/home/config.json`", fake.host));
    assert!(message.contains("incorrect username or password"), "{message}");
}

#[tokio::test]
async fn a_dropped_pull_leaves_nothing() {
    let bytes = noise(200_000);
    let served = bytes.clone();
    let fake = Fake::start(move |_, _| Reply::new("200 OK", &served)).await;
    let (dir, store) = open_store();
    let layer = Descriptor::new(media_type::OCI_LAYER, digest_of(&bytes), 200_000);
    let from = image(&fake.host, "x");
    let client = plain();
    {
        let begun = tokio::sync::Notify::new();
        let fetch = client.fetch(&from, &layer, &store, |_| begun.notify_one());
        tokio::select! {
            biased;
            () = begun.notified() => {}
            path = fetch => panic!("it ended first: {path:?}"),
        }
    }
    assert_eq!(store.blob(&layer.digest, layer.size), None);
    // What was dropped holds no lock, and its end of the store goes with it.
    client.fetch(&from, &layer, &store, |_| {}).await.unwrap();
    drop(store);
    let work = std::fs::File::open(dir.path().join("work")).unwrap();
    while !crate::rootdir::names(rustix::fd::AsFd::as_fd(&work)).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_is_told_again_until_it_takes_it() {
    let asked = AtomicU64::new(0);
    let fake = Fake::start(move |_, _| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::new("503 Service Unavailable", ""),
        _ => Reply::new("201 Created", ""),
    })
    .await;
    let url = format!("http://user:pass@{}/a/digest?signature=x", fake.host).parse().unwrap();
    patient(1).put_digest(&url, &digest_of(b"image")).await.unwrap();
    assert_eq!(fake.requests("PUT /a/digest?signature=x").len(), 2);
    let refusing = Fake::start(|_, _| Reply::new("403 Forbidden", "")).await;
    let url = format!("http://user:pass@{}/a/digest?signature=x", refusing.host).parse().unwrap();
    let error = patient(1).put_digest(&url, &digest_of(b"image")).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "cannot send the digest to `http://{}/a/digest`: `127.0.0.1` answers 403 in 1 attempt: \
             forbidden",
            refusing.host
        )
    );
    assert_eq!(refusing.requests("PUT ").len(), 1);
}
